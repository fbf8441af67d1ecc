"""Where the operator sets inverters for a delivery that is agreed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import daqp
import numpy as np
from scipy.optimize import linprog

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.interior_point import solve_by_interior_point
from nashgrid.grid.operator_quadratic import OperatorQuadratic

if TYPE_CHECKING:
    from nashgrid.grid.operator_terms import OperatorTerms

_SLACK_KW = 1e-7
"""Limits give way by so much more than they must, that a solver finds what there is inside."""


def settle_inverters(terms: OperatorTerms, demand_kw: FloatArray) -> FloatArray:
    r"""Reactive power (S, Q) [kvar] that serves a delivery d (S, B) best.

    In each slot

    .. math::
        \min_q \; objective(d, q) \quad \text{s.t.} \quad
        lower - t \le A_d d + A_q q \le upper + t, \quad |q| \le q_{max}:

    the least losses (and deviations of voltage, where they count) with all limits kept, t = 0.
    Where neither counts, the least losses serve best too. A delivery that lets no q keep them all
    breaks them by the least t that it can.
    """
    count, buses = len(terms.inverters.buses), terms.shape[1]
    limits, box = terms.limits, terms.inverters.limit_kvar
    moved = demand_kw @ limits.rows[:, :buses].T
    own = np.flatnonzero(limits.rows[:, buses:].any(axis=1))
    rows = np.ascontiguousarray(limits.rows[own, buses:])
    lower, upper = (limits.lower - moved)[:, own], (limits.upper - moved)[:, own]
    still = np.hstack([demand_kw, np.zeros((len(demand_kw), count))])
    quadratic = OperatorQuadratic(terms, _where_losses_count(terms))
    linear = quadratic.gradient(still)[:, buses:]
    reactive = np.empty((len(demand_kw), count))
    for slot in range(len(demand_kw)):
        hessian = quadratic.hessian(slot)[buses:, buses:]
        # Behind lines without resistance they cost nothing at all.
        scale = 1.0 / (float(np.diag(hessian).max()) or 1.0)
        question = scale * hessian, scale * linear[slot], rows, lower[slot], upper[slot], box
        found = _settled(*question, 0.0)
        if found is None:
            given = _least_given(rows, lower[slot], upper[slot], box)
            found = _settled(*question, given)
        if found is None:
            raise RuntimeError(f"slot {slot}: no set points of the inverters were found")
        reactive[slot] = np.clip(found, -box, box)
    return reactive


def _where_losses_count(terms: OperatorTerms) -> FloatArray:
    """(S,) what losses count, and where nothing counts that inverters move, 1."""
    counted = terms.counted_loss_price_per_kwh
    idle = (counted == 0.0) & (terms.priorities.deviation_per_pu2h == 0.0)
    return np.where(idle, 1.0, counted)


def _settled(
    hessian: FloatArray,
    linear: FloatArray,
    rows: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    box: FloatArray,
    given: float,
) -> FloatArray | None:
    """Minimise q'Hq/2 + f'q where limits give way by `given` kW; None if no q keeps them."""
    slack = given + _SLACK_KW
    low, high = np.concatenate([-box, lower - slack]), np.concatenate([box, upper + slack])
    decision, _, flag, _ = daqp.solve(hessian, linear, rows, high, low, primal_tol=1e-9)
    if flag == 1:
        return np.asarray(decision)
    found = solve_by_interior_point(hessian, linear, rows, low, high)
    return None if found is None else found[0]


def _least_given(rows: FloatArray, lower: FloatArray, upper: FloatArray, box: FloatArray) -> float:
    """The least t for which some q has lower - t <= rows q <= upper + t, kW."""
    sides, bounds = np.vstack([rows, -rows]), np.concatenate([upper, -lower])
    there = np.isfinite(bounds)
    program = linprog(
        np.append(np.zeros(len(box)), 1.0),
        A_ub=np.hstack([sides, -np.ones((len(sides), 1))])[there],
        b_ub=bounds[there],
        bounds=[*zip(-box, box), (0.0, None)],
        method="highs",
    )
    if program.x is None:
        raise RuntimeError(f"the program of the inverters failed: {program.message}")
    return float(program.x[-1])
