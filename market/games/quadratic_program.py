"""One small convex quadratic program, solved by an active-set method to rounding."""

import daqp
import numpy as np

from nashgrid.market.games.game_data import Floats

_INFINITE = 1e30  # what the solver takes for no bound
_FLAT = 1e-10  # curvature, relative to the largest, that counts as none
_PROXIMAL = 1e-3
_OPTIMAL, _INFEASIBLE, _UNBOUNDED = 1, -1, -3


class InfeasibleProgramError(ValueError):
    """The constraints of a quadratic program admit no point."""


def minimise_quadratic(
    hessian: Floats,
    gradient: Floats,
    lower: Floats,
    upper: Floats,
    matrix: Floats,
    limit: Floats,
    rounding: float = 0.0,
) -> Floats:
    """Minimise 1/2 z'Hz + g'z over lower <= z <= upper, matrix z <= limit.

    Parameters
    ----------
    hessian : (k, k) array
        H, symmetric positive semidefinite.
    gradient : (k,) array
    lower, upper : (k,) arrays
        May be infinite.
    matrix : (m, k) array
        Without zero rows.
    limit : (m,) array
    rounding : float
        A slope along directions without curvature counts as none up to this.

    Returns
    -------
    (k,) array

    Raises
    ------
    ValueError
        If H is not positive semidefinite, or the cost falls without bound.
    InfeasibleProgramError
        If no point satisfies the constraints.

    References
    ----------
    Arnstroem, Bemporad, Axehill 2022, A dual active-set solver for embedded quadratic
    programming using recursive LDL' updates, IEEE Transactions on Automatic Control 67(8).
    """
    eigenvalues, directions = np.linalg.eigh(hessian)
    largest = float(np.abs(eigenvalues).max())
    if eigenvalues[0] < -_FLAT * largest:
        raise ValueError(
            f"the cost is not convex in its own entries: eigenvalues {eigenvalues.tolist()}"
        )
    flat = directions[:, eigenvalues <= _FLAT * largest]
    slope = flat.T @ gradient
    if np.all(np.abs(slope) <= rounding):
        # Otherwise rounding would send an unbounded, indifferent player to infinity.
        gradient = gradient - flat @ slope
    scale = max(largest, float(np.abs(gradient).max())) or 1.0
    answer, _, flag, _ = daqp.solve(
        np.ascontiguousarray(hessian / scale),
        np.ascontiguousarray(gradient / scale),
        np.ascontiguousarray(matrix),
        np.clip(np.concatenate([upper, limit]), -_INFINITE, _INFINITE),
        np.clip(np.concatenate([lower, np.full(limit.size, -np.inf)]), -_INFINITE, _INFINITE),
        np.zeros(lower.size + limit.size, dtype=np.int32),
        primal_tol=1e-12,
        dual_tol=1e-12,
        eta_prox=1e-12,
        # A flat direction needs proximal steps.
        eps_prox=_PROXIMAL if flat.size else 0.0,
    )
    if flag == _INFEASIBLE:
        raise InfeasibleProgramError("no point satisfies the bounds and the limits")
    if flag == _UNBOUNDED:
        raise ValueError("the cost falls without bound")
    if flag != _OPTIMAL:
        raise ValueError(f"the quadratic program was not solved: solver flag {flag}")
    return np.asarray(np.clip(answer, lower, upper))
