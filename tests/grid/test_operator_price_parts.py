"""Parts of the operator's prices: by hand, against another formulation, and off equilibrium."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.line import Line
from nashgrid.grid.operator_problem import OperatorProblem


def three_buses(limit_kva=np.inf, **changes):
    """1 - 2 - 3 on 1000 kVA, r = .1 and .2; slots of half an hour."""
    feeder = make_feeder(
        name="three",
        source="made up",
        base_kv=10.0,
        base_mva=1.0,
        root_bus=1,
        buses=[1, 2, 3],
        load_kw=np.zeros(3),
        load_kvar=np.zeros(3),
        lines=[Line(1, 2, 0.1, 0.1), Line(2, 3, 0.2, 0.1, limit_kva)],
    )
    terms = {
        "trading_buses": [2, 3],
        "reactive_kvar": np.zeros((1, 3)),
        "slot_hours": 0.5,
        "retail_price_per_kwh": 0.3,
        "feed_in_price_per_kwh": 0.1,
        "loss_price_per_kwh": 0.3,
        "demand_limit_kw": 200.0,
    }
    return OperatorProblem(feeder, **(terms | changes))


def test_a_generator_inside_its_limits_pins_its_price_and_the_line_gets_the_rest():
    # Load 20 kW at bus 2; at bus 3 a load of 60 kW and a generator at .4 behind a line of 40 kVA,
    # which is full: 20 kW are generated. Losses: d/dd3 (.1 (d2 + d3)^2 + .2 d3^2) / 1000.
    problem = three_buses(limit_kva=40.0)
    loss2 = 0.3 * 2 * 0.1 * 60.0 / 1000
    loss3 = loss2 + 0.3 * 2 * 0.2 * 40.0 / 1000
    parts = problem.price_parts([[20.0, 40.0]], [[0.3 + loss2, 0.4]])
    np.testing.assert_allclose(parts.energy, [[0.3, 0.3]], atol=1e-9)
    np.testing.assert_allclose(parts.loss, [[loss2, loss3]], atol=1e-9)
    np.testing.assert_allclose(parts.congestion, [[0.0, 0.1 - loss3]], atol=1e-9)
    np.testing.assert_allclose(parts.voltage, 0.0, atol=1e-9)
    np.testing.assert_allclose(parts.remainder, 0.0, atol=1e-9)


def test_low_voltage_at_the_end_by_hand():
    # A buyer at bus 3 would pay .5; bus 2 moves v3^2 = 1 - 2 (.1 (d2 + d3) + .2 d3) / 1000 a third
    # as much as bus 3, so that its voltage part is a third of that of bus 3.
    at_limit = np.array([[10.0, 30.0]])
    drop = 2 * (0.1 * at_limit.sum() + 0.2 * at_limit[0, 1]) / 1000
    problem = three_buses(lowest_voltage_pu=np.sqrt(1.0 - drop), loss_price_per_kwh=0.0)
    parts = problem.price_parts(at_limit, [[0.3 + 0.2 / 3, 0.5]])
    np.testing.assert_allclose(parts.voltage, [[0.2 / 3, 0.2]], atol=1e-9)
    np.testing.assert_allclose(parts.energy, 0.3, atol=1e-9)
    np.testing.assert_allclose(parts.remainder, 0.0, atol=1e-9)


def test_the_exchange_limit_and_the_kink_are_part_of_the_energy():
    problem = three_buses(exchange_limit_kw=50.0, loss_price_per_kwh=0.0)
    parts = problem.price_parts([[20.0, 30.0]], [[0.45, 0.45]])
    np.testing.assert_allclose(parts.energy, 0.45, atol=1e-9)
    # Between feed-in and retail price nothing is exchanged upstream.
    parts = three_buses(loss_price_per_kwh=0.0).price_parts([[20.0, -20.0]], [[0.2, 0.2]])
    np.testing.assert_allclose(parts.energy, 0.2, atol=1e-9)


def busy_day(name, limits, scale, **changes):
    """An operator, and what it delivers to buyers with quadratic utilities."""
    feeder = read_feeder(name).with_line_limits(limits)
    rng = np.random.default_rng(11)
    slots = 4
    others = feeder.buses[feeder.buses != feeder.root_bus]
    problem = OperatorProblem(
        feeder,
        trading_buses=others,
        reactive_kvar=np.tile(0.5 * feeder.load_kvar, (slots, 1)),
        slot_hours=0.25,
        retail_price_per_kwh=rng.uniform(0.2, 0.4, slots),
        feed_in_price_per_kwh=0.08,
        loss_price_per_kwh=0.25,
        demand_limit_kw=5.0 * feeder.load_kw.max(),
        exchange_limit_kw=0.9 * feeder.load_kw.sum(),
        **changes,
    )
    load = feeder.load_kw[feeder.bus_positions(others)]
    hours = problem.slot_hours
    curvature = hours * 0.3 / np.maximum(load, load.mean())
    wish = np.array([1.3, 0.8, -1.5, 0.1])[:, None] * scale * load
    linear = -hours * 0.3 - curvature * (wish + rng.normal(0.0, load.mean(), wish.shape))
    return problem, linear, curvature


@pytest.mark.parametrize(
    ("name", "limits", "scale", "lowest_voltage_pu"),
    [
        ("ieee33", {(6, 7): 500.0, (2, 19): 100.0}, 1.5, 0.95),
        ("ieee123", {(67, 72): 500.0}, 2.0, 0.98),
    ],
)
def test_parts_agree_with_the_multipliers_of_the_branch_formulation(
    name, limits, scale, lowest_voltage_pu
):
    problem, linear, curvature = busy_day(name, limits, scale, lowest_voltage_pu=lowest_voltage_pu)
    demand = problem.answer(linear, curvature).demand_kw
    price = -(linear + curvature * demand) / problem.slot_hours
    parts = problem.price_parts(demand, price)
    np.testing.assert_allclose(parts.remainder, 0.0, atol=1e-7)
    np.testing.assert_allclose(parts.total, price, atol=1e-7)
    assert np.abs(parts.congestion).max() > 0.02
    assert np.abs(parts.voltage).max() > 0.02
    assert np.abs(parts.loss).max() > 0.002

    # The same clearing with flows and voltages as variables: its balances' multipliers.
    statement = problem.statement()
    utility = cp.sum(cp.multiply(linear, statement.demand_kw))
    utility += 0.5 * cp.sum(cp.square(statement.demand_kw) @ curvature)
    central = cp.Problem(cp.Minimize(statement.cost + utility), statement.constraints)
    central.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    # Clarabel leaves voltages 4e-9 pu over their limits on 123 buses, worth 1.6e-7 of cost, and
    # moves demands by up to .005 kW of 100 for it.
    value = problem.cost(demand) + np.sum(linear * demand) + 0.5 * np.sum(curvature * demand**2)
    assert central.value == pytest.approx(value, abs=1e-6)
    np.testing.assert_allclose(statement.demand_kw.value, demand, atol=0.01)
    # Its balance prices what delivery adds to the energy, for the energy is bought by the sum.
    delivery = -np.asarray(statement.constraints[0].dual_value) / problem.slot_hours
    np.testing.assert_allclose(delivery, price - parts.energy, atol=1e-4)
    towards, back = (np.asarray(row.dual_value) for row in statement.constraints[7:9])
    model = LinDistFlow(problem.feeder)
    limited = np.flatnonzero(np.isfinite(problem.feeder.limit_kva))
    at = problem.feeder.bus_positions(problem.trading_buses)
    lines = (towards - back) @ model.downstream[limited][:, at].toarray() / problem.slot_hours
    np.testing.assert_allclose(lines, parts.congestion, atol=1e-4)


def test_a_price_that_is_not_quite_converged_leaves_a_small_remainder():
    problem, linear, curvature = busy_day("ieee33", {(6, 7): 500.0}, 1.5)
    demand = problem.answer(linear, curvature).demand_kw
    price = -(linear + curvature * demand) / problem.slot_hours
    rng = np.random.default_rng(3)
    nearly = price + rng.uniform(-1e-5, 1e-5, price.shape)
    moved = demand * (1 + rng.uniform(-1e-5, 1e-5, demand.shape))
    assert np.abs(problem.price_parts(moved, nearly).remainder).max() < 1e-4


def test_bad_shapes_are_named():
    problem = three_buses()
    with pytest.raises(ValueError, match=r"price_per_kwh has shape \(2,\)"):
        problem.price_parts([[1.0, 2.0]], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"demand_kw at \(0, 1\) is nan"):
        problem.price_parts([[1.0, np.nan]], [[0.1, 0.2]])
