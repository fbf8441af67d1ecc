"""From plain arrays to blocks: buildings grouped by device set, the lanes side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nashgrid.agents.population.bounds import kinds_of_change, pack_bounds, storage_bounds
from nashgrid.agents.population.buildings import (
    BuildingArrays,
    Floats,
    Rows,
    place_in_building,
)
from nashgrid.agents.population.feasibility import storage_limits
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.tables import Blocks, shape_of

Number = TypeVar("Number", bound=np.generic)

PROXIMAL = 1e-2  # pull towards the last answer, in units of price level / rating
PRECISION_KW = 1e-9  # largest violation of a balance, per kW of size above 1 kW
SMALLEST_KW = 1e-3  # rating below which a pull grows no more


@dataclass(frozen=True)
class Devices:
    """What the tables say of all storages and loads, in the order of the population's arrays.

    Parameters
    ----------
    storage_pull, load_pull : (S,), (L,) weights of the proximal terms [currency/kW^2h]
    flat_storage, flat_load : (S,), (L,) whether a device's own curvature is below that
    bounds : (S, T, 4), see :func:`.storage_bounds`
    """

    storage_pull: Floats
    load_pull: Floats
    flat_storage: NDArray[np.bool_]
    flat_load: NDArray[np.bool_]
    bounds: Floats


def build_blocks(buildings: BuildingArrays) -> list[Blocks]:
    """The blocks of every class of buildings.

    A class is a number of storages and of loads, and whether any of them is flat.  Buildings whose
    storages change their bounds in the same slots stand together, so that a block has few bounds.
    """
    storages, loads = buildings.storages, buildings.loads
    devices = _describe(buildings)
    counts = [np.bincount(each.owner, minlength=buildings.count) for each in (storages, loads)]
    storage_of, load_of = devices_of(storages.owner, counts[0]), devices_of(loads.owner, counts[1])
    flat = np.zeros(buildings.count, dtype=bool)
    flat[storages.owner[devices.flat_storage]] = True
    flat[loads.owner[devices.flat_load]] = True
    change = np.append(kinds_of_change(devices.bounds), -1)[storage_of]
    order = np.lexsort((*change.T, flat, counts[1], counts[0]))
    kinds = np.stack([*counts, flat], axis=1)[order]
    starts = np.flatnonzero(np.r_[True, (kinds[1:] != kinds[:-1]).any(axis=1)])
    made = []
    for start, stop in zip(starts, [*starts[1:], buildings.count]):
        rows = order[start:stop]
        shape = Shape(int(kinds[start, 0]), int(kinds[start, 1]), bool(kinds[start, 2]))
        which = storage_of[rows, : shape.batteries], load_of[rows, : shape.shiftables]
        made.append(_class_blocks(buildings, devices, shape, rows, *which))
    return start_over(made, buildings)


def start_over(classes: list[Blocks], buildings: BuildingArrays) -> list[Blocks]:
    """The same blocks without any experience: what answers change, they have of their own.

    The first answers are drawn to storages that move little.
    """
    storages, hours = buildings.storages, buildings.slot_hours
    energy = storage_limits(storages, buildings.slots).idle_energy(
        storages.charge_efficiency, storages.discharge_efficiency, hours
    )
    storage_of = devices_of(storages.owner, np.bincount(storages.owner, minlength=buildings.count))
    made = []
    for blocks in classes:
        shape, rows, count = shape_of(blocks), blocks.rows.ravel(), len(blocks.rows)
        answer = np.zeros((count, buildings.slots, shape.answer_rows, WIDTH), dtype=np.float32)
        for k in range(shape.batteries):
            answer[:, :, 1 + k] = lanes_of(energy[storage_of[rows, k]] / hours, count)
        made.append(
            blocks._replace(
                multipliers=np.zeros((count, shape.multiplier_rows(buildings.slots), WIDTH)),
                answer=answer.reshape(count, -1, WIDTH),
                flat=np.zeros_like(blocks.flat),
            )
        )
    return made


def _describe(buildings: BuildingArrays) -> Devices:
    """What the tables need to know of the devices."""
    storages, loads, hours = buildings.storages, buildings.loads, buildings.slot_hours
    rating = np.maximum(_peak(storages.charge_kw), _peak(storages.discharge_kw))
    storage_pull = _pull(buildings.price_level, rating)
    load_pull = _pull(buildings.price_level, loads.limit_kw.max(axis=1))
    limits = storage_limits(storages, buildings.slots)
    return Devices(
        storage_pull,
        load_pull,
        flat_storage=2 * storages.wear_quadratic < storage_pull,
        flat_load=2 * loads.discomfort < load_pull,
        bounds=storage_bounds(limits, hours),
    )


def devices_of(owner: Rows, counts: NDArray[np.int64]) -> Rows:
    """(n, most) the devices of each building, in the order in which they were given; else -1."""
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
    buildings: BuildingArrays, devices: Devices, shape: Shape, rows: Rows, storages: Rows,
    loads: Rows,
) -> Blocks:  # fmt: skip
    """The blocks of the buildings `rows`, of one shape, with their devices (n, K) and (n, M)."""
    slots, count = buildings.slots, -(-rows.size // WIDTH)
    data = np.empty((count, shape.data_rows, WIDTH))
    for row, values in _day(buildings, devices, shape, rows, storages, loads).items():
        data[:, row] = lanes_of(values, count)
    of_storages = [lanes_of(devices.bounds[storages[:, k]], count) for k in range(shape.batteries)]
    bounds, bounds_at, patterns = pack_bounds(of_storages, count, slots)
    flat_rows = shape.flat_rows if shape.flat else 0
    return Blocks(
        forward=0,  # compiled later, for the shape, and found for every call
        backward=0,
        shiftables=shape.shiftables,
        counts=(
            shape.price_rows,
            shape.answer_rows,
            shape.flat_rows,
            Shape.BOUND_ROWS * shape.batteries,
            shape.work_rows,
            shape.powers,
            shape.preference(0),
        ),
        profiles=(0, 0, 0, 0),  # found for every call
        loads=np.ascontiguousarray(lanes_of(loads.astype(np.int32), count)),
        data=data,
        multipliers=np.empty((count, 0, WIDTH)),  # see `start_over`, as for the two below
        answer=np.empty((count, 0, WIDTH), dtype=np.float32),
        flat=np.empty((count, slots * flat_rows, WIDTH))
        if shape.flat
        else np.empty((1, max(shape.flat_rows, 1), WIDTH)),
        flat_strides=(1, flat_rows) if shape.flat else (0, 0),
        bounds=bounds,
        bounds_at=bounds_at,
        patterns=patterns,
        rows=np.ascontiguousarray(lanes_of(rows.astype(np.int32), count)),
        real=rows.size,
    )


def profile_addresses(buildings: BuildingArrays) -> tuple[int, int, int, int]:
    """Where the profiles are: load, available generation, preferred and largest power."""
    loads = buildings.loads
    load, available, preferred, largest = (
        int(table.ctypes.data)
        for table in (buildings.load_kw, buildings.available_kw, loads.preferred_kw, loads.limit_kw)
    )
    return load, available, preferred, largest


def _day(
    buildings: BuildingArrays, devices: Devices, shape: Shape, rows: Rows, storages: Rows,
    loads: Rows,
) -> dict[int, Floats]:  # fmt: skip
    """The numbers that hold for the whole day, by row of the table of data."""
    hours, size = buildings.slot_hours, buildings.size_kw[rows]
    day = {
        shape.SIZE: size,
        shape.CONNECTION: buildings.connection_kw[rows],
        shape.CURTAIL_PULL: _pull(buildings.price_level, buildings.available_kw[rows].max(axis=1)),
        shape.TOLERANCE: PRECISION_KW * np.maximum(size, 1.0),
    }
    for k in range(shape.batteries):
        own, row = storages[:, k], shape.battery(k)
        storage, pull = buildings.storages.take(own), devices.storage_pull[own]
        day[row + shape.ETA] = storage.charge_efficiency
        day[row + shape.INVERSE_ETA] = 1 / storage.discharge_efficiency
        day[row + shape.CURVATURE] = 2 * storage.wear_quadratic
        day[row + shape.WEAR] = storage.wear_per_kwh
        day[row + shape.PULL] = np.where(devices.flat_storage[own], pull, 0.0)
        day[row + shape.STORED_PULL] = pull * hours
    for m in range(shape.shiftables):
        own, row = loads[:, m], shape.shiftable(m)
        day[row + shape.LOAD_CURVATURE] = 2 * buildings.loads.discomfort[own]
        day[row + shape.LOAD_ENERGY] = buildings.loads.energy_kwh[own] / hours
        day[row + shape.LOAD_PULL] = np.where(devices.flat_load[own], devices.load_pull[own], 0.0)
    return day


def _pull(level: float, rating: Floats) -> Floats:
    return PROXIMAL * level / np.maximum(rating, SMALLEST_KW)


def _peak(limit: Floats) -> Floats:
    return limit if limit.ndim == 1 else limit.max(axis=1)
