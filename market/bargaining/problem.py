"""A bargaining problem: concave utilities over a convex set, and what each has without a deal."""

from collections.abc import Sequence
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class BargainingProblem:
    """Players choose a point of a convex set together, or stay at the disagreement point.

    Parameters
    ----------
    utilities : sequence of N scalar CVXPY expressions
        Concave, in the same variables as the constraints.
    constraints : sequence of CVXPY constraints
        What the players may agree upon.
    disagreement : (N,) array
        The utilities d without an agreement.

    Raises
    ------
    ValueError
        If a utility is not a concave scalar, a constraint is not convex, a variable is discrete,
        or disagreement does not give each player one finite number.

    References
    ----------
    Nash 1950, The bargaining problem, Econometrica 18(2).

    Examples
    --------
    Divide one unit when player 0 values its part x linearly, player 1 the rest by its root:

    >>> x = cp.Variable()
    >>> problem = BargainingProblem([x, cp.sqrt(1 - x)], [x >= 0], [0, 0])
    """

    utilities: Sequence[cp.Expression]
    constraints: Sequence[cp.Constraint]
    disagreement: ArrayLike

    def __post_init__(self) -> None:
        disagreement = np.array(self.disagreement, dtype=np.float64)
        players = len(self.utilities)
        if disagreement.shape != (players,) or players == 0:
            raise ValueError(
                f"disagreement must hold one utility for each of {players} players (one at "
                f"least), got shape {disagreement.shape}"
            )
        if not np.all(np.isfinite(disagreement)):
            raise ValueError(f"disagreement must be finite, got {disagreement.tolist()}")
        utilities = [cp.Expression.cast_to_const(u) for u in self.utilities]
        for player, utility in enumerate(utilities):
            if utility.size != 1 or not utility.is_concave():
                raise ValueError(
                    f"the utility of player {player} must be a concave scalar, got {utility} "
                    f"of shape {utility.shape}"
                )
        for number, constraint in enumerate(self.constraints):
            if not constraint.is_dcp():
                raise ValueError(f"constraint {number} is not convex: {constraint}")
        for part in (*utilities, *self.constraints):
            for variable in part.variables():
                if variable.attributes["integer"] or variable.attributes["boolean"]:
                    raise ValueError(f"variable {variable} is discrete: the set is not convex")
        # One entry in a vector is a scalar too.
        scalars = tuple(utility if utility.ndim == 0 else cp.sum(utility) for utility in utilities)
        object.__setattr__(self, "utilities", scalars)
        object.__setattr__(self, "constraints", tuple(self.constraints))
        object.__setattr__(self, "disagreement", disagreement)

    @classmethod
    def from_vertices(cls, points: ArrayLike, disagreement: ArrayLike) -> "BargainingProblem":
        """Return the problem whose utilities are the convex hull of points, and all below it.

        Parameters
        ----------
        points : (K, N) array
            Utilities of N players at K agreements.
        disagreement : (N,) array

        Raises
        ------
        ValueError
            If points is not a finite table with one column per player.
        """
        vertices = np.array(points, dtype=np.float64)
        if vertices.ndim != 2 or vertices.size == 0:
            raise ValueError(f"points must be a table (K, N), got shape {vertices.shape}")
        if not np.all(np.isfinite(vertices)):
            raise ValueError(f"points must be finite, got {vertices.tolist()}")
        shares = cp.Variable(len(vertices), nonneg=True)
        utilities = cp.Variable(vertices.shape[1])
        return cls(
            [utilities[player] for player in range(vertices.shape[1])],
            [cp.sum(shares) == 1, utilities <= vertices.T @ shares],
            disagreement,
        )

    @property
    def players(self) -> int:
        """Number of players N."""
        return len(self.utilities)

    @property
    def linear(self) -> bool:
        """Whether utilities and constraints are piecewise linear."""
        program = cp.Problem(cp.Minimize(0), list(self.constraints))
        return program.is_qp() and all(utility.is_pwl() for utility in self.utilities)

    @property
    def floor(self) -> Floats:
        """The disagreement point as an array."""
        return np.asarray(self.disagreement, dtype=np.float64)

    @property
    def gains(self) -> list[cp.Expression]:
        """What each player has above its disagreement utility."""
        return [u - d for u, d in zip(self.utilities, self.floor, strict=True)]
