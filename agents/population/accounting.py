"""What schedules cost, and how well they keep a building's constraints: from the numbers alone."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from nashgrid.agents.population.buildings import BuildingArrays, Floats, Rows
from nashgrid.agents.population.feasibility import storage_limits
from nashgrid.agents.population.schedules import Schedules


def device_costs(buildings: BuildingArrays, schedules: Schedules) -> Floats:
    """(n,) cost of the devices of all buildings, before any payment [currency].

    sum_t dt [wear (c + d) + wear_quadratic (c^2 + d^2)]  of every storage, and
    sum_t dt discomfort (l - preferred)^2  of every shiftable load.
    """
    own, loads = buildings.storages, buildings.loads
    charge, discharge = schedules.charge_kw, schedules.discharge_kw
    wear = own.wear_per_kwh * (charge + discharge).sum(axis=1)
    wear += own.wear_quadratic * (charge**2 + discharge**2).sum(axis=1)
    apart = ((schedules.shiftable_kw - loads.preferred_kw) ** 2).sum(axis=1)
    worn = np.bincount(own.owner, wear, minlength=buildings.count)
    missed = np.bincount(loads.owner, loads.discomfort * apart, minlength=buildings.count)
    return np.asarray(buildings.slot_hours * (worn + missed))


def violations(buildings: BuildingArrays, schedules: Schedules) -> Floats:
    """(n,) largest violation of a constraint by the schedules of all buildings [kW or kWh]."""
    own, loads, hours = buildings.storages, buildings.loads, buildings.slot_hours
    limits = storage_limits(own, buildings.slots)
    charge, discharge = schedules.charge_kw, schedules.discharge_kw
    power, curtailed = schedules.shiftable_kw, schedules.curtailment_kw
    balance = schedules.trade_kw - buildings.load_kw + buildings.available_kw - curtailed
    balance -= sums_by_owner(own.owner, charge - discharge, buildings.count)
    balance -= sums_by_owner(loads.owner, power, buildings.count)
    worst = np.abs(balance).max(axis=1)
    of_building = (
        np.abs(schedules.trade_kw) - buildings.connection_kw[:, None],
        -curtailed,
        curtailed - buildings.available_kw,
    )
    for excess in of_building:
        np.maximum(worst, excess.max(axis=1), out=worst)
    stored = schedules.energy_kwh - limits.there
    moves = own.charge_efficiency[:, None] * charge - discharge / own.discharge_efficiency[:, None]
    of_storage = (
        -charge,
        charge - limits.charge,
        -discharge,
        discharge - limits.discharge,
        limits.low - stored,
        stored - limits.high,
        np.abs(np.diff(stored, axis=1, prepend=0.0) - hours * moves),
    )
    for excess in of_storage:
        np.maximum.at(worst, own.owner, excess.max(axis=1, initial=0.0))
    missing = np.abs(hours * power.sum(axis=1) - loads.energy_kwh)
    for amount in (
        missing,
        *(e.max(axis=1, initial=0.0) for e in (-power, power - loads.limit_kw)),
    ):
        np.maximum.at(worst, loads.owner, amount)
    return np.asarray(worst)


def sums_by_owner(owner: Rows, values: Floats, count: int) -> Floats:
    """(count, T) the rows of `values` (D, T) added up by owner."""
    devices = len(owner)
    incidence = sparse.csr_array(
        (np.ones(devices), (owner, np.arange(devices))), shape=(count, devices)
    )
    return np.asarray(incidence @ values)
