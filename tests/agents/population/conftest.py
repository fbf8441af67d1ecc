"""Random buildings for the tests of the population kernel, and the oracle of their answers."""

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.population import Population
from nashgrid.agents.population.buildings import BuildingArrays, Shiftables, Storages

Draw = Callable[..., BuildingArrays]


def draw(
    count: int,
    slots: int,
    seed: int,
    batteries: int = 1,
    loads: int = 1,
    vehicles: float = 0.0,
    flat: float = 0.0,
) -> BuildingArrays:
    """Feasible homes over one day: up to `batteries` storages and `loads` shiftable loads each.

    `vehicles` is the share of storages that are there for a stay only, `flat` the share of devices
    without quadratic cost.
    """
    rng = np.random.default_rng(seed)
    hours = 24 / slots
    time = np.arange(slots) * hours
    shape = np.maximum(0, np.sin((time - 6) / 12 * np.pi)) if slots > 1 else np.ones(1)
    load = rng.uniform(0.3, 1.5, (count, 1)) + rng.uniform(0, 0.5, (count, slots))
    rating = (rng.random(count) < 0.6) * rng.uniform(1, 8, count)
    available = rating[:, None] * shape * rng.uniform(0.4, 1, (count, slots))

    owner = np.repeat(np.arange(count), rng.integers(0, batteries + 1, count))
    power = rng.uniform(1, 5, owner.size)
    capacity = power * rng.uniform(1, 4, owner.size)
    start = capacity * rng.uniform(0.2, 0.6, owner.size)
    limit = np.repeat(power[:, None], slots, axis=1)
    back = limit.copy()
    low = np.repeat(0.1 * capacity[:, None], slots, axis=1)
    high = np.repeat(0.9 * capacity[:, None], slots, axis=1)
    end_low, end_high = start.copy(), start.copy()
    for k in np.flatnonzero(rng.random(owner.size) < vehicles):
        arrival, departure = sorted(rng.choice(slots + 1, 2, replace=False))
        limit[k, :arrival] = limit[k, departure:] = 0
        back[k] = limit[k] * rng.integers(0, 2)
        need = min(0.9 * capacity[k], start[k] + 0.4 * power[k] * (departure - arrival) * hours)
        low[k, departure - 1 :] = need
        end_low[k], end_high[k] = need, 0.9 * capacity[k]
    storages = Storages(
        owner, limit, back, low, high, start, end_low, end_high,
        rng.uniform(0.9, 1, owner.size), rng.uniform(0.9, 1, owner.size),
        rng.uniform(0.002, 0.03, owner.size),
        np.where(rng.random(owner.size) < flat, 0.0, 10 ** rng.uniform(-3.3, -2, owner.size)),
    )  # fmt: skip

    owner = np.repeat(np.arange(count), rng.integers(0, loads + 1, count))
    most = rng.uniform(0.5, 3, (owner.size, 1)) * np.ones(slots)
    for m in range(owner.size):
        first, last = sorted(rng.choice(slots + 1, 2, replace=False))
        most[m, :first] = most[m, last:] = 0
    shiftables = Shiftables(
        owner,
        most,
        most * rng.uniform(0, 0.6, most.shape),
        most.sum(axis=1) * hours * rng.uniform(0.05, 0.6, owner.size),
        np.where(rng.random(owner.size) < flat, 0.0, 10 ** rng.uniform(-3, -1, owner.size)),
    )
    powers = np.bincount(storages.owner, power, minlength=count)
    return BuildingArrays(
        slot_hours=hours,
        price_level=0.3,
        load_kw=load,
        available_kw=available,
        connection_kw=load.max(axis=1) + most.max(initial=0.0) * 2 + rng.uniform(0, 8, count),
        size_kw=np.maximum(load.max(axis=1), rating) + powers,
        storages=storages,
        shiftables=shiftables,
    )


@pytest.fixture(scope="session")
def draw_buildings() -> Draw:
    """The generator of random buildings."""
    return draw


CURVED = 1e-5  # currency/kW^2h from which a schedule counts as strictly convex


@dataclass
class Lone:
    """One building's optimum, and the schedules of its devices."""

    total: float
    cost: float
    trade: np.ndarray
    storages: list[list[np.ndarray]]
    loads: list[np.ndarray]


