"""The Shapley value: each player's mean marginal contribution over all orders of arrival."""

from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.stats import t as student

from nashgrid.market.bargaining.coalitional_game import MOST_PLAYERS, CoalitionalGame
from nashgrid.market.bargaining.problem import Floats


@dataclass(frozen=True)
class ShapleyEstimate:
    """A Shapley value estimated from random orders.

    Parameters
    ----------
    values : (N,) array
        They sum to the worth of all players together, whatever the orders drawn.
    lower, upper : (N,) arrays
        Confidence interval of each value by itself, from Student's distribution.
    permutations : int
        Orders drawn.
    confidence : float
        Of the interval.
    """

    values: Floats
    lower: Floats
    upper: Floats
    permutations: int
    confidence: float


def shapley(game: CoalitionalGame, *, permutations: int = 1000, seed: int = 0) -> Floats:
    """Return the Shapley value.

    ::

        phi_i = sum over S without i of |S|! (N - |S| - 1)! / N! (v(S + i) - v(S))

    Exact for up to 15 players; above, the values of `sample_shapley`, which also gives their
    confidence interval.

    Parameters
    ----------
    game : CoalitionalGame
    permutations, seed : int
        Of the sample; without effect for up to 15 players.

    Returns
    -------
    (N,) array

    Raises
    ------
    ValueError
        If a coalition's worth is not finite, or fewer than two orders are to be drawn.

    References
    ----------
    Shapley 1953, A value for n-person games, Contributions to the Theory of Games II.
    """
    count = game.players
    if count > MOST_PLAYERS:
        return sample_shapley(game, permutations=permutations, seed=seed).values
    members, worths = game.table()
    sizes = members.sum(axis=1)
    by_size = [factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)]
    values = np.empty(count)
    for player in range(count):
        without = np.flatnonzero(~members[:, player])
        marginal = worths[without + (1 << player)] - worths[without]
        values[player] = np.array(by_size)[sizes[without]] @ marginal
    return values


def sample_shapley(
    game: CoalitionalGame,
    *,
    permutations: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> ShapleyEstimate:
    """Estimate the Shapley value from random orders of arrival.

    Parameters
    ----------
    game : CoalitionalGame
    permutations : int
        Orders to draw, at least 2; each asks for N coalitions.
    seed : int
    confidence : float
        Of the interval, in (0, 1).

    Returns
    -------
    ShapleyEstimate

    Raises
    ------
    ValueError
        If a parameter is out of range or a coalition's worth is not finite.

    References
    ----------
    Castro, Gomez, Tejada 2009, Polynomial calculation of the Shapley value based on sampling,
    Computers & Operations Research 36(5).
    """
    if permutations < 2:
        raise ValueError(f"permutations must be >= 2, got {permutations}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), got {confidence:g}")
    generator = np.random.default_rng(seed)
    marginals = np.empty((permutations, game.players))
    for draw in range(permutations):
        present: frozenset[int] = frozenset()
        before = 0.0
        for player in generator.permutation(game.players).tolist():
            present = present | {player}
            after = game.worth(present)
            marginals[draw, player] = after - before
            before = after
    values = marginals.mean(axis=0)
    error = marginals.std(axis=0, ddof=1) / np.sqrt(permutations)
    half = float(student.ppf(0.5 + 0.5 * confidence, permutations - 1)) * error
    return ShapleyEstimate(values, values - half, values + half, permutations, confidence)
