"""Weak duality: how far a point is from the optimum, proved by any multipliers."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from nashgrid.market.messages import Floats


@dataclass
class QuadraticProgram:
    """min 1/2 x'Px + q'x  subject to  Ax = b in the first rows, Ax <= b in the others.

    Every variable must be bounded by rows of its own (rows with one entry), which makes the
    dual bound finite for any multipliers.

    Parameters
    ----------
    quadratic : (n, n) symmetric positive semidefinite P
    matrix, right_side : (m, n) A and (m,) b
    equalities : number of leading rows that are equalities
    """

    quadratic: sparse.csc_array
    matrix: sparse.csc_array
    right_side: Floats
    equalities: int
    lower: Floats = field(init=False)
    upper: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.lower, self.upper = self._bounds()

    def _bounds(self) -> tuple[Floats, Floats]:
        rows = sparse.csr_array(self.matrix)
        single = np.flatnonzero(np.diff(rows.indptr) == 1)
        column = rows.indices[rows.indptr[single]]
        value = rows.data[rows.indptr[single]]
        bound = self.right_side[single] / value
        lower = np.full(self.matrix.shape[1], -np.inf)
        upper = np.full(self.matrix.shape[1], np.inf)
        equal = single < self.equalities
        np.minimum.at(upper, column[(value > 0) | equal], bound[(value > 0) | equal])
        np.maximum.at(lower, column[(value < 0) | equal], bound[(value < 0) | equal])
        return lower, upper

    def dual_bound(self, cost_vector: Floats, point: Floats, multipliers: Floats) -> float:
        """A lower bound on the optimum, valid for any point and any multipliers.

        With g = P x + q + A'y at the given x (y of inequalities clipped to y >= 0),

            min >= -1/2 x'Px - b'y + sum_j min(g_j lower_j, g_j upper_j),

        by convexity of the quadratic and weak duality. At the optimum it is tight.

        Raises
        ------
        ValueError
            If a variable without bounds has a gradient that is not zero.
        """
        y = multipliers.copy()
        y[self.equalities :] = np.maximum(y[self.equalities :], 0.0)
        curved = self.quadratic @ point
        gradient = curved + cost_vector + self.matrix.T @ y
        least = np.where(gradient > 0, self.lower, self.upper)
        used = gradient != 0
        if not np.isfinite(least[used]).all():
            column = int(np.flatnonzero(used & ~np.isfinite(least))[0])
            raise ValueError(f"variable {column} of the problem has no bound of its own")
        return float(-0.5 * point @ curved - self.right_side @ y + gradient[used] @ least[used])
