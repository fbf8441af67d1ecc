"""From plain arrays to blocks: buildings grouped by device set, the lanes side by side."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nashgrid.agents.population.buildings import (
    BuildingArrays,
    Floats,
    Rows,
    Shiftables,
    Storages,
    place_in_building,
)
from nashgrid.agents.population.feasibility import StorageLimits, largest_moves, storage_limits
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.tables import Blocks

Number = TypeVar("Number", bound=np.generic)

PROXIMAL = 1e-2  # pull towards the last answer, in units of price level / rating
PRECISION_KW = 1e-9  # largest violation of a balance, per kW of size above 1 kW
UNBOUNDED_KWH = 1e9
SMALLEST_KW = 1e-3  # rating below which a pull grows no more


def build_blocks(buildings: BuildingArrays) -> list[Blocks]:
    """The blocks of every class of buildings, a class being a number of batteries and loads."""
    storages, shiftables = buildings.storages, buildings.loads
    batteries = np.bincount(storages.owner, minlength=buildings.count)
    loads = np.bincount(shiftables.owner, minlength=buildings.count)
    profiled = np.zeros(buildings.count, dtype=bool)
    profiled[storages.owner[storages.profiled]] = True
    order = np.lexsort((profiled, loads, batteries))
    storage_of = _device_table(storages.owner, batteries)
    load_of = _device_table(shiftables.owner, loads)
    made = []
    kinds = np.stack([batteries, loads], axis=1)[order]
    starts = np.flatnonzero(np.r_[True, (kinds[1:] != kinds[:-1]).any(axis=1)])
    for start, stop in zip(starts, [*starts[1:], buildings.count]):
        rows = order[start:stop]
        shape = Shape(int(kinds[start, 0]), int(kinds[start, 1]), flat=False)
        made.append(
            _class_blocks(
                buildings,
                shape,
                rows,
                [storages.take(storage_of[rows, k]) for k in range(shape.batteries)],
                [shiftables.take(load_of[rows, m]) for m in range(shape.shiftables)],
                profiled[rows],
            )
        )
    return made


def _device_table(owner: Rows, counts: NDArray[np.int64]) -> Rows:
    """(n, most) the devices of each building, in the order in which they were given."""
    table = np.full((counts.size, int(counts.max(initial=0))), -1)
    table[owner, place_in_building(owner)] = np.arange(owner.size)
    return table


def lanes_of(values: NDArray[Number], blocks: int) -> NDArray[Number]:
    """(n, ...) per building to (blocks, ..., W): the last building fills the last block."""
    missing = blocks * WIDTH - values.shape[0]
    if missing:
        values = np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])
    return np.moveaxis(values.reshape(blocks, WIDTH, *values.shape[1:]), 1, -1)


def _class_blocks(
    buildings: BuildingArrays,
    shape: Shape,
    rows: Rows,
    storages: list[Storages],
    loads: list[Shiftables],
    profiled: NDArray[np.bool_],
) -> Blocks:
    """The blocks of the buildings `rows`, all of one shape."""
    hours, level, slots = buildings.slot_hours, buildings.price_level, buildings.slots
    count = -(-rows.size // WIDTH)
    data = np.empty((count, shape.data_rows(slots), WIDTH))
    size = buildings.size_kw[rows]
    available = buildings.available_kw[rows]
    day = {
        shape.SIZE: size,
        shape.CONNECTION: buildings.connection_kw[rows],
        shape.CURTAIL_PULL: _pull(level, available.max(axis=1)),
        shape.TOLERANCE: PRECISION_KW * np.maximum(size, 1.0),
    }
    flat = np.zeros(rows.size, dtype=bool)
    for k, storage in enumerate(storages):
        rating = np.maximum(_peak(storage.charge_kw), _peak(storage.discharge_kw))
        pull = _pull(level, rating)
        own = 2 * storage.wear_quadratic
        flat |= own < pull
        row = shape.battery(k)
        day[row + shape.ETA] = storage.charge_efficiency
        day[row + shape.INVERSE_ETA] = 1 / storage.discharge_efficiency
        day[row + shape.CURVATURE] = own
        day[row + shape.WEAR] = storage.wear_per_kwh
        day[row + shape.PULL] = np.where(own < pull, pull, 0.0)
        day[row + shape.STORED_PULL] = pull * hours
    for m, load in enumerate(loads):
        pull = _pull(level, load.limit_kw.max(axis=1))
        own = 2 * load.discomfort
        flat |= own < pull
        row = shape.shiftable(m)
        day[row + shape.LOAD_CURVATURE] = own
        day[row + shape.LOAD_ENERGY] = load.energy_kwh / hours
        day[row + shape.LOAD_PULL] = np.where(own < pull, pull, 0.0)
    for row, values in day.items():
        data[:, row] = lanes_of(values, count)
    per_slot = data[:, shape.first_slot :].reshape(count, slots, shape.slot_rows, WIDTH)
    per_slot[:, :, shape.NET] = lanes_of(buildings.load_kw[rows] - available, count)
    per_slot[:, :, shape.AVAILABLE] = lanes_of(available, count)
    for m, load in enumerate(loads):
        wish = 2 * load.discomfort[:, None] * load.preferred_kw
        per_slot[:, :, shape.PREFERENCE + 2 * m] = lanes_of(wish, count)
        per_slot[:, :, shape.LARGEST + 2 * m] = lanes_of(load.limit_kw, count)
    limits = [storage_limits(storage, slots) for storage in storages]
    bounds, bounds_at = _bounds(shape, limits, profiled, hours, slots, count)
    flat_rows = shape.flat_rows if flat.any() else 0
    return Blocks(
        forward=0,  # compiled later, for the shape
        backward=0,
        shiftables=shape.shiftables,
        counts=(
            shape.slot_rows,
            shape.price_rows,
            shape.answer_rows,
            shape.flat_rows,
            shape.bound_rows,
            shape.work_rows,
            shape.powers,
        ),
        data=data,
        multipliers=np.zeros((count, shape.multiplier_rows(slots), WIDTH)),
        answer=_first_answer(shape, storages, limits, hours, slots, count),
        flat=np.zeros((count, slots * flat_rows, WIDTH))
        if flat_rows
        else np.zeros((1, max(shape.flat_rows, 1), WIDTH)),
        flat_strides=(1, flat_rows) if flat_rows else (0, 0),
        bounds=bounds,
        bounds_at=bounds_at,
        rows=np.ascontiguousarray(lanes_of(rows, count)),
        real=rows.size,
    )


def _first_answer(
    shape: Shape,
    storages: list[Storages],
    limits: list[StorageLimits],
    hours: float,
    slots: int,
    blocks: int,
) -> NDArray[np.float32]:
    """What the first answer is drawn towards: nothing curtailed, storages that move little."""
    answer = np.zeros((blocks, slots, shape.answer_rows, WIDTH), dtype=np.float32)
    for k, (storage, limit) in enumerate(zip(storages, limits)):
        energy = limit.idle_energy(*largest_moves(storage, limit, hours))
        answer[:, :, 1 + k] = lanes_of(energy / hours, blocks)
    return answer.reshape(blocks, slots * shape.answer_rows, WIDTH)


def _pull(level: float, rating: Floats) -> Floats:
    return PROXIMAL * level / np.maximum(rating, SMALLEST_KW)


def _peak(limit: Floats) -> Floats:
    return limit if limit.ndim == 1 else limit.max(axis=1)


def _bounds(
    shape: Shape,
    limits: list[StorageLimits],
    profiled: NDArray[np.bool_],
    hours: float,
    slots: int,
    blocks: int,
) -> tuple[Floats, Rows]:
    """The bounds of all blocks: two entries (day, end), or one per slot where a lane needs it.

    Stored energy is counted from what is there without charging, start plus inflow.
    """
    wide = lanes_of(profiled, blocks).any(axis=-1)
    entries = np.where(wide, slots, 2)
    rows = shape.bound_rows
    first = (np.cumsum(entries) - entries) * rows
    table = np.zeros((int(entries.sum()) * rows, WIDTH))
    for k, limit_set in enumerate(limits):
        low, high = where_it_can_move(limit_set)
        written = [limit_set.charge, limit_set.discharge, low / hours, high / hours]
        for i, limit in enumerate(written):
            lanes = lanes_of(limit, blocks)
            day, end = lanes[:, 0], lanes[:, -1]
            at = first + 4 * k + i
            table[at[~wide]] = day[~wide]
            table[at[~wide] + rows] = end[~wide]
            for slot in range(slots):
                table[at[wide] + slot * rows] = lanes[wide, slot]
    at = np.stack([first, wide.astype(np.int64)], axis=1)
    return table, np.ascontiguousarray(at)


def where_it_can_move(limits: StorageLimits) -> tuple[Floats, Floats]:
    """Energy bounds moved from the slots without power to the last of them.

    While nothing can move, one energy has to keep the bounds of all those slots.  Left where they
    are, they would be kinks of the dual without end; so only one of them keeps bounds.
    """
    low, high = limits.low.copy(), limits.high.copy()
    idle = (limits.charge <= 0) & (limits.discharge <= 0)
    for slot in range(1, low.shape[1]):
        still = idle[:, slot]
        low[still, slot] = np.maximum(low[still, slot], low[still, slot - 1])
        high[still, slot] = np.minimum(high[still, slot], high[still, slot - 1])
        low[still, slot - 1], high[still, slot - 1] = -UNBOUNDED_KWH, UNBOUNDED_KWH
    return low, high
