"""A manager's own problem against CVXPY, and its bound against a linear program."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.passing_on import PassingOn, Wish
from nashgrid.market.level_fees import LevelFees

SEEDS = range(6)
FEES = [LevelFees(), LevelFees(0.01, 0.02, 0.05), LevelFees(0.0, 0.03, 0.03)]


@pytest.mark.parametrize("fees", FEES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_is_the_least_cost(fees: LevelFees, seed: int) -> None:
    draw = np.random.default_rng(seed)
    slots, places = 5, 1 + seed % 3
    wish = Wish(
        linear=draw.normal(0, 0.1, (slots, places)),
        curvature=draw.uniform(0.001, 0.1, places),
        linear_between=draw.normal(0, 0.05, slots),
        curvature_between=0.02,
    )
    problem = PassingOn(fees, np.full(places, 100.0), 0.5)
    taken, between = cp.Variable((slots, places)), cp.Variable(slots)
    rest = cp.sum(taken, axis=1) - between
    cost = (
        cp.sum(cp.multiply(wish.linear, taken))
        + 0.5 * cp.sum(cp.square(taken) @ wish.curvature)
        + wish.linear_between @ between
        + 0.5 * wish.curvature_between * cp.sum_squares(between)
        + (fees.between - fees.inside) * cp.norm1(between)
        + (fees.rest - fees.inside) * cp.norm1(rest)
    )
    statement = cp.Problem(cp.Minimize(cost))
    statement.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    answer, bought = problem.answer(wish)
    np.testing.assert_allclose(answer, taken.value, atol=1e-5)
    np.testing.assert_allclose(bought, between.value, atol=1e-5)
    taken.value, between.value = answer, bought
    assert float(cost.value) <= statement.value + 1e-10
    levels = problem.between_fee * np.abs(bought)
    levels += problem.rest_fee * np.abs(answer.sum(axis=1) - bought)
    assert problem.cost(answer, bought) == pytest.approx(0.5 * levels.sum(), abs=1e-12)


@pytest.mark.parametrize("fees", FEES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_is_the_optimum_of_the_linear_program(fees: LevelFees, seed: int) -> None:
    draw = np.random.default_rng(100 + seed)
    slots, places = 4, 1 + seed % 3
    margin, premium = draw.normal(0, 0.05, (slots, places)), draw.normal(0, 0.04, slots)
    limit = draw.uniform(1, 20, places)
    problem = PassingOn(fees, limit, 0.25)
    taken, between = cp.Variable((slots, places)), cp.Variable(slots)
    rest = cp.sum(taken, axis=1) - between
    cost = (
        cp.sum(cp.multiply(margin, taken))
        + premium @ between
        + problem.between_fee * cp.norm1(between)
        + problem.rest_fee * cp.norm1(rest)
    )
    within = [cp.abs(taken[:, k]) <= limit[k] for k in range(places)]
    within += [cp.abs(between) <= limit.sum()]
    least = 0.25 * cp.Problem(cp.Minimize(cost), within).solve(solver=cp.CLARABEL)
    assert problem.least_cost(margin, premium) == pytest.approx(least, abs=1e-7)


def test_at_its_own_prices_a_manager_has_nothing_to_gain() -> None:
    # Prices at most a fee apart: whatever it passes on, it can do no better than nothing.
    problem = PassingOn(LevelFees(0.01, 0.02, 0.05), np.array([10.0]), 1.0)
    margin = np.array([[0.04], [-0.04], [0.0]])
    assert problem.least_cost(margin, np.array([-0.03, 0.03, 0.01])) == pytest.approx(
        0.0, abs=1e-12
    )
    assert problem.least_cost(margin, np.array([-0.06, 0.03, 0.01])) == pytest.approx(-0.1)
