"""The buildings' own profiles, read where they are while a block is being answered."""

from __future__ import annotations

from typing import Any

from numba import njit

from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import (
    expect_rows,
    number_at,
    place,
    take_generation,
    take_shiftable,
)
from nashgrid.agents.population.lanes import WIDTH

NET, AVAILABLE = Shape.NET, Shape.AVAILABLE
BATTERY, BATTERY_ROWS, SHIFTABLE_ROWS = Shape.DAY_ROWS, Shape.BATTERY_ROWS, Shape.SHIFTABLE_ROWS
CURVATURE = Shape.LOAD_CURVATURE


@njit(inline="always")
def take_profiles(blocks: Any, block: Any, work: Any, slots: Any) -> Any:
    """Put the profiles of a block's buildings into the table of work."""
    step, first = blocks.counts[4], blocks.counts[6]
    load, available, preferred, largest = blocks.profiles
    take_generation(load, available, place(blocks.rows, block), work, step, slots)
    day, rows = place(blocks.data, block), place(blocks.loads, block)
    curvature = BATTERY + BATTERY_ROWS * (blocks.counts[0] - 1) + CURVATURE
    for m in range(blocks.shiftables):
        take_shiftable(
            day + 8 * WIDTH * (curvature + SHIFTABLE_ROWS * m), preferred, largest,
            rows + 4 * WIDTH * m, work, first + 2 * m, step, slots,
        )  # fmt: skip


@njit(inline="always")
def expect_profiles(blocks: Any, block: Any, quote: Any, slots: Any) -> Any:
    """Begin to fetch what a block will need of the buildings' own tables."""
    load, available, preferred, largest = blocks.profiles
    rows = place(blocks.rows, block)
    expect_rows(load, rows, slots)
    expect_rows(available, rows, slots)
    expect_rows(quote.target, rows, slots)
    expect_rows(quote.trade, rows, slots)
    rows = place(blocks.loads, block)
    for m in range(blocks.shiftables):
        expect_rows(preferred, rows + 4 * WIDTH * m, slots)
        expect_rows(largest, rows + 4 * WIDTH * m, slots)


@njit
def copy_profiles(blocks: Any, block: Any, source: Any, data: Any, work: Any, lane: Any) -> Any:
    """Put the profiles of the building in a block's lane `source` into a lane of work."""
    step, first = blocks.counts[4], blocks.counts[6]
    slots = work.shape[0] // step
    load, available, preferred, largest = blocks.profiles
    row = blocks.rows[block, source]
    for slot in range(slots):
        made = number_at(available, row * slots + slot)
        work[slot * step + NET, lane] = number_at(load, row * slots + slot) - made
        work[slot * step + AVAILABLE, lane] = made
    for m in range(blocks.shiftables):
        row = blocks.loads[block, m, source]
        at = BATTERY + BATTERY_ROWS * (blocks.counts[0] - 1) + SHIFTABLE_ROWS * m
        own = data[at + CURVATURE, lane]
        for slot in range(slots):
            wish = own * number_at(preferred, row * slots + slot)
            work[slot * step + first + 2 * m, lane] = wish
            work[slot * step + first + 2 * m + 1, lane] = number_at(largest, row * slots + slot)
