"""Whether each building can do what is asked of it, before anybody answers a quote."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from nashgrid.agents.population.buildings import (
    BuildingArrays,
    Floats,
    Rows,
    Storages,
    place_in_building,
)

# The stubs of both know fewer block matrices and bounds than the functions.
linear_program: Any = linprog
block_matrix: Any = sparse.bmat

SLACK = 1e-9  # share of a bound by which rounding may break it


@dataclass(frozen=True)
class StorageLimits:
    """Limits of S storages, written out: (S, T), in kW and kWh.

    Energy is counted from what would be there without charging (start plus inflow), so that it is
    0 before the first slot and changes by charging and discharging only; `there` is what it is
    counted from.
    """

    charge: Floats
    discharge: Floats
    low: Floats
    high: Floats
    there: Floats

    @property
    def restless(self) -> Rows:
        """Storages that cannot keep their bounds at rest."""
        return np.flatnonzero((self.low > 0).any(axis=1) | (self.high < 0).any(axis=1))

    def take(self, which: Rows) -> StorageLimits:
        """The limits of some of them."""
        return StorageLimits(*(getattr(self, field.name)[which] for field in fields(self)))

    def idle_energy(
        self, charge_efficiency: Floats, discharge_efficiency: Floats, hours: float
    ) -> Floats:
        """(S, T) the feasible energies that move least [kWh].

        Where there are none, the result breaks a bound.
        """
        energy = np.zeros_like(self.low)
        moving = self.restless
        own = self.take(moving)
        # Slot by slot: a slot's numbers stand together.
        rise = np.ascontiguousarray((own.charge * charge_efficiency[moving, None] * hours).T)
        fall = np.ascontiguousarray((own.discharge / discharge_efficiency[moving, None] * hours).T)
        low, high = own.low.T.copy(), own.high.T.copy()
        for slot in range(len(low) - 2, -1, -1):
            low[slot] = np.maximum(low[slot], low[slot + 1] - rise[slot + 1])
            high[slot] = np.minimum(high[slot], high[slot + 1] + fall[slot + 1])
        before = np.zeros(moving.size)
        for slot in range(len(low)):
            wish = np.minimum(np.maximum(before, low[slot]), high[slot])
            before = np.minimum(np.maximum(wish, before - fall[slot]), before + rise[slot])
            energy[moving, slot] = before
        return energy

    def broken(self, energy: Floats) -> NDArray[np.bool_]:
        """(S, T) where the energies are outside their bounds by more than rounding."""
        slack = SLACK * (1.0 + np.abs(self.low) + np.abs(self.high))
        return (energy < self.low - slack) | (energy > self.high + slack)


def storage_limits(storages: Storages, slots: int) -> StorageLimits:
    """Write the limits of the storages out for every slot."""
    shape = (storages.owner.size, slots)

    def spread(value: Floats) -> Floats:
        return np.broadcast_to(value if value.ndim == 2 else value[:, None], shape)

    there = np.broadcast_to(storages.energy_start_kwh[:, None], shape)
    if storages.inflow_kwh is not None:
        there = there + np.cumsum(storages.inflow_kwh, axis=1)
    low = np.array(spread(storages.energy_min_kwh))
    high = np.array(spread(storages.energy_max_kwh))
    low[:, -1] = np.maximum(low[:, -1], storages.energy_end_min_kwh)
    high[:, -1] = np.minimum(high[:, -1], storages.energy_end_max_kwh)
    return StorageLimits(
        spread(storages.charge_kw), spread(storages.discharge_kw), low - there, high - there, there
    )


def check_feasible(buildings: BuildingArrays) -> None:
    """Raise ValueError naming the first building that cannot keep its bounds, and the quantity.

    Each device alone first; then whether the devices together can keep the trade within the
    connection, by a schedule that moves little, and by a linear program where that one does not.
    """
    loads = buildings.loads
    hours, slots = buildings.slot_hours, buildings.slots
    most = loads.limit_kw.sum(axis=1) * hours
    for m in np.flatnonzero(loads.energy_kwh > most * (1 + SLACK)):
        raise ValueError(
            f"building {loads.owner[m]}: a shiftable load must use {loads.energy_kwh[m]:g} kWh, "
            f"but its limits allow at most {most[m]:g} kWh"
        )
    storages = buildings.storages
    limits = storage_limits(storages, slots)
    energy = limits.idle_energy(storages.charge_efficiency, storages.discharge_efficiency, hours)
    for k, slot in np.argwhere(limits.broken(energy)):
        there = limits.there[k, slot]
        raise ValueError(
            f"building {storages.owner[k]}, slot {slot}: the energy of a storage cannot lie within "
            f"{limits.low[k, slot] + there:g} and {limits.high[k, slot] + there:g} kWh; "
            f"the nearest it can come is {energy[k, slot] + there:g} kWh"
        )
    for row in np.flatnonzero(~_calm_schedule_fits(buildings, limits)):
        excess = _least_excess(buildings, limits, int(row))
        slot = int(np.argmax(excess))
        if excess[slot] > 1e-7 * (1.0 + buildings.connection_kw[row]):
            raise ValueError(
                f"building {row}, slot {slot}: its trade exceeds the connection of "
                f"{buildings.connection_kw[row]:g} kW by at least {excess.sum():g} kW in all slots "
                f"together, {excess[slot]:g} kW of it here"
            )


def _calm_schedule_fits(buildings: BuildingArrays, limits: StorageLimits) -> NDArray[np.bool_]:
    """(n,) whether loads spread evenly and storages that move little keep the connection."""
    hours, storages, loads = buildings.slot_hours, buildings.storages, buildings.loads
    connection = buildings.connection_kw[:, None]
    room = connection - (buildings.load_kw - buildings.available_kw)  # for more consumption
    export = connection + buildings.load_kw  # for discharge, all generation curtailed
    fits = np.ones(buildings.count, dtype=bool)
    for which in _one_per_owner(loads.owner):
        owner = loads.owner[which]
        limit = np.minimum(loads.limit_kw[which], np.maximum(room[owner], 0.0))
        total = limit.sum(axis=1) * hours
        share = loads.energy_kwh[which] / np.where(total > 0, total, 1.0)
        fits[owner] &= loads.energy_kwh[which] <= total
        room[owner] -= limit * share[:, None]
        export[owner] += limit * share[:, None]
    restless = limits.restless
    for group in _one_per_owner(storages.owner[restless]):
        which = restless[group]
        owner, own = storages.owner[which], limits.take(which)
        rising, falling = storages.charge_efficiency[which], storages.discharge_efficiency[which]
        own = replace(
            own,
            charge=np.minimum(own.charge, np.maximum(room[owner], 0.0)),
            discharge=np.minimum(own.discharge, np.maximum(export[owner], 0.0)),
        )
        energy = own.idle_energy(rising, falling, hours)
        fits[owner] &= ~own.broken(energy).any(axis=1)
        move = np.diff(energy, axis=1, prepend=0.0) / hours
        used = np.where(move > 0, move / rising[:, None], move * falling[:, None])
        room[owner] -= used
        export[owner] += used
    slack = SLACK * (1.0 + connection)
    return fits & (room >= -slack).all(axis=1) & (export >= -slack).all(axis=1)


def _one_per_owner(owner: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Groups of devices of which each holds at most one per building."""
    place = place_in_building(owner)
    return [np.flatnonzero(place == level) for level in range(int(place.max(initial=-1)) + 1)]


