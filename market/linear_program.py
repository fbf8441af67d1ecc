"""A linear program, solved by HiGHS to rounding."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Floats = NDArray[np.float64]

_STATUS: dict[int, Literal["optimal", "infeasible", "unbounded"]] = {
    0: "optimal",
    2: "infeasible",
    3: "unbounded",
}


class LinearSolution(NamedTuple):
    """Answer of a linear program; point, value and prices are empty or NaN unless optimal.

    Parameters
    ----------
    status : str
    x : (k,) array
    value : float
        The least cost.
    prices : (m,) array
        By how much the cost falls per unit more of each limit, >= 0.
    """

    status: Literal["optimal", "infeasible", "unbounded"]
    x: Floats
    value: float
    prices: Floats


def minimise_linear(
    cost: Floats,
    matrix: Floats,
    limit: Floats,
    *,
    lower: Floats,
    upper: Floats,
    equal_matrix: Floats | None = None,
    equal_limit: Floats | None = None,
) -> LinearSolution:
    """Minimise cost'x over matrix x <= limit, equal_matrix x = equal_limit, lower <= x <= upper.

    Parameters
    ----------
    cost : (k,) array
    matrix : (m, k) array
    limit : (m,) array
    lower, upper : (k,) arrays
        May be infinite.
    equal_matrix : (p, k) array, optional
    equal_limit : (p,) array, optional

    Returns
    -------
    LinearSolution

    Raises
    ------
    RuntimeError
        If the solver could not decide.

    References
    ----------
    Huangfu and Hall 2018, Parallelizing the dual revised simplex method, Mathematical
    Programming Computation 10 (HiGHS).
    """
    outcome = linprog(
        cost,
        A_ub=matrix,
        b_ub=limit,
        A_eq=equal_matrix,
        b_eq=equal_limit,
        bounds=list(zip(lower.tolist(), upper.tolist(), strict=True)),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    status = _STATUS.get(outcome.status)
    if status is None:
        raise RuntimeError(f"the linear program was not solved: {outcome.message}")
    if outcome.x is None or outcome.fun is None:
        return LinearSolution(status, np.zeros(0), float("nan"), np.zeros(0))
    return LinearSolution(status, outcome.x, float(outcome.fun), -outcome.ineqlin.marginals)
