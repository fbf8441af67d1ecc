"""One player's answer: own bounds, what the others leave, flat and unbounded costs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from nashgrid.market.games import QuadraticGame

SHARING = QuadraticGame(
    [[[2, 0], [0, 0]], [[0, 0], [0, 2]]],
    [[-2, 0], [0, -1]],
    [0, 1],
    [0, 0],
    [0.9, 9],
    [[1, 1]],
    [1],
)


def test_own_bounds_and_shared_limits_both_count() -> None:
    np.testing.assert_allclose(SHARING.best_response(0, [7.0, 0.0]), [0.9], atol=1e-12)
    np.testing.assert_allclose(SHARING.best_response(0, [7.0, 0.4]), [0.6], atol=1e-12)
    np.testing.assert_allclose(SHARING.best_response(1, [0.3, 7.0]), [0.5], atol=1e-12)


def test_a_player_left_without_room_is_named() -> None:
    with pytest.raises(ValueError, match="player 0: no point satisfies its bounds and what"):
        SHARING.best_response(0, [0.5, 1.5])


def test_limits_that_a_player_has_no_part_in_do_not_bind_it() -> None:
    game = QuadraticGame([np.eye(2), np.eye(2)], [[-1, 0], [0, -1]], [0, 1], -5, 5, [[0, 1]], [0])
    np.testing.assert_allclose(game.best_response(0, [0.0, 3.0]), [1.0], atol=1e-12)


def test_linear_costs_go_to_the_corner_or_without_bound() -> None:
    costs, wish = [np.zeros((2, 2))], [[-1.0, 2.0]]
    game = QuadraticGame(costs, wish, [0, 0], -3, 4, [[1, 1]], [0])
    np.testing.assert_allclose(game.best_response(0, [0.0, 0.0]), [3.0, -3.0], atol=1e-9)
    endless = QuadraticGame(costs, wish, [0, 0], 0, np.inf)
    with pytest.raises(ValueError, match="player 0: the cost falls without bound"):
        endless.best_response(0, [0.0, 0.0])


def test_an_indifferent_player_stays_finite() -> None:
    # At x1 = 0.1 the slope of player 0 is 0 up to rounding, and nothing bounds it.
    game = QuadraticGame(
        [[[0, 3], [3, 0]], np.diag([0.0, 1.0])], [[-0.3, 0], [0, -0.1]], [0, 1], -np.inf, np.inf
    )
    assert abs(game.best_response(0, [0.0, 0.1])[0]) <= 1.0


def test_a_cost_that_is_not_convex_for_its_owner_is_refused() -> None:
    game = QuadraticGame([-np.eye(1)], [[0.0]], [0], -1, 1)
    with pytest.raises(ValueError, match=r"player 0: the cost is not convex.*\[-1.0\]"):
        game.best_response(0, [0.0])


@pytest.mark.parametrize(
    ("player", "x", "message"),
    [
        (2, [0, 0], r"player must be in 0..1, got 2"),
        (-1, [0, 0], r"player must be in 0..1, got -1"),
        (0, [0, 0, 0], "x must hold 2 finite entries"),
        (0, [0, np.inf], "x must hold 2 finite entries"),
    ],
)
def test_bad_input_is_named(player: int, x: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SHARING.best_response(player, x)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_no_general_purpose_solver_finds_a_better_answer(seed: int) -> None:
    generator = np.random.default_rng(seed)
    root = generator.normal(size=(4, 4))
    matrix = root @ root.T
    vector = generator.normal(size=4)
    row, limit = generator.normal(size=4), abs(generator.normal())
    game = QuadraticGame(
        [matrix, np.eye(4)], [vector, np.zeros(4)], [0, 0, 1, 0], -1, 1, [row], [limit]
    )
    x = np.array([0.0, 0.0, 0.3, 0.0])
    room = limit - row[2] * 0.3

    def cost(own: np.ndarray) -> float:
        point = np.insert(own, 2, 0.3)
        return float(0.5 * point @ matrix @ point + vector @ point)

    coefficients = np.delete(row, 2)
    if room < -np.abs(coefficients).sum():
        return
    oracle = minimize(
        cost,
        np.zeros(3),
        bounds=[(-1, 1)] * 3,
        constraints={"type": "ineq", "fun": lambda own: room - coefficients @ own},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    answer = game.best_response(0, x)
    assert coefficients @ answer <= room + 1e-10
    assert cost(answer) <= oracle.fun + 1e-10
    assert cost(answer) >= oracle.fun - 1e-6
