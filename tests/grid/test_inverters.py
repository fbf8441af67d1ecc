"""Reactive power as a decision of the operator: by hand, and against independent statements."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.inverters import Inverters
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_limits import FACETS
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_statement import state_operator_problem


def day(rng, slots, **changes):
    feeder = read_feeder("ieee33").with_line_limits({(6, 7): 900.0, (2, 19): 150.0})
    own = {
        "trading_buses": [5, 7, 12, 18, 20, 22, 25, 33],
        "reactive_kvar": np.tile(0.6 * feeder.load_kvar, (slots, 1)),
        "slot_hours": 0.5,
        "retail_price_per_kwh": rng.uniform(0.2, 0.4, slots),
        "feed_in_price_per_kwh": 0.08,
        "loss_price_per_kwh": 0.25,
        "demand_limit_kw": 700.0,
        "lowest_voltage_pu": 0.96,
        "inverters": Inverters(np.array([7, 18, 20, 33]), np.array([120.0, 200.0, 60.0, 150.0])),
    }
    problem = OperatorProblem(feeder, **(own | changes))
    linear = 0.5 * rng.normal(-0.25, 0.3, problem.shape)
    return problem, linear, 0.5 * rng.uniform(1e-4, 1e-3, problem.shape[1])


def minimised(problem, stated, linear, curvature):
    bends = np.tile(curvature, (problem.shape[0], 1))
    cost = stated.cost + cp.sum(cp.multiply(linear, stated.demand_kw))
    cost += 0.5 * cp.sum(cp.multiply(bends, cp.square(stated.demand_kw)))
    program = cp.Problem(cp.Minimize(cost), stated.constraints)
    program.solve(cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-11, tol_feas=1e-10)
    return program.value, stated.demand_kw.value


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9))
def test_answers_are_those_of_two_independent_statements(seed):
    problem, linear, curvature = day(np.random.default_rng(seed), 3)
    answer = problem.answer(linear, curvature)
    demand = answer.demand_kw
    value = problem.cost(demand) + np.sum(linear * demand) + 0.5 * np.sum(curvature * demand**2)
    for stated in (problem.statement(), state_operator_problem(problem)):
        least, expected = minimised(problem, stated, linear, curvature)
        assert value == pytest.approx(least, rel=1e-7, abs=1e-6)
        np.testing.assert_allclose(demand, expected, atol=0.02)
    assert problem.violation(demand)[0] < 1e-5
    assert problem.violation(demand)[1] < 1e-8
    # What serves the delivery best is what the joint answer chose.
    found = answer.multipliers.reference[:, problem.shape[1] :]
    np.testing.assert_allclose(problem.set_kvar(demand), found, atol=0.02)


def test_bounds_prove_the_best_response_and_hold_for_any_multipliers():
    rng = np.random.default_rng(5)
    problem, linear, _ = day(rng, 4)
    best = problem.best_response(linear)
    value = problem.cost(best.demand_kw) + np.sum(linear * best.demand_kw)
    assert value - problem.dual_bound(linear, best.multipliers) < 1e-6 * abs(value)
    shape = best.multipliers.rows.shape
    for _ in range(20):
        wild = type(best.multipliers)(
            reference=rng.normal(0.0, 100.0, best.multipliers.reference.shape),
            energy_price_per_kwh=rng.normal(0.0, 1.0, shape[0]),
            rows=rng.normal(0.0, 0.3, shape),
        )
        assert problem.dual_bound(linear, wild) <= value + 1e-9 * abs(value)


def test_prices_are_explained_with_inverters_too():
    problem, linear, curvature = day(np.random.default_rng(7), 4)
    answer = problem.answer(linear, curvature)
    price = -(linear + curvature * answer.demand_kw) / problem.slot_hours
    parts = problem.price_parts(answer.demand_kw, price)
    assert np.abs(parts.congestion).max() > 1e-3
    # At its own limit a bus has a multiplier besides, which no limit of the wires explains.
    free = np.abs(answer.demand_kw) < 699.0
    assert free.sum() > 20
    assert np.abs(parts.remainder[free]).max() < 1e-9


def test_compensation_by_hand():
    # One bus behind r = x, 30 kvar taken there, inverters for 50: losses r (P^2 + Q^2) are least
    # at Q = 0 whatever is delivered. With 20 kvar to give they can do no more than 20.
    feeder = read_feeder("ieee33")
    fixed = np.zeros((1, feeder.bus_count))
    fixed[0, feeder.bus_positions([2])] = 30.0
    terms = {
        "trading_buses": [2],
        "reactive_kvar": fixed,
        "slot_hours": 1.0,
        "retail_price_per_kwh": 0.3,
        "feed_in_price_per_kwh": 0.1,
        "loss_price_per_kwh": 0.3,
        "demand_limit_kw": 100.0,
    }
    for limit, expected in ((50.0, -30.0), (20.0, -20.0)):
        inverters = Inverters(np.array([2]), np.array([limit]))
        problem = OperatorProblem(feeder, **terms, inverters=inverters)
        assert problem.set_kvar([[40.0]])[0, 0] == pytest.approx(expected, abs=1e-5)
        left = fixed + 0.0
        left[0, feeder.bus_positions([2])] += expected
        losses = LinDistFlow(feeder).losses_kw(problem.bus_power_kw([[40.0]]), left)
        np.testing.assert_allclose(problem.losses_kw([[40.0]]), losses, rtol=1e-9)


def test_inverters_hold_a_voltage_that_active_power_alone_could_not():
    rng = np.random.default_rng(11)
    with_help, linear, curvature = day(rng, 2, lowest_voltage_pu=0.95)
    nothing = Inverters(np.zeros(0, dtype=int), np.zeros(0))
    alone, _, _ = day(rng, 2, lowest_voltage_pu=0.95, inverters=nothing)
    served = with_help.answer(-np.abs(linear), curvature).demand_kw
    assert with_help.violation(served)[1] < 1e-8
    assert alone.violation(served)[1] > 1e-3


def test_a_line_carries_what_the_polygon_holds():
    # A limit of 100 kVA, 60 kvar taken behind it: with 60 kvar of inverters all 100 kW pass, with
    # 20 kvar what the inscribed polygon has at Q = 40.
    feeder = read_feeder("ieee33").with_line_limits({(1, 2): 100.0})
    fixed = np.zeros((1, feeder.bus_count))
    fixed[0, feeder.bus_positions([2])] = 60.0
    for limit, expected in ((60.0, 100.0), (20.0, None)):
        problem = OperatorProblem(
            feeder,
            trading_buses=[2],
            reactive_kvar=fixed,
            slot_hours=1.0,
            retail_price_per_kwh=0.3,
            feed_in_price_per_kwh=0.1,
            loss_price_per_kwh=0.0,
            demand_limit_kw=500.0,
            inverters=Inverters(np.array([2]), np.array([limit])),
        )
        demand = problem.answer([[-9.0]], 1e-3).demand_kw[0, 0]
        if expected is None:
            angles = (2 * np.arange(FACETS) + 1) * np.pi / FACETS
            facing = np.cos(angles) > 1e-9
            reach = 100.0 * np.cos(np.pi / FACETS) - np.sin(angles[facing]) * 40.0
            expected = float((reach / np.cos(angles[facing])).min())
            assert 0.99 * np.sqrt(100.0**2 - 40.0**2) < expected < np.sqrt(100.0**2 - 40.0**2)
        assert demand == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("buses", "limit", "words"),
    [
        ([7, 7], [1.0, 1.0], "a bus with inverters is there twice"),
        ([7], [0.0], "limit_kvar at .* must be finite and at least 0.001"),
        ([6], [1.0], "bus 6 has inverters, and is no trading bus"),
    ],
)
def test_bad_inverters_are_named(buses, limit, words):
    inverters = Inverters(np.array(buses), np.array(limit))
    with pytest.raises(ValueError, match=words):
        day(np.random.default_rng(0), 1, inverters=inverters)
