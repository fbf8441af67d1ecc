"""Many standard buildings that answer a quote together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.agents.population.buildings import BuildingArrays, Floats
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import compile_passes
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.layout import build_blocks
from nashgrid.agents.population.newton import answer_blocks
from nashgrid.agents.population.stragglers import answer_queue
from nashgrid.agents.population.tables import Blocks, Quote, make_scratch

GUARD = 1 / 30  # D, the most a singular group's price moves per step, in units of price level
CHUNK = 2048 // WIDTH  # blocks that one thread takes at a time


def start_cold_blocks(blocks: Blocks, quote: Quote, start: int, stop: int) -> None:
    """Multipliers without experience: the quoted price, and its mean for what is stored."""
    price = quote.price[blocks.rows[start:stop] * quote.own_price]  # (blocks, W, T)
    mean = price.mean(axis=2)
    loads = blocks.shiftables
    blocks.multipliers[start:stop, :loads] = mean[:, None]
    price_rows = blocks.counts[1]
    slots = blocks.multipliers[start:stop, loads:-price_rows]
    slots = slots.reshape(stop - start, -1, price_rows, WIDTH)
    slots[:, :, 0] = np.moveaxis(price, 1, 2)
    slots[:, :, 1:] = mean[:, None, None]


class Population:
    def __init__(self, buildings: BuildingArrays, threads: int | None = None) -> None:
        self.buildings = buildings
        self._classes = []
        self._compiled = []
        for b in build_blocks(buildings):
            K=b.counts[1]-1
            p = compile_passes(Shape(K, b.shiftables)); self._compiled.append(p)
            self._classes.append(b._replace(forward=p[0].address, backward=p[1].address))
        self._threads = threads or os.cpu_count() or 1
        self._chunks = [
            (blocks, start, min(start + CHUNK, len(blocks.rows)))
            for blocks in self._classes
            for start in range(0, len(blocks.rows), CHUNK)
        ]
        self._cold = True
        self._evaluations = np.zeros(buildings.count, np.int32)
        self.stragglers = 0
        self.trade = np.zeros(buildings.load_kw.shape)

    def answer(self, price: ArrayLike, target: ArrayLike, rho: float, looseness=1.0) -> Floats:
        price = np.ascontiguousarray(np.atleast_2d(np.asarray(price, dtype=np.float64)))
        target = np.ascontiguousarray(target, dtype=np.float64)
        quote = Quote(price, int(len(price) > 1), target, self.trade, self._evaluations,
                      1.0 / rho, float(looseness), 1 / (GUARD * self.buildings.price_level))
        cold = self._cold
        def work(chunk):
            blocks, start, stop = chunk
            scratch = make_scratch(blocks, quote, stop - start)
            if cold:
                waiting = min(stop * WIDTH, blocks.real) - start * WIDTH
                scratch.queue[:waiting] = np.arange(start * WIDTH, start * WIDTH + waiting)
                quote.evaluations[blocks.rows[start:stop]] = 0
                start_cold_blocks(blocks, quote, start, stop)
            else:
                waiting = answer_blocks(blocks, quote, scratch, start, stop)
            if waiting:
                answer_queue(blocks, quote, scratch, waiting)
            return waiting
        if self._threads == 1:
            counts = [work(c) for c in self._chunks]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                counts = list(pool.map(work, self._chunks))
        self.stragglers = sum(counts)
        self._cold = False
        return self.trade

    @property
    def failed(self):
        return np.flatnonzero(self._evaluations == 0)
