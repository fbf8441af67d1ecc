"""The blocks of all classes, a chunk of them at a time, on several threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.newton import answer_blocks
from nashgrid.agents.population.stragglers import answer_queue
from nashgrid.agents.population.tables import Blocks, Quote, make_scratch
from nashgrid.market.chunks import share_out

CHUNK = 2048 // WIDTH  # blocks that a thread takes at a time


def share(work: Callable[[int, int, int], int], classes: list[Blocks], threads: int) -> list[int]:
    """Do `work(class, start, stop)` for the chunks of all classes; the results in order."""
    chunks = [
        (number, start, min(start + CHUNK, len(blocks.rows)))
        for number, blocks in enumerate(classes)
        for start in range(0, len(blocks.rows), CHUNK)
    ]
    return share_out(lambda number: work(*chunks[number]), len(chunks), threads)


def answer_chunk(blocks: Blocks, quote: Quote, cold: bool, start: int, stop: int) -> int:
    """Answer a quote for the blocks start .. stop - 1 of a class.

    Returns the number of stragglers, or -1 - row of a building whose quote is not finite.
    """
    scratch = make_scratch(blocks, quote, stop - start)
    if cold:
        agents = np.arange(start * WIDTH, min(stop * WIDTH, blocks.real))
        scratch.queue[: agents.size] = agents
        waiting = start_cold(blocks, quote, start, stop)
    else:
        waiting = int(answer_blocks(blocks, quote, scratch, start, stop))
    if waiting > 0:
        answer_queue(blocks, quote, scratch, waiting)
    return waiting


def start_cold(blocks: Blocks, quote: Quote, start: int, stop: int) -> int:
    """Multipliers without experience: midway between the quoted prices, their mean for stores.

    Returns the number of agents, or -1 - row of a building whose quote is not finite.
    """
    rows = blocks.rows[start:stop]
    finite = np.isfinite(quote.target[rows]).all(axis=2)
    finite &= np.isfinite(quote.price[rows * quote.own_price]).all(axis=2)
    if not finite.all():
        return -1 - int(rows[~finite].min())
    quote.evaluations[rows] = 0
    price = quote.price[rows * quote.own_price]  # (blocks, W, T)
    price = 0.5 * (price + quote.sale_price[rows * quote.own_sale_price])
    mean = price.mean(axis=2)
    loads, price_rows = blocks.shiftables, blocks.counts[1]
    blocks.multipliers[start:stop, :loads] = mean[:, None]
    slots = blocks.multipliers[start:stop, loads:-price_rows]
    slots = slots.reshape(stop - start, -1, price_rows, WIDTH)
    slots[:, :, 0] = np.moveaxis(price, 1, 2)
    slots[:, :, 1:] = mean[:, None, None]
    return min(stop * WIDTH, blocks.real) - start * WIDTH
