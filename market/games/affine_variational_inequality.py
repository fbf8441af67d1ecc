"""A monotone affine variational inequality over a polyhedron, solved as one convex program."""

import warnings

import cvxpy as cp
import numpy as np

from nashgrid.market.games.complementarity import Complementarity, polish
from nashgrid.market.games.game_data import Floats
from nashgrid.market.linear_program import minimise_linear

_ACCEPTED = 1e-9
_TIGHT = 1e-11


def solve_affine_variational_inequality(
    jacobian: Floats,
    constant: Floats,
    lower: Floats,
    upper: Floats,
    matrix: Floats,
    limit: Floats,
) -> tuple[Floats, Floats]:
    """Find x in K with (J x + q)'(y - x) >= 0 for all y in K = {l <= x <= u, A x <= b}.

    J may be asymmetric, so the inequality is in general not the optimality condition of a cost.
    Its Karush-Kuhn-Tucker conditions, with multipliers lambda of the limits and mu, nu of the
    bounds, are nevertheless one convex quadratic program, because J is monotone::

        minimise    x'J x + q'x + b'lambda + u'nu - l'mu
        subject to  J x + q + A'lambda + nu - mu = 0,  A x <= b,  l <= x <= u,
                    lambda, mu, nu >= 0.

    The objective is the sum of all complementarity products, lambda'(b - A x) + nu'(u - x) +
    mu'(x - l) >= 0; it is 0 exactly at the solutions. An interior point method comes close, and
    a few Newton steps on the identified active set finish to rounding.

    Parameters
    ----------
    jacobian : (n, n) array
        J, with positive semidefinite symmetric part.
    constant : (n,) array
        q.
    lower, upper : (n,) arrays
        May be infinite, or equal.
    matrix : (m, n) array
    limit : (m,) array

    Returns
    -------
    x : (n,) array
    multipliers : (m,) array
        lambda >= 0.

    Raises
    ------
    ValueError
        If K is empty, or the inequality has no solution (possible only if K is unbounded).
    RuntimeError
        If the solver failed, or the answer misses the conditions by more than 1e-9 relative to
        the size of the data.

    References
    ----------
    Facchinei and Pang 2003, Finite-dimensional variational inequalities and complementarity
    problems, section 1.5 (gap programs).
    """
    _require_points(lower, upper, matrix, limit)
    x, multipliers = np.where(lower == upper, lower, 0.0), np.zeros(limit.size)
    free = lower < upper
    if not np.any(free):
        return x, multipliers
    fixed = x[~free]
    problem = Complementarity(
        jacobian[np.ix_(free, free)],
        constant[free] + jacobian[np.ix_(free, ~free)] @ fixed,
        lower[free],
        upper[free],
        matrix[:, free],
        limit - matrix[:, ~free] @ fixed,
    )
    start = _gap_program(problem)
    x[free], multipliers, residual = polish(problem, *start)
    if residual > _ACCEPTED * problem.size(x[free], multipliers):
        raise RuntimeError(
            f"the variational inequality was not solved: its conditions are missed by {residual:g}"
        )
    return x, multipliers


def _require_points(lower: Floats, upper: Floats, matrix: Floats, limit: Floats) -> None:
    """Refuse an empty set, before anything is solved on it."""
    if limit.size == 0:
        return
    nothing = np.zeros(lower.size)
    if minimise_linear(nothing, matrix, limit, lower=lower, upper=upper).status == "infeasible":
        raise ValueError("no point satisfies the bounds and the shared limits")


def _gap_program(problem: Complementarity) -> tuple[Floats, Floats]:
    """Solve the gap program; return x and the multipliers of the limits, nearly exact."""
    x = cp.Variable(problem.constant.size)
    multipliers = cp.Variable(problem.limit.size, nonneg=True)
    below, above = np.isfinite(problem.lower), np.isfinite(problem.upper)
    mu = cp.Variable(int(below.sum()), nonneg=True)
    nu = cp.Variable(int(above.sum()), nonneg=True)
    unit = np.eye(problem.constant.size)
    # Costs in their own unit, so that the solver's tolerances mean the same for all.
    unit_cost = float(max(np.abs(problem.jacobian).max(), np.abs(problem.constant).max())) or 1.0
    jacobian, constant = problem.jacobian / unit_cost, problem.constant / unit_cost
    stationarity = jacobian @ x + constant + unit[:, above] @ nu - unit[:, below] @ mu
    gap = cp.quad_form(x, cp.psd_wrap(0.5 * (jacobian + jacobian.T))) + constant @ x
    gap += problem.upper[above] @ nu - problem.lower[below] @ mu
    constraints = [x[below] >= problem.lower[below], x[above] <= problem.upper[above]]
    if problem.limit.size:
        stationarity += problem.matrix.T @ multipliers
        gap += problem.limit @ multipliers
        constraints.append(problem.matrix @ x <= problem.limit)
    program = cp.Problem(cp.Minimize(gap), [stationarity == 0, *constraints])
    _solve(program)
    if program.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
        raise ValueError(
            "no equilibrium: some player's cost falls without bound, for the bounds and the "
            "shared limits leave the entries unbounded"
        )
    if x.value is None:
        raise RuntimeError(f"the variational inequality was not solved: {program.status}")
    # Without limits the multipliers take no part and have no value.
    dual = np.zeros(0) if multipliers.value is None else np.maximum(multipliers.value, 0.0)
    return np.clip(x.value, problem.lower, problem.upper), unit_cost * dual


def _solve(program: cp.Problem) -> None:
    """Solve tightly; where the solver cannot, to its usual tolerances."""
    with warnings.catch_warnings():
        # A "may be inaccurate" answer is only a start here: the polished one is measured.
        warnings.simplefilter("ignore", UserWarning)
        for tolerances in (dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), _TIGHT), {}):
            try:
                program.solve(solver=cp.CLARABEL, **tolerances)
            except cp.SolverError:
                continue
            return
    raise RuntimeError(
        "the variational inequality was not solved: the interior point method failed"
    )
