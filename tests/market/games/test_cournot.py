"""Cournot games: the textbook's oligopoly, and slopes that differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.games import CournotGame


@pytest.mark.parametrize("firms", [1, 2, 3, 10])
def test_linear_oligopoly(firms: int) -> None:
    """p = A - B Q, n equal firms of unit cost c: q = (A - c) / (B (n + 1)); Cournot 1838."""
    intercept, slope, cost = 10.0, 0.5, 4.0
    # Firms sell: x = -q, they pay (A + B X) x + c q.
    none = np.zeros((firms, 1))
    game = CournotGame(none, none - cost, [intercept], none + slope, -100, 0)
    found = game.equilibrium()
    np.testing.assert_allclose(-found.x, (intercept - cost) / (slope * (firms + 1)), rtol=1e-9)
    # Welfare of trade is the share 1 - 1 / (n + 1)^2 of the best, at which the price is c.
    sold = -found.x.sum()
    welfare = (intercept - cost) * sold - slope * sold**2 / 2
    best = (intercept - cost) ** 2 / (2 * slope)
    assert welfare / best == pytest.approx(1 - 1 / (firms + 1) ** 2)


def test_a_game_that_is_not_monotone_has_its_equilibrium() -> None:
    """Factors 1 and 20: (1 + 20)^2 > 16 x 20, so the symmetric part is indefinite."""
    game = CournotGame([[0.0], [0.0]], [[-3.0], [-30.0]], [0.0], [[1.0], [20.0]], -10, 10)
    with pytest.raises(ValueError, match="not monotone"):
        game.game.variational_equilibrium()
    found = game.equilibrium()
    # By hand: 2 x1 + x2 = 3 and x1 + 2 x2 = 1.5.
    np.testing.assert_allclose(found.x, [1.5, 0.0], atol=1e-12)
    assert np.abs(found.certificate.epsilon).max() <= 1e-9


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 10**9), st.integers(2, 5), st.integers(1, 3))
def test_nobody_gains_by_a_best_response(seed: int, players: int, slots: int) -> None:
    rng = np.random.default_rng(seed)
    shape = players, slots
    slope = np.outer(10.0 ** rng.uniform(-2, 2, players), rng.uniform(0.5, 2, slots))
    game = CournotGame(
        rng.uniform(0, 1, shape) * (rng.random() < 0.5),
        rng.normal(0, 1, shape),
        rng.uniform(0, 1, slots),
        slope,
        -rng.uniform(0, 3, shape),
        rng.uniform(0, 3, shape),
    )
    certificate = game.equilibrium().certificate
    assert certificate.relative_epsilon.max() <= 1e-9
    assert certificate.constraint_violation <= 1e-12
    assert certificate.natural_map <= 1e-9


def test_refusals() -> None:
    none = np.zeros((2, 2))
    with pytest.raises(ValueError, match="player 0 in slot 0 is 1, where the others make it"):
        CournotGame(none, none, [1.0, 1.0], [[1.0, 1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="positive and finite, got -1"):
        CournotGame(none, none, [1.0, 1.0], [[1.0, 1.0], [-1.0, -1.0]])
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(1, 2\)"):
        CournotGame(none, none, [1.0, 1.0], [1.0, 1.0])
