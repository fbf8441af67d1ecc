"""Semismooth Newton on the duals of many buildings, block by block.

A warm answer needs two or three evaluations for most buildings; so each block gets a few full
steps, and whoever is not done then joins the queue of :mod:`.stragglers`.  A lane does the same
arithmetic wherever it stands and whoever stands beside it, so the answer of a building depends on
nobody else, and not on the number of threads.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import call_pass, keep_answers, place, take_quotes
from nashgrid.agents.population.keyed_cache import source_digest
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.profiles import expect_profiles, take_profiles

FACTOR, RESIDUAL, SLOPE = fields.FACTOR, fields.RESIDUAL, fields.DECREMENT
OFFSET, SALE, TOLERANCE = Shape.OFFSET, Shape.SALE, Shape.TOLERANCE
EAGER = 4  # evaluations of a block before its open lanes join the queue


def _define_answer_blocks(digest: str) -> Any:
    @njit(nogil=True, cache=True)
    def answer_blocks(blocks: Any, quote: Any, scratch: Any, start: Any, stop: Any) -> Any:
        """Answer a quote for the blocks start .. stop - 1 as far as a few full steps lead.

        Returns how many stragglers are in the queue, or -1 - row of a building whose quote is not
        finite.
        """
        digest  # noqa: B018 - part of the key of the cache
        slots = quote.target.shape[1]
        flat_block, flat_stride = blocks.flat_strides
        answer_rows, step, flat_row = blocks.counts[1], blocks.counts[4], blocks.counts[5]
        work, control = scratch.work, scratch.control
        waiting = 0
        for block in range(start, stop):
            data, multipliers = place(blocks.data, block), place(blocks.multipliers, block)
            answer, flat = place(blocks.answer, block), place(blocks.flat, block * flat_block)
            rows = place(blocks.rows, block)
            bounds = place(blocks.bounds, blocks.bounds_at[block, 0])
            pattern = place(blocks.patterns, blocks.bounds_at[block, 1])
            take_profiles(blocks, block, work, slots)
            if block + 1 < stop:
                expect_profiles(blocks, block + 1, quote, slots)
            take_quotes(
                data, quote.price, quote.own_price, quote.target, rows, work, OFFSET, step,
                control, slots,
            )  # fmt: skip
            for lane in range(WIDTH):
                if control[FACTOR, lane] != 0.0:
                    return -1 - blocks.rows[block, lane]
            if quote.two_prices != 0:
                take_quotes(
                    data, quote.sale_price, quote.own_sale_price, quote.target, rows, work, SALE,
                    step, control, slots,
                )  # fmt: skip
            for lane in range(WIDTH):
                control[FACTOR, lane] = 1.0
            evaluated = 0
            while True:
                call_pass(
                    blocks.forward, data, multipliers, answer, flat, flat_stride, bounds, pattern,
                    work, control, slots,
                )  # fmt: skip
                evaluated += 1
                undone = False
                for lane in range(WIDTH):
                    # A slope that is not a number tells of answers that are none.
                    if (
                        control[RESIDUAL, lane] <= blocks.data[block, TOLERANCE, lane]
                        and control[SLOPE, lane] >= 0
                    ):
                        control[FACTOR, lane] = 0.0
                    else:
                        undone = True
                if not undone or evaluated == EAGER:
                    break
                call_pass(
                    blocks.backward, data, multipliers, answer, flat, flat_stride, bounds, pattern,
                    work, control, slots,
                )  # fmt: skip
            keep_answers(
                work, step, control, answer, answer_rows, flat, flat_row, flat_stride, quote.trade,
                rows, slots,
            )  # fmt: skip
            for lane in range(min(WIDTH, blocks.real - block * WIDTH)):
                quote.evaluations[blocks.rows[block, lane]] = evaluated
                if control[FACTOR, lane] != 0.0:
                    scratch.queue[waiting] = block * WIDTH + lane
                    waiting += 1
        return waiting

    return answer_blocks


answer_blocks = _define_answer_blocks(source_digest())
