"""Reactive flows in CVXPY, with the inverters that the operator sets, and the limits of lines."""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_limits import FACETS
from nashgrid.grid.operator_terms import OperatorTerms


@dataclass(frozen=True, eq=False)
class ReactiveStatement:
    """Reactive flows of the lines (S, L) [kvar], and what holds for the inverters.

    Attributes
    ----------
    flow_kvar : of all lines
    fixed_kvar : the part of it that nobody sets
    set_lines : (L,) lines with inverters behind them
    constraints : the limits of the inverters
    """

    flow_kvar: cp.Expression
    fixed_kvar: FloatArray
    set_lines: NDArray[np.bool_]
    constraints: list[cp.Constraint]

    def line_limits(self, terms: OperatorTerms, flow_kw: cp.Expression) -> list[cp.Constraint]:
        """What lines carry: see `OperatorLimits`."""
        limit = terms.feeder.limit_kva
        limited = np.isfinite(limit)
        plain, in_polygon = limited & ~self.set_lines, limited & self.set_lines
        constraints: list[cp.Constraint] = []
        if plain.any():
            room = np.sqrt(limit[plain] ** 2 - self.fixed_kvar[:, plain] ** 2)
            constraints += [flow_kw[:, plain] <= room, flow_kw[:, plain] >= -room]
        if in_polygon.any():
            slots = len(self.fixed_kvar)
            reach = np.tile(limit[in_polygon] * np.cos(np.pi / FACETS), (slots, 1))
            for angle in (2.0 * np.arange(FACETS) + 1.0) * np.pi / FACETS:
                active, reactive = flow_kw[:, in_polygon], self.flow_kvar[:, in_polygon]
                constraints.append(np.cos(angle) * active + np.sin(angle) * reactive <= reach)
        return constraints


def state_reactive(
    terms: OperatorTerms, fixed_kvar: FloatArray, response: FloatArray
) -> ReactiveStatement:
    """Reactive flows, from those that nobody sets (S, L) and what inverters add, (L, Q) per kvar.

    The set points are variables of the statement within the limits of the inverters.
    """
    limit = terms.inverters.limit_kvar
    set_lines = np.abs(response) @ limit > 0.0
    if not len(limit):
        return ReactiveStatement(cp.Constant(fixed_kvar), fixed_kvar, set_lines, [])
    set_kvar = cp.Variable((len(fixed_kvar), len(limit)), name="set_kvar")
    within: list[cp.Constraint] = [cp.abs(set_kvar) <= np.tile(limit, (len(fixed_kvar), 1))]
    return ReactiveStatement(fixed_kvar + set_kvar @ response.T, fixed_kvar, set_lines, within)
