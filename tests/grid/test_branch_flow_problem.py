"""The operator on branch flow: against AC, against LinDistFlow, and by hand on two buses."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.grid.branch_flow_price_parts import flow_point
from nashgrid.grid.branch_flow_problem import CHECKED, EXACT, REPAIRED, BranchFlowProblem
from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.operator_problem import OperatorProblem


def two_buses(**changes):
    feeder = make_feeder(
        name="pair",
        source="made up",
        base_kv=10.0,
        base_mva=1.0,
        root_bus=1,
        buses=[1, 2],
        load_kw=[0.0, 0.0],
        load_kvar=[0.0, 0.0],
        lines=[Line(1, 2, 0.1, 0.0)],
    )
    terms = {
        "trading_buses": [2],
        "reactive_kvar": np.zeros((2, 2)),
        "slot_hours": 0.5,
        "retail_price_per_kwh": 0.3,
        "feed_in_price_per_kwh": 0.1,
        "loss_price_per_kwh": 0.3,
        "demand_limit_kw": 500.0,
    }
    return BranchFlowProblem(**({"feeder": feeder} | terms | changes))


def test_two_buses_by_hand():
    # With v1 = 1 and P sent, P - r P^2 = d in pu: losses are exact, and so is their marginal cost.
    problem = two_buses()
    curvature = 1e-3
    linear = np.array([[-0.3], [0.0]])
    answer = problem.answer(linear, curvature)
    assert answer.notes == (EXACT, EXACT)
    demand = answer.demand_kw[:, 0] / 1000
    sent = (1 - np.sqrt(1 - 0.4 * demand)) / 0.2
    np.testing.assert_allclose(problem.losses_kw(answer.demand_kw), 100 * sent**2, rtol=1e-6)
    # dt (price + loss price x d loss / d demand) + f + k d = 0, d loss / d demand = 2 r P P'.
    marginal = 0.2 * sent / (1 - 0.2 * sent)
    price = np.array([0.3, 0.1])
    slope = 0.5 * (price + 0.3 * marginal) + linear[:, 0] + curvature * 1000 * demand
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)
    assert demand[0] > 0 > demand[1]
    # What the relaxation costs at least is what the delivery costs.
    quadratic = np.sum(linear * answer.demand_kw) + 0.5 * curvature * np.sum(answer.demand_kw**2)
    assert answer.bound == pytest.approx(problem.cost(answer.demand_kw) + quadratic, abs=1e-6)


def test_a_price_upstream_that_slopes():
    # The condition of optimality by hand, with price + slope x power sent upstream of the losses.
    problem = two_buses(
        loss_price_per_kwh=0.0, feed_in_price_per_kwh=0.3, price_slope_per_kw2h=1e-3
    )
    answer = problem.answer([[-0.3], [0.0]], 1e-3)
    slope = 0.5 * (0.3 + 1e-3 * answer.demand_kw) + [[-0.3], [0.0]] + 1e-3 * answer.demand_kw
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


def day_on_33_buses(kind, **changes):
    feeder = read_feeder("ieee33").with_line_limits({(6, 7): 500.0, (2, 19): 100.0})
    slots = 3
    rng = np.random.default_rng(9)
    terms = {
        "trading_buses": feeder.buses[1:],
        "reactive_kvar": np.tile(0.3 * feeder.load_kvar, (slots, 1)),
        "slot_hours": 1.0,
        "retail_price_per_kwh": [0.2, 0.3, 0.4],
        "feed_in_price_per_kwh": 0.08,
        "loss_price_per_kwh": 0.3,
        "demand_limit_kw": 600.0,
    }
    problem = kind(feeder, **(terms | changes))
    load = feeder.load_kw[1:]
    curvature = 0.3 / np.maximum(load, load.mean())
    wish = np.array([1.5, 0.5, -2.0])[:, None] * load + rng.normal(0.0, 30.0, (slots, 32))
    return problem, -0.25 - curvature * wish, curvature


def test_a_day_on_33_buses_holds_in_ac_and_is_near_lindistflow():
    problem, linear, curvature = day_on_33_buses(BranchFlowProblem)
    answer = problem.answer(linear, curvature)
    assert set(answer.notes) <= {EXACT, REPAIRED}
    over_kw, over_pu = problem.violation(answer.demand_kw)
    assert over_kw < 1e-3
    assert over_pu < 1e-7
    other, _, _ = day_on_33_buses(OperatorProblem)
    near = other.answer(linear, curvature).demand_kw
    # LinDistFlow's own answer breaks the lowest voltage in AC.
    assert 1e-4 < problem.violation(near)[1] < 5e-3
    assert np.abs(near - answer.demand_kw).max() < 40.0

    def value(demand):
        return problem.cost(demand) + np.sum(linear * demand) + 0.5 * np.sum(demand**2 @ curvature)

    # The bound is below by the solver's tolerance, at most 1e-6 of each slot.
    best = value(answer.demand_kw)
    assert best - 2e-6 * abs(best) < answer.bound < best
    # No small feasible step away from the answer pays: towards LinDistFlow's and towards nothing.
    for target in (near, np.zeros_like(near)):
        moved = answer.demand_kw + 0.02 * (target - answer.demand_kw)
        kw, pu = problem.violation(moved)
        assert value(moved) > value(answer.demand_kw) - 1e-6 or kw > 1e-3 or pu > 1e-7


@pytest.mark.parametrize(("loss_price", "note"), [(0.01, REPAIRED), (0.0, CHECKED)])
def test_reverse_flow_at_the_highest_voltage_is_repaired_and_said(loss_price, note):
    problem, linear, curvature = day_on_33_buses(
        BranchFlowProblem, highest_voltage_pu=1.01, loss_price_per_kwh=loss_price
    )
    answer = problem.answer(linear, curvature)
    assert answer.notes[2] == note
    # The voltage without losses is at the limit, so that in AC there is room: the price of repair.
    assert problem.violation(answer.demand_kw)[1] < 1e-7
    highest = problem.ac(answer.demand_kw).voltage_pu[2].max()
    assert 1.005 < highest < 1.01
    value = np.sum(linear * answer.demand_kw) + 0.5 * np.sum(answer.demand_kw**2 @ curvature)
    assert answer.bound < problem.cost(answer.demand_kw) + value


def test_the_least_cost_bounds_what_a_delivery_can_cost_at_a_price():
    # At the price that its answer supports, the delivery is a best response: what it could gain
    # at most is nothing, in either model by its own proof.
    for kind in (BranchFlowProblem, OperatorProblem):
        problem, linear, curvature = day_on_33_buses(kind)
        demand = problem.answer(linear, curvature).demand_kw
        supported = linear + curvature * demand
        paid = problem.cost(demand) + np.sum(supported * demand)
        assert 0.0 <= paid - problem.least_cost(supported) + 1e-6 < 1e-4 * abs(paid)
        # At another price it is not.
        moved = supported + 0.05
        paid = problem.cost(demand) + np.sum(moved * demand)
        assert paid - problem.least_cost(moved) > 1.0


def test_what_cannot_be_delivered_is_named():
    feeder = read_feeder("ieee33")
    problem = BranchFlowProblem(
        feeder,
        trading_buses=[18],
        reactive_kvar=[feeder.load_kvar],
        slot_hours=1.0,
        retail_price_per_kwh=0.3,
        feed_in_price_per_kwh=0.1,
        loss_price_per_kwh=0.3,
        demand_limit_kw=10.0,
        lowest_voltage_pu=0.99,
    )
    with pytest.raises(ValueError, match=r"keeps every limit: slot 0, bus 33: the lowest voltage"):
        problem.answer(np.zeros((1, 1)), 1e-3)
    found = problem.infeasibility([[0.0]], [[0.0]])
    assert found[0].limit == "lowest voltage"
    with pytest.raises(ValueError, match=r"curvature at \(0,\) is -1"):
        problem.answer(np.zeros((1, 1)), -1.0)


# d = 200 kW taken behind r = 0.1 at v1 = 1: P - r P^2 = 0.2, V2 = 1 - r P, in closed form.
TAKEN = (1 - np.sqrt(1 - 0.08)) / 0.2


@pytest.mark.parametrize(
    ("demand_kw", "changes", "limit", "element", "amount"),
    [
        # LinDistFlow has sqrt(1 - 0.04) = 0.979796 and keeps the first of these.
        (200.0, {"lowest_voltage_pu": 0.9797}, "lowest voltage", "2", 0.9797 - 1 + 0.1 * TAKEN),
        (200.0, {"lowest_voltage_pu": 0.99}, "lowest voltage", "2", 0.99 - 1 + 0.1 * TAKEN),
        (200.0, {"exchange_limit_kw": 201.0}, "exchange", "1", 1000 * TAKEN - 201.0),
    ],
)
def test_limits_that_losses_leave_no_room_for_are_named_and_measured(
    demand_kw, changes, limit, element, amount
):
    problem = two_buses(**changes)
    ranges = [[0.0], [demand_kw]]
    (found,) = problem.infeasibility(ranges, ranges)
    assert (found.slot, found.limit, found.element) == (1, limit, element)
    assert found.amount == pytest.approx(amount, rel=1e-4)
    # It is the smallest: giving way as told is enough, and by less is not.
    (name, bound), sign = *changes.items(), 1 if limit == "exchange" else -1
    for share, enough in ((1.001, True), (0.99, False)):
        given = two_buses(**{name: bound + sign * share * found.amount})
        assert (given.infeasibility(ranges, ranges) == ()) is enough


def test_a_line_that_losses_overload_is_named_and_measured():
    feeder = two_buses().feeder.with_line_limits({(1, 2): 202.0})
    problem = two_buses(feeder=feeder)
    (found,) = problem.infeasibility([[0.0], [200.0]], [[0.0], [200.0]])
    assert (found.slot, found.limit, found.element) == (1, "line", "1-2")
    assert found.amount == pytest.approx(1000 * TAKEN - 202.0, rel=1e-4)


def pressed(**changes):
    """A day on 33 buses, what is delivered at prices that press on its limits, and the prices."""
    problem, _, _ = day_on_33_buses(BranchFlowProblem, **changes)
    rng = np.random.default_rng(3)
    wanted = rng.uniform(0.05, 0.6, problem.shape)
    if "highest_voltage_pu" in changes:
        wanted = rng.uniform(-0.3, 0.1, problem.shape)
    demand = problem.answer(-wanted, 1e-3).demand_kw
    return problem, demand, wanted - 1e-3 * demand


@pytest.mark.parametrize(
    ("changes", "binding", "note"),
    [
        ({}, "congestion", EXACT),
        ({"lowest_voltage_pu": 0.97}, "voltage", EXACT),
        ({"exchange_limit_kw": 800.0}, "energy", EXACT),
        ({"highest_voltage_pu": 1.01}, "voltage", REPAIRED),
    ],
)
def test_parts_from_sensitivities_in_ac_sum_to_the_price(changes, binding, note):
    problem, demand, price = pressed(**changes)
    parts = problem.price_parts(demand, price)
    free = np.abs(demand) < problem.demand_limit_kw - 1.0
    assert free.any()
    assert parts.notes == (note,) * 3
    np.testing.assert_allclose(parts.remainder[free], 0.0, atol=2e-6)
    np.testing.assert_allclose(parts.total + parts.remainder, price, atol=1e-12)
    assert np.abs(getattr(parts, binding)).max() > 0.01


def test_the_loss_part_is_what_one_more_kw_loses_in_ac():
    problem, demand, price = pressed()
    parts, more = problem.price_parts(demand, price), demand.copy()
    more[:, 11] += 0.01
    lost = (problem.losses_kw(more) - problem.losses_kw(demand)) / 0.01
    np.testing.assert_allclose(parts.loss[:, 11], 0.3 * lost, rtol=2e-3)


def test_the_statement_is_the_relaxation_that_answers():
    problem, _, _ = day_on_33_buses(BranchFlowProblem)
    linear = np.random.default_rng(5).uniform(-0.5, -0.1, problem.shape)
    stated = problem.statement()
    asked = cp.sum(cp.multiply(linear, stated.demand_kw))
    whole = cp.Problem(cp.Minimize(stated.cost + asked), stated.constraints)
    whole.solve(solver=cp.CLARABEL, ignore_dpp=True)
    assert whole.value == pytest.approx(problem.least_cost(linear), abs=1e-4)
    best = problem.best_response(linear).demand_kw
    np.testing.assert_allclose(stated.demand_kw.value, best, atol=1e-2)


def test_flows_from_voltages_and_powers_alone():
    problem, demand, _ = pressed()
    ac = problem.ac(demand)
    power = problem.bus_power_kw(demand)
    feeder = problem.feeder
    for slot in range(3):
        point = flow_point(feeder, power[slot], problem.reactive_kvar[slot], ac.voltage_pu[slot])
        lost = feeder.base_kva * feeder.resistance_pu @ point.current
        assert lost == pytest.approx(ac.losses_kw[slot], rel=1e-6)
        outwards = point.flow_p > 0
        kva = feeder.base_kva * np.hypot(point.flow_p, point.flow_q)
        np.testing.assert_allclose(kva[outwards], ac.line_kva[slot][outwards], rtol=1e-5)
