"""Maximise a concave expression: exactly where the set is a polyhedron, else by Clarabel."""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import cvxpy as cp
import numpy as np

Status = Literal["optimal", "infeasible", "unbounded"]

_STATUS: dict[str, Status] = {
    cp.OPTIMAL: "optimal",
    cp.OPTIMAL_INACCURATE: "optimal",
    cp.INFEASIBLE: "infeasible",
    cp.INFEASIBLE_INACCURATE: "infeasible",
    cp.UNBOUNDED: "unbounded",
    cp.UNBOUNDED_INACCURATE: "unbounded",
}
_TIGHT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-11)
_HIGHS = {
    "method": "highs-ds",
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}

# A concave objective need not be strictly so in all variables: proximal steps make it.
_DAQP = {"primal_tol": 1e-12, "dual_tol": 1e-12, "eps_prox": 1e-3, "eta_prox": 1e-12}


def maximise(
    objective: cp.Expression, constraints: Sequence[cp.Constraint]
) -> tuple[Status, float]:
    """Maximise a concave scalar; the variables keep the maximiser as their values.

    Linear programs go to HiGHS and quadratic ones to DAQP, whose active sets are exact to
    rounding (an interior point method is 1e-6 off where a limit binds without a price). The
    rest, and what those two fail at, goes to Clarabel with tolerances of 1e-11, and with its
    usual ones where it cannot reach them.

    Returns
    -------
    status : {"optimal", "infeasible", "unbounded"}
    value : float
        The maximum; minus or plus infinity in the other cases.

    Raises
    ------
    RuntimeError
        If the solver could not decide.
    """
    program = cp.Problem(cp.Maximize(objective), list(constraints))
    attempts: list[dict[str, Any]] = [{"solver": cp.CLARABEL, **_TIGHT}, {"solver": cp.CLARABEL}]
    if program.is_qp():
        simplex = {"solver": cp.SCIPY, "scipy_options": dict(_HIGHS)}
        attempts.insert(0, simplex if objective.is_pwl() else {"solver": cp.DAQP, **_DAQP})
    with warnings.catch_warnings():
        # An answer that may be inaccurate is measured by the certificate.
        warnings.simplefilter("ignore", UserWarning)
        for options in attempts:
            try:
                program.solve(**options)
            except cp.SolverError:
                continue
            refused = options["solver"] == cp.DAQP and program.status != cp.OPTIMAL
            if program.status in _STATUS and not refused:
                return _STATUS[program.status], float(np.asarray(program.value))
    raise RuntimeError(f"the bargaining problem was not solved: {program.status}")


def maximum(objective: cp.Expression, constraints: Sequence[cp.Constraint]) -> float:
    """Return the maximum of a program that has one; see `maximise`.

    Raises
    ------
    RuntimeError
        If the solver found none.
    """
    status, value = maximise(objective, constraints)
    if status != "optimal":
        raise RuntimeError(f"the bargaining problem was not solved: a step of it is {status}")
    return value
