"""Newton's method on complementarity conditions: from nearly right to rounding."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.games.game_data import Floats

_PATIENCE = 8  # steps without halving the failure: the active set may still be settling
_SINGULAR = 1e-11


@dataclass(frozen=True)
class Complementarity:
    """The data of the conditions, with g = J x + q + A'lambda::

    x = clip(x - g, l, u)            (n equations)
    min(lambda, b - A x) = 0         (m equations)
    """

    jacobian: Floats
    constant: Floats
    lower: Floats
    upper: Floats
    matrix: Floats
    limit: Floats

    def gradient(self, x: Floats, multipliers: Floats) -> Floats:
        """Return g at (x, lambda)."""
        return np.asarray(self.jacobian @ x + self.constant + self.matrix.T @ multipliers)

    def residual(self, x: Floats, multipliers: Floats) -> Floats:
        """Return by how much each of the n + m equations fails."""
        g = self.gradient(x, multipliers)
        slack = self.limit - self.matrix @ x
        return np.concatenate(
            [x - np.clip(x - g, self.lower, self.upper), np.minimum(multipliers, slack)]
        )

    def size(self, x: Floats, multipliers: Floats) -> float:
        """Return the magnitude of the terms, against which rounding is to be judged."""
        terms = [
            np.ones(1),
            np.abs(x),
            np.abs(self.jacobian) @ np.abs(x) + np.abs(self.constant),
            np.abs(self.matrix).T @ multipliers,
            np.abs(self.matrix) @ np.abs(x) + np.abs(self.limit),
        ]
        return max(float(np.max(term, initial=0.0)) for term in terms)


def polish(
    problem: Complementarity, x: Floats, multipliers: Floats
) -> tuple[Floats, Floats, float]:
    """Improve (x, lambda) by semismooth Newton steps; return the best point met.

    The equations are piecewise linear: on the pieces that hold the solution one step ends at
    it. Steps are least-squares steps of least norm, so that solutions need not be unique.

    Parameters
    ----------
    problem : Complementarity
    x : (n,) array
    multipliers : (m,) array

    Returns
    -------
    x : (n,) array
    multipliers : (m,) array
    residual : float
        The largest absolute failure of an equation at this point.

    References
    ----------
    Qi and Sun 1993, A nonsmooth version of Newton's method, Mathematical Programming 58.
    """
    entries = x.size
    failure = problem.residual(x, multipliers)
    best = (x, multipliers, float(np.abs(failure).max()))
    since = 0
    while since < _PATIENCE and best[2] > 0.0:
        derivative = _generalised_jacobian(problem, x, multipliers)
        step = np.linalg.lstsq(derivative, -failure, rcond=_SINGULAR)[0]
        x = np.clip(x + step[:entries], problem.lower, problem.upper)
        multipliers = np.maximum(multipliers + step[entries:], 0.0)
        failure = problem.residual(x, multipliers)
        worst = float(np.abs(failure).max())
        since = 0 if worst < 0.5 * best[2] else since + 1
        if worst < best[2]:
            best = (x, multipliers, worst)
    return best


def _generalised_jacobian(problem: Complementarity, x: Floats, multipliers: Floats) -> Floats:
    """Return one element of the generalised Jacobian of the residual at (x, lambda)."""
    entries, limits = x.size, multipliers.size
    target = x - problem.gradient(x, multipliers)
    inside = (problem.lower < target) & (target < problem.upper)
    binding = multipliers > problem.limit - problem.matrix @ x
    derivative = np.eye(entries + limits)
    derivative[:entries, :entries][inside] = problem.jacobian[inside]
    derivative[:entries, entries:][inside] = problem.matrix.T[inside]
    derivative[entries:][binding] = 0.0
    derivative[entries:, :entries][binding] = -problem.matrix[binding]
    return derivative
