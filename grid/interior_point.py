"""One box-and-rows quadratic program by Clarabel: where the active-set solver gives up."""

import clarabel
import numpy as np
from scipy import sparse

from nashgrid.grid.feeder import FloatArray

_TOLERANCE = 1e-10
# Clarabel says the latter two where rounding keeps it from the last digits; callers bound the gap.
SOLVED = (
    clarabel.SolverStatus.Solved,
    clarabel.SolverStatus.AlmostSolved,
    clarabel.SolverStatus.InsufficientProgress,
)


def solve_by_interior_point(
    hessian: FloatArray, linear: FloatArray, rows: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Minimise d'Hd / 2 + f'd subject to lower <= (d, rows d) <= upper.

    Active-set methods may cycle where many nearly parallel rows meet (the voltages of
    neighbouring buses do). Infinite bounds are left out.

    Returns
    -------
    (d, multipliers of (d, rows d)), positive where the upper side binds; None if there is no d

    Raises
    ------
    RuntimeError
        If Clarabel finds neither.
    """
    every = np.vstack([np.eye(len(linear)), rows])
    above, below = np.flatnonzero(np.isfinite(upper)), np.flatnonzero(np.isfinite(lower))
    matrix = sparse.csc_matrix(np.vstack([every[above], -every[below]]))
    bound = np.concatenate([upper[above], -lower[below]])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(hessian)),
        linear,
        matrix,
        bound,
        [clarabel.NonnegativeConeT(len(bound))],
        settings,
    ).solve()
    if answer.status == clarabel.SolverStatus.PrimalInfeasible:
        return None
    if answer.status not in SOLVED:
        raise RuntimeError(f"neither DAQP nor Clarabel solved a slot ({answer.status})")
    multipliers = np.zeros(len(every))
    z = np.array(answer.z)
    multipliers[above] += z[: len(above)]
    multipliers[below] -= z[len(above) :]
    return np.array(answer.x), multipliers
