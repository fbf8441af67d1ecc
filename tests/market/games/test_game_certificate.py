"""The certificate tells equilibria from other points, and variational ones from the rest."""

import numpy as np
import pytest

from nashgrid.market.games import QuadraticGame

# Facchinei and Kanzow 2010, example A.11: the equilibria are (a, 1 - a), 1/2 <= a <= 1, with
# multipliers 2 - 2a and 2a - 1; only a = 3/4 is variational.
SHARING = QuadraticGame(
    [[[2, 0], [0, 0]], [[0, 0], [0, 2]]], [[-2, 0], [0, -1]], [0, 1], -10, 10, [[1, 1]], [1]
)


@pytest.mark.parametrize("first", [0.5, 0.6, 0.75, 0.9, 1.0])
def test_equilibria_that_are_not_variational_show_their_spread(first: float) -> None:
    proof = SHARING.certify([first, 1 - first])
    np.testing.assert_allclose(proof.epsilon, [0.0, 0.0], atol=1e-15)
    assert proof.multiplier_spread == pytest.approx(abs(3 - 4 * first), abs=1e-8)
    # x - F = (2 - a, a): its nearest point on x0 + x1 = 1 is (3/2 - a, a - 1/2).
    assert proof.natural_map == pytest.approx(np.sqrt(2) * abs(1.5 - 2 * first), abs=1e-12)


def test_epsilon_is_what_a_player_could_save() -> None:
    proof = SHARING.certify([0.0, 0.0])
    # Best responses 1 and 1/2 from 0 save 1 and 1/4.
    np.testing.assert_allclose(proof.epsilon, [1.0, 0.25], rtol=1e-12)
    np.testing.assert_allclose(proof.relative_epsilon, [1.0, 0.25], rtol=1e-12)
    assert proof.nash_conv == pytest.approx(1.25, rel=1e-12)
    assert proof.constraint_violation == 0.0


def test_violations_are_measured_not_hidden() -> None:
    proof = SHARING.certify([1.0, 0.5])
    assert proof.constraint_violation == pytest.approx(0.5)
    # Only by breaking the limit do the players do better than within it.
    assert proof.epsilon.max() < 0


def test_multipliers_that_are_not_unique_do_not_raise_a_false_alarm() -> None:
    # Bound and shared limit hold player 0 together, so its multiplier may be anything in [0, 2];
    # that of player 1 is 1. One price, 1, explains both.
    game = QuadraticGame(
        [[[2, 0], [0, 0]], [[0, 0], [0, 2]]],
        [[-4, 0], [0, -3]],
        [0, 1],
        -10,
        [1, 10],
        [[1, 1]],
        [2],
    )
    proof = game.certify([1.0, 1.0])
    assert proof.natural_map <= 1e-12
    assert proof.multiplier_spread <= 1e-12