def _least_excess(buildings: BuildingArrays, limits: StorageLimits, row: int) -> Floats:
    """(T,) by how much the trade must exceed the connection, least in sum [kW]."""
    slots, hours = buildings.slots, buildings.slot_hours
    which = np.flatnonzero(buildings.storages.owner == row)
    loads = np.flatnonzero(buildings.loads.owner == row)
    one = sparse.identity(slots, format="csr")
    before = sparse.eye(slots, k=-1, format="csr")
    count = 4 + 3 * which.size + loads.size  # trade, curtailment, excess import and export, ...
    balance: list[sparse.csr_matrix] = [one, -one, one, -one]
    bounds = [(-buildings.connection_kw[row], buildings.connection_kw[row])] * slots
    bounds += [(0.0, high) for high in buildings.available_kw[row]]
    bounds += [(0.0, None)] * (2 * slots)
    extra = []
    for place, k in enumerate(which):
        balance += [-one, one, 0 * one]
        eta = buildings.storages.charge_efficiency[k] * hours
        given = hours / buildings.storages.discharge_efficiency[k]
        blocks: list[sparse.csr_matrix | None] = [None] * count
        blocks[4 + 3 * place : 7 + 3 * place] = [-eta * one, given * one, one - before]
        extra.append((blocks, np.zeros(slots)))
        bounds += [(0.0, high) for high in limits.charge[k]]
        bounds += [(0.0, high) for high in limits.discharge[k]]
        bounds += list(zip(limits.low[k], limits.high[k]))
    for place, m in enumerate(loads):
        balance.append(-one)
        blocks = [None] * count
        blocks[4 + 3 * which.size + place] = sparse.csr_matrix(np.full((1, slots), hours))
        extra.append((blocks, buildings.loads.energy_kwh[m : m + 1]))
        bounds += [(0.0, high) for high in buildings.loads.limit_kw[m]]
    net = buildings.load_kw[row] - buildings.available_kw[row]
    cost = np.zeros(count * slots)
    cost[2 * slots : 4 * slots] = 1.0
    solution = linear_program(
        cost,
        A_eq=block_matrix([balance, *(blocks for blocks, _ in extra)], format="csr"),
        b_eq=np.concatenate([net, *(right for _, right in extra)]),
        bounds=bounds,
        method="highs",
    )
    if solution.x is None:
        raise ValueError(f"building {row}: its devices cannot keep their bounds together")
    return np.asarray(solution.x[2 * slots : 3 * slots] + solution.x[3 * slots : 4 * slots])
