"""The joint answer is each building's own: against CVXPY and Clarabel, one building at a time."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.population import BuildingArrays, Population, Storages

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
    arrays: BuildingArrays, row: int, price: np.ndarray, target: np.ndarray, rho: float
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
    payment = hours * (price @ trade)
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


def compare(arrays: BuildingArrays, price: np.ndarray, target: np.ndarray, rho: float) -> None:
    """Schedules within 1e-6 where strictly convex, cost within 1e-8 relative."""
    population = Population(arrays, threads=1)
    trade = population.settle(price, target, rho)
    assert population.failed.size == 0
    schedules = population.schedules(np.arange(arrays.count))
    cost = population.cost()
    hours = arrays.slot_hours
    away = ((trade - target) ** 2).sum(axis=1)
    total = cost + hours * (trade @ price) + hours * rho / 2 / arrays.size_kw * away
    for row in range(arrays.count):
        lone = solve_alone(arrays, row, price, target[row], rho)
        assert trade[row] == pytest.approx(lone.trade, abs=1e-6)
        assert total[row] == pytest.approx(lone.total, rel=1e-8, abs=1e-8)
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


@settings(deadline=None, derandomize=True, max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    slots=st.sampled_from([1, 4, 24]),
    batteries=st.integers(0, 3),
    loads=st.integers(0, 2),
    flat=st.sampled_from([0.0, 0.0, 0.5]),
    level=st.sampled_from([0.25, 0.0, -0.1]),
    rho=st.sampled_from([0.05, 0.15, 0.5]),
)
def test_joint_answer_is_each_buildings_own(
    draw_buildings, seed, slots, batteries, loads, flat, level, rho
):
    arrays = draw_buildings(4, slots, seed, batteries, loads, vehicles=0.3, flat=flat)
    rng = np.random.default_rng(seed)
    price = level + 0.15 * np.sin(np.arange(slots) * 24 / slots / 24 * 4 * np.pi)
    compare(arrays, price, rng.normal(size=(arrays.count, slots)), rho)


def test_quarter_hours(draw_buildings):
    arrays = draw_buildings(3, 96, 5, batteries=2, loads=1, vehicles=0.3)
    price = 0.25 + 0.1 * np.sin(np.arange(96) / 96 * 4 * np.pi)
    compare(arrays, price, np.zeros((3, 96)), 0.15)


def test_export_limit_makes_it_curtail(draw_buildings):
    arrays = draw_buildings(6, 24, 7, batteries=1, loads=0)
    narrow = BuildingArrays(
        arrays.slot_hours,
        arrays.price_level,
        arrays.load_kw,
        arrays.available_kw * 3,
        arrays.load_kw.max(axis=1) + 0.1,
        arrays.size_kw,
        arrays.storages,
        arrays.shiftables,
    )
    population = Population(narrow, threads=1)
    population.settle(np.full(24, 0.2), np.zeros((6, 24)), 0.1)
    schedules = population.schedules(np.arange(6))
    assert schedules.curtailment_kw.max() > 1.0
    compare(narrow, np.full(24, 0.2), np.zeros((6, 24)), 0.1)


def test_vehicle_arrives_with_its_energy(draw_buildings):
    """Energy that comes and goes with the vehicle equals a stay with other bounds."""
    arrays = draw_buildings(2, 24, 3, batteries=0, loads=0)
    made = []
    for start, inflow in ((4.0, None), (0.0, np.eye(24)[8:9] * 4.0)):
        limit = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 3.0, 0.0)[None]
        low = np.where(np.arange(24) >= 17, 9.0, 0.0)[None]
        one = np.ones(1)
        storages = Storages(
            np.array([1]), limit, limit, low, 12 * one, start * one, 9 * one, 12 * one,
            0.95 * one, 0.95 * one, 0.01 * one, 0.002 * one, inflow,
        )  # fmt: skip
        made.append(
            BuildingArrays(
                1.0,
                0.3,
                arrays.load_kw,
                arrays.available_kw,
                arrays.connection_kw + 4,
                arrays.size_kw,
                storages,
            )
        )
    price = 0.2 + 0.1 * np.sin(np.arange(24))
    trades = []
    for variant in made:
        population = Population(variant, threads=1)
        trades.append(population.settle(price, np.zeros((2, 24)), 0.1).copy())
        energy = population.schedules([1]).energy_kwh[0]
        assert energy[8:] == pytest.approx(np.clip(energy[8:], 0, 12), abs=1e-7)
        assert energy[17] >= 9 - 1e-7
    assert trades[0] == pytest.approx(trades[1], abs=1e-8)
    compare(made[0], price, np.zeros((2, 24)), 0.1)
