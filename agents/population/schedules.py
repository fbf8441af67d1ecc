"""The schedules behind the last trades, for chosen buildings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nashgrid.agents.population.buildings import (
    BuildingArrays,
    Floats,
    Rows,
    Shiftables,
    place_in_building,
)
from nashgrid.agents.population.feasibility import storage_limits
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.tables import Blocks, shape_of


@dataclass(frozen=True)
class Schedules:
    """What the devices of some buildings do; R buildings, with S storages and L loads.

    Parameters
    ----------
    rows : (R,) the buildings
    trade_kw, curtailment_kw : (R, T) [kW]
    storages : (S,) the storages of those buildings, numbered as in the population's arrays
    charge_kw, discharge_kw : (S, T) [kW]
    energy_kwh : (S, T) at the end of each slot [kWh]
    shiftables : (L,) the shiftable loads of those buildings
    shiftable_kw : (L, T) [kW]
    """

    rows: Rows
    trade_kw: Floats
    curtailment_kw: Floats
    storages: Rows
    charge_kw: Floats
    discharge_kw: Floats
    energy_kwh: Floats
    shiftables: Rows
    shiftable_kw: Floats


@dataclass(frozen=True)
class Places:
    """Where each building stands: class, and lane counted through its blocks, each (n,)."""

    kind: NDArray[np.int16]
    lane: NDArray[np.int32]

    def at(self, rows: Rows) -> tuple[Rows, Rows]:
        """Block and lane in the block."""
        block, lane = np.divmod(self.lane[rows].astype(np.int64), WIDTH)
        return block, lane


def find_places(classes: list[Blocks], count: int) -> Places:
    """Where each of `count` buildings stands."""
    places = Places(np.empty(count, np.int16), np.empty(count, np.int32))
    for number, blocks in enumerate(classes):
        rows = blocks.rows.ravel()[: blocks.real]
        places.kind[rows] = number
        places.lane[rows] = np.arange(blocks.real)
    return places


def read_schedules(
    buildings: BuildingArrays, classes: list[Blocks], places: Places, trade: Floats, rows: Rows
) -> Schedules:
    """The schedules of the buildings `rows`, at the multipliers of their last answers."""
    slots, hours = buildings.slots, buildings.slot_hours
    position = np.full(buildings.count, -1)
    position[rows] = np.arange(rows.size)
    storages = np.flatnonzero(position[buildings.storages.owner] >= 0)
    loads = np.flatnonzero(position[buildings.loads.owner] >= 0)
    charge, discharge = np.empty((2, storages.size, slots))
    power = np.empty((loads.size, slots))
    storage_place = place_in_building(buildings.storages.owner)[storages]
    load_place = place_in_building(buildings.loads.owner)[loads]
    for number, blocks in enumerate(classes):
        shape = shape_of(blocks)
        for k in range(shape.batteries):
            owner = buildings.storages.owner[storages]
            chosen = np.flatnonzero((places.kind[owner] == number) & (storage_place == k))
            charge[chosen], discharge[chosen] = _battery(
                blocks, shape, k, *places.at(owner[chosen]), slots
            )
        for m in range(shape.shiftables):
            owner = buildings.loads.owner[loads]
            chosen = np.flatnonzero((places.kind[owner] == number) & (load_place == m))
            power[chosen] = _load(
                buildings.loads.take(loads[chosen]), blocks, shape, m, places.at(owner[chosen])
            )
    own = buildings.storages.take(storages)
    limits = storage_limits(own, slots)
    moves = own.charge_efficiency[:, None] * charge - discharge / own.discharge_efficiency[:, None]
    curtailment = trade[rows] - (buildings.load_kw[rows] - buildings.available_kw[rows])
    np.subtract.at(curtailment, position[own.owner], charge - discharge)
    np.subtract.at(curtailment, position[buildings.loads.owner[loads]], power)
    return Schedules(
        rows=rows,
        trade_kw=trade[rows],
        curtailment_kw=np.clip(curtailment, 0.0, buildings.available_kw[rows]),
        storages=storages,
        charge_kw=charge,
        discharge_kw=discharge,
        energy_kwh=np.cumsum(moves, axis=1) * hours + limits.there,
        shiftables=loads,
        shiftable_kw=power,
    )


def _multipliers(
    blocks: Blocks, shape: Shape, at: tuple[Rows, Rows], row: int, slots: int
) -> Floats:
    """(rows, T) one multiplier of every slot."""
    block, lane = at
    start = shape.shiftables + row
    where = start + shape.price_rows * np.arange(slots)
    return blocks.multipliers[block[:, None], where[None, :], lane[:, None]]


def _last(blocks: Blocks, shape: Shape, at: tuple[Rows, Rows], row: int, slots: int) -> Floats:
    """(rows, T) the last answer of a flat device."""
    block, lane = at
    where = row + shape.flat_rows * np.arange(slots)
    return blocks.flat[block[:, None], where[None, :], lane[:, None]]


def _answer(
    offer: Floats, curvature: Floats, limit: Floats, last: Floats | None, pull: Floats
) -> Floats:
    free = np.clip(offer / np.maximum(curvature, 1e-30)[:, None], 0.0, limit)
    if last is None:
        return free
    return np.where(pull[:, None] > 0, last, free)


def _battery(
    blocks: Blocks, shape: Shape, k: int, block: Rows, lane: Rows, slots: int
) -> tuple[Floats, Floats]:
    at, row = (block, lane), shape.battery(k)
    eta, inverse_eta, curvature, wear, pull = (
        blocks.data[block, row + i, lane]
        for i in (shape.ETA, shape.INVERSE_ETA, shape.CURVATURE, shape.WEAR, shape.PULL)
    )
    price = _multipliers(blocks, shape, at, 0, slots)
    value = _multipliers(blocks, shape, at, 1 + k, slots)
    pattern = blocks.patterns[blocks.bounds_at[block, 1], k :: shape.batteries]
    first = blocks.bounds_at[block, :1] + pattern
    limit = [blocks.bounds[first + i, lane[:, None]] for i in range(2)]
    last: list[NDArray[np.float64] | None] = [None, None]
    if blocks.flat_strides[0]:
        last = [_last(blocks, shape, at, 2 * k + i, slots) for i in range(2)]
    bought = eta[:, None] * value - price - wear[:, None]
    sold = price - inverse_eta[:, None] * value - wear[:, None]
    return (
        _answer(bought, curvature, limit[0], last[0], pull),
        _answer(sold, curvature, limit[1], last[1], pull),
    )


def _load(loads: Shiftables, blocks: Blocks, shape: Shape, m: int, at: tuple[Rows, Rows]) -> Floats:
    (block, lane), row, slots = at, shape.shiftable(m), loads.limit_kw.shape[1]
    curvature = blocks.data[block, row + shape.LOAD_CURVATURE, lane]
    pull = blocks.data[block, row + shape.LOAD_PULL, lane]
    own = blocks.multipliers[block, m, lane][:, None]
    wish = curvature[:, None] * loads.preferred_kw
    offer = own - _multipliers(blocks, shape, at, 0, slots) + wish
    last = None
    if blocks.flat_strides[0]:
        last = _last(blocks, shape, at, 2 * shape.batteries + m, slots)
    return _answer(offer, curvature, loads.limit_kw, last, pull)