def solve_alone(
    arrays: BuildingArrays,
    row: int,
    price: np.ndarray,
    sale_price: np.ndarray,
    target: np.ndarray,
    rho: float,
) -> Lone:
    """State one building's problem in CVXPY, and solve it with Clarabel."""
    slots, hours, storages, loads = (
        arrays.slots,
        arrays.slot_hours,
        arrays.storages,
        arrays.shiftables,
    )
    trade, curtailed = cp.Variable(slots), cp.Variable(slots)
    constraints = [
        cp.abs(trade) <= arrays.connection_kw[row],
        curtailed >= 0,
        curtailed <= arrays.available_kw[row],
    ]
    use = arrays.load_kw[row] - arrays.available_kw[row] + curtailed
    cost = cp.Constant(0)
    of_storages, of_loads = [], []
    for k in np.flatnonzero(storages.owner == row):
        charge, discharge, energy = (cp.Variable(slots) for _ in range(3))
        before = np.array([storages.energy_start_kwh[k]])
        if slots > 1:
            before = cp.hstack([before, energy[:-1]])
        gained = storages.charge_efficiency[k] * charge
        given_back = discharge / storages.discharge_efficiency[k]
        constraints += [
            charge >= 0,
            charge <= storages.charge_kw[k],
            discharge >= 0,
            discharge <= storages.discharge_kw[k],
            energy >= storages.energy_min_kwh[k],
            energy <= storages.energy_max_kwh[k],
            energy[slots - 1] >= storages.energy_end_min_kwh[k],
            energy[slots - 1] <= storages.energy_end_max_kwh[k],
            energy == before + hours * (gained - given_back),
        ]
        use += charge - discharge
        cost += hours * storages.wear_per_kwh[k] * cp.sum(charge + discharge)
        squares = cp.sum_squares(charge) + cp.sum_squares(discharge)
        cost += hours * storages.wear_quadratic[k] * squares
        of_storages.append([charge, discharge, energy])
    for m in np.flatnonzero(loads.owner == row):
        power = cp.Variable(slots)
        constraints += [
            power >= 0,
            power <= loads.limit_kw[m],
            hours * cp.sum(power) == loads.energy_kwh[m],
        ]
        use += power
        cost += hours * loads.discomfort[m] * cp.sum_squares(power - loads.preferred_kw[m])
        of_loads.append(power)
    paid = cp.maximum(cp.multiply(price, trade), cp.multiply(sale_price, trade))
    payment = hours * (cp.sum(paid) if (sale_price < price).any() else price @ trade)
    payment += hours * rho / 2 / arrays.size_kw[row] * cp.sum_squares(trade - target)
    problem = cp.Problem(cp.Minimize(cost + payment), [*constraints, trade == use])
    tight = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 300}
    problem.solve(solver=cp.CLARABEL, **tight)
    return Lone(
        problem.value,
        cost.value,
        trade.value,
        [[variable.value for variable in own] for own in of_storages],
        [power.value for power in of_loads],
    )


def compare(
    arrays: BuildingArrays,
    price: np.ndarray,
    target: np.ndarray,
    rho: float,
    sale_price: np.ndarray | None = None,
) -> None:
    """Schedules within 1e-6 where strictly convex, cost and bound within 1e-8 relative."""
    population = Population(arrays, threads=1)
    trade = population.settle(price, target, rho, sale_price=sale_price)
    assert population.failed.size == 0
    schedules = population.schedules(np.arange(arrays.count))
    cost = population.cost()
    hours = arrays.slot_hours
    away = ((trade - target) ** 2).sum(axis=1)
    sold = price if sale_price is None else sale_price
    paid = np.maximum(trade * price, trade * sold).sum(axis=1)
    total = cost + hours * paid + hours * rho / 2 / arrays.size_kw * away
    bound = population.dual_bound(price, target, rho, sale_price)
    for row in range(arrays.count):
        lone = solve_alone(arrays, row, price, sold, target[row], rho)
        assert trade[row] == pytest.approx(lone.trade, abs=1e-6)
        assert total[row] == pytest.approx(lone.total, rel=1e-8, abs=1e-8)
        assert bound[row] == pytest.approx(lone.total, rel=1e-8, abs=1e-7)
        own = np.flatnonzero(arrays.storages.owner == row)
        if (arrays.storages.wear_quadratic[own] > CURVED).all():
            assert cost[row] == pytest.approx(lone.cost, rel=1e-6, abs=1e-6)
        for k, (charge, discharge, energy) in zip(own, lone.storages, strict=True):
            if arrays.storages.wear_quadratic[k] > CURVED:
                assert schedules.charge_kw[k] == pytest.approx(charge, abs=1e-6)
                assert schedules.discharge_kw[k] == pytest.approx(discharge, abs=1e-6)
                assert schedules.energy_kwh[k] == pytest.approx(energy, abs=2e-6)
        for m, power in zip(
            np.flatnonzero(arrays.shiftables.owner == row), lone.loads, strict=True
        ):
            if arrays.shiftables.discomfort[m] > CURVED:
                assert schedules.shiftable_kw[m] == pytest.approx(power, abs=1e-6)


@pytest.fixture(scope="session")
def compare_alone() -> Callable[..., None]:
    """Compares settled answers with each building's own, found by CVXPY and Clarabel."""
    return compare
