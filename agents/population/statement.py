"""The problems of all standard buildings, stated at once in CVXPY: for central optima."""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from scipy import sparse

from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.population.buildings import BuildingArrays, Floats, Rows
from nashgrid.agents.population.feasibility import storage_limits


@dataclass(frozen=True)
class PopulationStatement:
    """What all buildings may do, and what it costs them.

    Parameters
    ----------
    trade_kw : (n, T) positive when buying
    cost : of all their devices, and of their bills with a tariff [currency]
    constraints : their own
    """

    trade_kw: cp.Expression
    cost: cp.Expression
    constraints: list[cp.Constraint]


def state_population(buildings: BuildingArrays, tariff: Tariff | None) -> PopulationStatement:
    """State the problems of `BuildingArrays`, line by line as its docstring has them.

    With a tariff everybody also pays the utility for itself.
    """
    count, slots, hours = buildings.count, buildings.slots, buildings.slot_hours
    curtailed = cp.Variable((count, slots), bounds=[0, buildings.available_kw])
    trade: cp.Expression = buildings.load_kw - buildings.available_kw + curtailed
    cost: cp.Expression = cp.Constant(0.0)
    constraints: list[cp.Constraint] = []
    own, loads = buildings.storages, buildings.loads
    if own.owner.size:
        limits, shape = storage_limits(own, slots), (own.owner.size, slots)
        charge = cp.Variable(shape, bounds=[0, limits.charge])
        discharge = cp.Variable(shape, bounds=[0, limits.discharge])
        stored = cp.Variable(shape, bounds=[limits.low, limits.high])
        before = cp.hstack([np.zeros((own.owner.size, 1)), stored[:, :-1]])
        eta = sparse.diags_array(own.charge_efficiency)
        inverse = sparse.diags_array(1 / own.discharge_efficiency)
        constraints.append(stored - before == hours * (eta @ charge - inverse @ discharge))
        trade += _to_owners(own.owner, count) @ (charge - discharge)
        cost += own.wear_per_kwh @ cp.sum(charge + discharge, axis=1)
        squares = cp.sum(cp.square(charge) + cp.square(discharge), axis=1)
        cost += own.wear_quadratic @ squares
    if loads.owner.size:
        power = cp.Variable((loads.owner.size, slots), bounds=[0, loads.limit_kw])
        constraints.append(hours * cp.sum(power, axis=1) == loads.energy_kwh)
        trade += _to_owners(loads.owner, count) @ power
        cost += loads.discomfort @ cp.sum(cp.square(power - loads.preferred_kw), axis=1)
    if tariff is not None:
        retail, feed_in = (
            np.broadcast_to(price, (count, slots))
            for price in (tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh)
        )
        cost += cp.sum(cp.maximum(cp.multiply(retail, trade), cp.multiply(feed_in, trade)))
    constraints.append(cp.abs(trade) <= _wide(buildings.connection_kw, slots))
    return PopulationStatement(trade, hours * cost, constraints)


def _to_owners(owner: Rows, count: int) -> sparse.csr_array:
    devices = np.arange(owner.size)
    return sparse.csr_array((np.ones(owner.size), (owner, devices)), shape=(count, owner.size))


def _wide(values: Floats, slots: int) -> Floats:
    return np.repeat(values[:, None], slots, axis=1)
