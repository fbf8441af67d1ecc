"""Semismooth Newton on the duals of many buildings, block by block.

A warm answer needs two or three evaluations for most buildings; so each block gets a few full
steps, and whoever is not done then joins the queue of :mod:`.stragglers`.  A lane does the same
arithmetic wherever it stands and whoever stands beside it, so the answer of a building depends on
nobody else, and not on the number of threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import backward, forward
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.stragglers import answer_queue, converged, keep_answer, take_quote

FACTOR, FRESH = fields.FACTOR, fields.FRESH
SIZE, TOLERANCE = Shape.SIZE, Shape.TOLERANCE
CONTROL_ROWS = fields.CONTROL_ROWS
EAGER = 4  # evaluations of a block before its open lanes join the queue


def source_digest() -> str:
    """Fingerprint of the files that the compiled code is made of.

    Numba's cache looks only at the file of the function that it keeps.
    """
    digest = hashlib.sha256(str(WIDTH).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _define_answer_blocks(digest: str) -> Callable[..., Any]:
    @njit(nogil=True, cache=True)
    def answer_blocks(blocks: Any, quote: Any, start: Any, stop: Any, cold: Any) -> Any:
        """Answer a quote for the blocks start .. stop - 1; the number of stragglers."""
        digest  # part of the cache's key
        slots = quote.target.shape[1]
        work_rows = blocks.counts[5]
        flat_block, flat_stride = blocks.flat_strides
        work = np.zeros((slots * work_rows, WIDTH))
        control = np.zeros((CONTROL_ROWS, WIDTH))
        control[FRESH, :] = 1.0
        queue = np.empty((stop - start) * WIDTH, np.int64)
        waiting = 0
        for block in range(start, stop):
            last = 1 if blocks.bounds_at[block, 1] == 0 else slots - 1
            evaluated = 0
            for lane in range(WIDTH):
                control[FACTOR, lane] = 1.0
                take_quote(work, work_rows, control, lane, blocks.data[block, SIZE, lane], quote,
                           blocks.rows[block, lane])
            while not cold:
                forward(blocks.batteries, blocks.shiftables, blocks.data[block],
                        blocks.multipliers[block], blocks.answer[block],
                        blocks.flat[block * flat_block], flat_stride, blocks.bounds,
                        blocks.bounds_at[block, 0], blocks.bounds_at[block, 1], last, work, control,
                        slots)
                evaluated += 1
                undone = False
                for lane in range(WIDTH):
                    if converged(control, blocks.data[block, TOLERANCE, lane], lane):
                        control[FACTOR, lane] = 0.0
                    else:
                        undone = True
                if not undone or evaluated == EAGER:
                    break
                backward(blocks.batteries, blocks.shiftables, blocks.data[block],
                         blocks.multipliers[block], blocks.answer[block],
                         blocks.flat[block * flat_block], flat_stride, blocks.bounds,
                         blocks.bounds_at[block, 0], blocks.bounds_at[block, 1], last, work,
                         control, slots)
            for lane in range(min(WIDTH, blocks.real - block * WIDTH)):
                row = blocks.rows[block, lane]
                quote.evaluations[row] = evaluated
                if control[FACTOR, lane] == 0.0:
                    keep_answer(blocks, block, lane, work, lane, quote.trade[row])
                else:
                    queue[waiting] = block * WIDTH + lane
                    waiting += 1
        answer_queue(blocks, quote, queue, waiting, cold)
        return waiting

    return answer_blocks


answer_blocks = _define_answer_blocks(source_digest())
