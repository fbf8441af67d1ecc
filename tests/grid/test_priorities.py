"""What an operator minimises beside money: by hand, against CVXPY, and proved by its bound."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.grid.branch_flow_problem import CHECKED, EXACT, BranchFlowProblem
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_sparse_solver import SparseSlotSolver
from nashgrid.grid.operator_statement import state_operator_problem
from nashgrid.grid.power_quality.voltage_deviation import voltage_deviation
from nashgrid.grid.priorities import Priorities, deviation_pu2

WEIGHTS = [
    Priorities(loss_per_kwh=3.0),
    Priorities(deviation_per_pu2h=3e4),
    Priorities(loss_per_kwh=1.0, deviation_per_pu2h=1e4),
]


def day(kind=OperatorProblem, priorities=None, **changes):
    feeder = read_feeder("ieee33").with_line_limits({(6, 7): 500.0})
    terms = {
        "trading_buses": feeder.buses[1:],
        "reactive_kvar": np.tile(0.3 * feeder.load_kvar, (3, 1)),
        "slot_hours": 0.5,
        "retail_price_per_kwh": [0.2, 0.3, 0.4],
        "feed_in_price_per_kwh": 0.08,
        "loss_price_per_kwh": 0.3,
        "demand_limit_kw": 900.0,
        "priorities": priorities or Priorities(),
    }
    return kind(feeder, **(terms | changes))


def question(problem):
    """Linear and quadratic terms of buyers who want the published load, and in one slot sell."""
    load = problem.feeder.load_kw[1:]
    curvature = 0.3 / np.maximum(load, load.mean())
    wish = np.array([1.2, 0.5, -1.5])[:, None] * load
    return -0.25 - curvature * wish, curvature


@pytest.mark.parametrize("priorities", WEIGHTS)
def test_answers_are_those_of_both_statements(priorities):
    problem = day(priorities=priorities)
    linear, curvature = question(problem)
    answer = problem.answer(linear, curvature).demand_kw
    for stated in (state_operator_problem(problem), problem.statement()):
        asked = cp.sum(cp.multiply(linear, stated.demand_kw))
        asked += 0.5 * cp.sum(cp.multiply(curvature[None, :], cp.square(stated.demand_kw)))
        whole = cp.Problem(cp.Minimize(stated.cost + asked), stated.constraints)
        whole.solve(solver=cp.CLARABEL)
        np.testing.assert_allclose(answer, stated.demand_kw.value, atol=2e-3)
        own = np.sum(linear * answer) + 0.5 * np.sum(curvature * answer**2)
        assert problem.objective(answer) + own == pytest.approx(whole.value, abs=1e-5)


@pytest.mark.parametrize("priorities", WEIGHTS)
def test_the_sparse_form_answers_the_same(priorities, monkeypatch):
    problem, other = (day(priorities=priorities) for _ in range(2))
    linear, curvature = question(problem)
    monkeypatch.setattr(other, "_solver", lambda bends: SparseSlotSolver(other, bends))
    np.testing.assert_allclose(
        other.answer(linear, curvature).demand_kw,
        problem.answer(linear, curvature).demand_kw,
        atol=1e-3,
    )


@pytest.mark.parametrize("priorities", WEIGHTS)
def test_the_bound_is_below_every_delivery_and_meets_the_best(priorities):
    problem = day(priorities=priorities)
    linear, _ = question(problem)
    best = problem.best_response(linear)
    bound = problem.dual_bound(linear, best.multipliers)
    reached = problem.objective(best.demand_kw) + np.sum(linear * best.demand_kw)
    assert bound == pytest.approx(reached, abs=1e-5)
    rng = np.random.default_rng(1)
    for scale in (0.0, 0.3, 0.9):
        other = best.demand_kw * scale + rng.normal(0.0, 1.0, problem.shape) * (scale > 0)
        if max(problem.violation(other)) <= 1e-9:
            assert problem.objective(other) + np.sum(linear * other) >= bound
    # Any multipliers give a bound, if a loose one.
    nothing = type(best.multipliers)(**{k: 0.0 * v for k, v in vars(best.multipliers).items()})
    assert problem.dual_bound(linear, nothing) <= bound


def test_more_weight_means_fewer_losses_and_smaller_deviations():
    def found(priorities):
        problem = day(priorities=priorities)
        answer = problem.answer(*question(problem)).demand_kw
        return problem.losses_kw(answer).sum(), deviation_pu2(problem.voltage_squared(answer)).sum()

    losses = [found(Priorities(loss_per_kwh=w))[0] for w in (0.0, 1.0, 10.0)]
    assert losses[0] > losses[1] > losses[2]
    deviations = [found(Priorities(deviation_per_pu2h=w))[1] for w in (0.0, 1e4, 1e5)]
    assert deviations[0] > deviations[1] > deviations[2]


def test_without_priorities_the_objective_is_the_cost():
    problem = day()
    answer = problem.answer(*question(problem)).demand_kw
    assert problem.objective(answer) == problem.cost(answer)
    np.testing.assert_array_equal(problem.quadratic.deviation_gradient(answer), 0.0)


def test_the_measure_is_the_squared_deviation_of_the_voltages():
    voltage = np.array([[1.0, 0.97, 1.02], [0.95, 0.99, 1.0]])
    found = deviation_pu2(voltage**2)
    # ((V + 1) / 2)^2 of it: 5 % less at .95 pu.
    np.testing.assert_allclose(found, ((voltage - 1.0) ** 2).sum(axis=1), rtol=0.05)
    assert voltage_deviation(voltage).index[0] == pytest.approx(0.05 / 3)


@pytest.mark.parametrize("kind", [OperatorProblem, BranchFlowProblem])
@pytest.mark.parametrize("priorities", WEIGHTS)
def test_parts_of_the_price_hold_what_the_priorities_add(kind, priorities):
    problem = day(kind, priorities)
    linear, curvature = question(problem)
    demand = problem.answer(linear, curvature).demand_kw
    price = -(linear + curvature * demand) / problem.slot_hours
    parts = problem.price_parts(demand, price)
    # Under reverse flow losing power lowers the voltage: where that counts, cones may open.
    closed = np.array([note != CHECKED for note in parts.notes])
    assert closed[:2].all()
    np.testing.assert_allclose(parts.remainder[closed], 0.0, atol=1e-5)
    plain = day(kind).price_parts(demand, price)
    assert np.abs(plain.remainder).max() > 1e-3


def test_branch_flow_counts_what_ac_says():
    priorities = WEIGHTS[2]
    problem = day(BranchFlowProblem, priorities)
    linear, curvature = question(problem)
    answer = problem.answer(linear, curvature)
    assert set(answer.notes[:2]) == {EXACT}
    ac = problem.ac(answer.demand_kw)
    count = ac.losses_kw + 1e4 * (0.25 * (ac.voltage_pu**2 - 1.0) ** 2).sum(axis=1)
    beyond = problem.objective(answer.demand_kw) - problem.cost(answer.demand_kw)
    assert beyond == pytest.approx(0.5 * count.sum(), rel=1e-9)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"deviation_per_pu2h = -1\.0 must be at least 0"):
        Priorities(deviation_per_pu2h=-1.0)
