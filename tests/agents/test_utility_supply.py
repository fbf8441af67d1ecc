"""The utility's closed form against CVXPY."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.utility_supply import UtilitySupply


def supply(seed: int, slots: int = 5, guards_only: bool = False) -> UtilitySupply:
    rng = np.random.default_rng(seed)
    feed_in = rng.normal(0.05, 0.1, slots)
    retail = feed_in + rng.uniform(0.0, 0.3, slots)
    if guards_only:
        feed_in = retail = np.zeros(slots)
    return UtilitySupply(Tariff(retail, feed_in), 6.0, 0.5)


def stated(problem: UtilitySupply, demand: cp.Variable) -> cp.Expression:
    bill = cp.maximum(
        cp.multiply(problem.tariff.retail_price_per_kwh, demand),
        cp.multiply(problem.tariff.feed_in_price_per_kwh, demand),
    )
    return problem.slot_hours * cp.sum(bill)


@pytest.mark.parametrize("guards_only", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_answer_and_least_cost(seed: int, guards_only: bool) -> None:
    problem = supply(seed, guards_only=guards_only)
    linear = np.random.default_rng(seed + 100).normal(-0.06, 0.12, (5, 1))
    curvature = np.array([0.02])
    demand = cp.Variable(5)
    cost = stated(problem, demand) + linear[:, 0] @ demand
    limits = [cp.abs(demand) <= 6.0]
    tight = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12}
    least = cp.Problem(cp.Minimize(cost), limits).solve(solver=cp.CLARABEL, **tight)
    assert problem.least_cost(linear) == pytest.approx(least, abs=1e-8)
    whole = cp.Minimize(cost + curvature[0] / 2 * cp.sum_squares(demand))
    cp.Problem(whole, limits).solve(solver=cp.CLARABEL, **tight)
    answer = problem.answer(linear, curvature).demand_kw
    assert answer.shape == (5, 1)
    np.testing.assert_allclose(answer[:, 0], demand.value, atol=1e-5)
    assert problem.cost(answer) == pytest.approx(float(stated(problem, demand).value), abs=1e-6)


def test_by_hand() -> None:
    tariff = Tariff(np.full(4, 0.3), np.full(4, 0.1))
    problem = UtilitySupply(tariff, 2.0, 1.0)
    # Paid .4, .2, .05 and .9 per kWh with curvature .1: (.4 - .3) / .1 sold, nothing between
    # the prices, (.1 - .05) / .1 bought, and the limit.
    linear = -np.array([[0.4], [0.2], [0.05], [0.9]])
    answer = problem.answer(linear, np.array([0.1])).demand_kw
    np.testing.assert_allclose(answer[:, 0], [1.0, 0.0, -0.5, 2.0])
    assert problem.cost(answer) == pytest.approx(0.3 - 0.05 + 0.6)
    # Without curvature: 2 kW at a margin of .1, nothing, 2 kW at .05, 2 kW at .6.
    assert problem.least_cost(linear) == pytest.approx(-(0.2 + 0.1 + 1.2))


def test_violation_and_infeasibility() -> None:
    problem = supply(1, slots=3)
    assert problem.violation(np.array([[6.0], [-6.0], [0.0]])) == (0.0, 0.0)
    assert problem.violation(np.array([[6.5], [-7.25], [0.0]])) == (1.25, 0.0)
    lowest, highest = np.array([[7.0], [-9.0], [1.0]]), np.array([[8.0], [-8.0], [9.0]])
    # At least 7 have to flow in, at least 8 out; in slot 2 the range reaches the limit.
    assert problem.infeasibility(lowest, highest) == [
        "slot 1: the exchange limit of 6 kW must give way by 2 kW",
        "slot 0: the exchange limit of 6 kW must give way by 1 kW",
    ]
    assert problem.infeasibility(np.full((3, 1), -9.0), np.full((3, 1), 9.0)) == []
