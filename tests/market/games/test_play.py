"""Played best responses: which converge, cycle, diverge, and how that depends on the rule."""

import numpy as np
import pytest

from nashgrid.market.games import QuadraticGame

COUNT, SLOPE = 13, 0.02
BOUND = SLOPE * (COUNT - 3) / 2


def cournot(bound: float = np.inf) -> QuadraticGame:
    """Players who trade x at the price -1 + b (total): the linear Cournot form."""
    matrices = np.zeros((COUNT, COUNT, COUNT))
    for player in range(COUNT):
        matrices[player, player, :] += SLOPE
        matrices[player, :, player] += SLOPE
    return QuadraticGame(matrices, -np.eye(COUNT), range(COUNT), -bound, bound)


# Best responses 1 - y and x: a pursuit with no rest but the middle.
PURSUIT = QuadraticGame([[[1, 1], [1, 0]], [[0, -1], [-1, 1]]], [[-1, 0], [0, 0]], [0, 1], -10, 10)
SHARING = QuadraticGame(
    [[[2, 0], [0, 0]], [[0, 0], [0, 2]]], [[-2, 0], [0, -1]], [0, 1], 0, 10, [[1, 1]], [1]
)


@pytest.mark.parametrize(
    ("factor", "outcome", "period"),
    [(0.9, "diverged", 0), (1.0, "cycle", 2), (1.1, "converged", 0)],
)
def test_jacobi_needs_a_proximal_weight_above_its_bound(
    factor: float, outcome: str, period: int
) -> None:
    # The common mode is multiplied by (tau - b(N-1))/(2b + tau) per round: -1 at tau = b(N-3)/2.
    trace = cournot().play("jacobi", proximal=factor * BOUND)
    assert (trace.outcome, trace.period) == (outcome, period)
    growth = trace.distances[2] / trace.distances[1]
    tau = factor * BOUND
    assert growth == pytest.approx((SLOPE * (COUNT - 1) - tau) / (2 * SLOPE + tau), rel=1e-12)
    if outcome == "converged":
        np.testing.assert_allclose(trace.x, 1 / (SLOPE * (COUNT + 1)), rtol=1e-8)
        assert trace.certificate is not None
        assert trace.certificate.epsilon.max() <= 1e-9
    else:
        assert trace.certificate is None


def test_bounds_turn_divergence_into_a_cycle() -> None:
    trace = cournot(bound=30.0).play("jacobi", proximal=0.9 * BOUND)
    assert (trace.outcome, trace.period) == ("cycle", 2)


def test_relaxation_tames_jacobi() -> None:
    # With step h the common mode is multiplied by 1 - h(N+1)/2: stable below 4/(N+1).
    bound = 4 / (COUNT + 1)
    assert cournot().play("jacobi", relaxation=0.9 * bound).outcome == "converged"
    assert cournot().play("jacobi", relaxation=1.1 * bound).outcome == "diverged"


def test_one_after_the_other_converges_where_all_at_once_does_not() -> None:
    game = cournot()
    assert game.play("jacobi").outcome == "diverged"
    trace = game.play("gauss-seidel")
    assert trace.outcome == "converged"
    np.testing.assert_allclose(trace.x, 1 / (SLOPE * (COUNT + 1)), rtol=1e-7)


def test_moving_everybody_at_once_is_jacobi() -> None:
    one = cournot().play("gauss-seidel", movers=COUNT, proximal=1.1 * BOUND)
    other = cournot().play("jacobi", proximal=1.1 * BOUND)
    np.testing.assert_array_equal(one.path, other.path)


def test_groups_that_move_at_once_answer_the_groups_before() -> None:
    trace = cournot().play("gauss-seidel", movers=3, rounds=1)
    # Nobody there: the first three take 1/(2b) each; then 1/(2b) less half of what was taken.
    first = 1 / (2 * SLOPE)
    np.testing.assert_allclose(trace.x[:3], first)
    np.testing.assert_allclose(trace.x[3:6], first - 3 * first / 2)


def test_random_orders_replay_from_their_seed() -> None:
    game = cournot()
    first, again = game.play("random", seed=4), game.play("random", seed=4)
    other = game.play("random", seed=5)
    assert first.outcome == other.outcome == "converged"
    np.testing.assert_array_equal(first.path, again.path)
    assert first.path[1].tolist() != other.path[1].tolist()
    np.testing.assert_allclose(first.x, other.x, atol=1e-7)


def test_a_cycle_of_period_four_is_named() -> None:
    # Jacobi turns (x, y) by a right angle around (1/2, 1/2).
    trace = PURSUIT.play("jacobi", start=[0.0, 0.0])
    assert (trace.outcome, trace.period) == ("cycle", 4)
    np.testing.assert_allclose(trace.path[:5], [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], atol=1e-12)
    damped = PURSUIT.play("jacobi", start=[0.0, 0.0], relaxation=0.5)
    assert damped.outcome == "converged"
    np.testing.assert_allclose(damped.x, [0.5, 0.5], atol=1e-8)


def test_the_first_mover_takes_what_is_shared() -> None:
    trace = SHARING.play("gauss-seidel")
    np.testing.assert_allclose(trace.x, [1.0, 0.0], atol=1e-12)
    # An equilibrium, for nobody can do better, but not the variational one.
    assert trace.certificate is not None
    assert trace.certificate.epsilon.max() <= 1e-12
    assert trace.certificate.multiplier_spread == pytest.approx(1.0, abs=1e-8)


def test_answers_given_at_once_overrun_a_shared_limit_and_draw_back() -> None:
    trace = SHARING.play("jacobi", start=[0.0, 0.0])
    assert (trace.outcome, trace.period) == ("cycle", 2)
    np.testing.assert_allclose(trace.path[:4], [[0, 0], [1, 0.5], [0.5, 0], [1, 0.5]], atol=1e-12)


def test_a_player_left_no_room_ends_the_play() -> None:
    game = QuadraticGame([np.eye(3)] * 3, -3 * np.eye(3), [0, 1, 2], 0, 9, [[1, 1, 1]], [2])
    trace = game.play("jacobi")
    # All three take the 2 that are there; four taken by two leave the third less than nothing.
    assert (trace.outcome, trace.rounds) == ("infeasible", 1)
    np.testing.assert_allclose(trace.x, [2.0, 2.0, 2.0], atol=1e-12)
    assert trace.certificate is None


def test_rounds_run_out_honestly() -> None:
    trace = cournot().play("gauss-seidel", rounds=3)
    assert (trace.outcome, trace.rounds, trace.path.shape) == ("unfinished", 3, (4, COUNT))
    assert trace.certificate is None


def test_the_default_start_is_feasible() -> None:
    game = QuadraticGame([np.eye(2)], [[0, 0]], [0, 0], -9, 9, [[-1, -1]], [-4])
    np.testing.assert_allclose(game.play().path[0], [2.0, 2.0], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "seidel"}, "method must be gauss-seidel, jacobi or random, got 'seidel'"),
        ({"movers": 0}, r"movers must be in 1..2, got 0"),
        ({"method": "jacobi", "movers": 2}, "jacobi moves everybody at once"),
        ({"relaxation": 0.0}, r"relaxation must lie in \(0, 2\], got 0"),
        ({"proximal": -1.0}, "proximal must be a finite weight >= 0, got -1"),
        ({"rounds": 0}, "rounds must be >= 1, got 0"),
        ({"tolerance": 0.0}, "tolerance must be positive, got 0"),
        ({"start": [0.0]}, "x must hold 2 finite entries"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PURSUIT.play(**arguments)  # type: ignore[arg-type]
