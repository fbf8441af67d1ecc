"""Optimal power flow of one period in CVXPY: DistFlow with one of three closures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cvxpy as cp
import numpy as np
from scipy import sparse

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.generator import Dispatch, Generator
from nashgrid.grid.incidence import incidence
from nashgrid.grid.locational_price import LocationalPrice
from nashgrid.grid.price_decomposition import FlowPoint, LimitPressure, decompose_prices

Closure = Literal["no losses", "cone", "tangent"]
ExtraCost = Callable[[cp.Variable], cp.Expression]

# Without losses a line carries (P, Q) within a regular 12-gon inscribed in its circle of apparent
# power: face c is a1 P + a2 Q <= limit, its normal at an angle of 15 + 30 c degrees.
_FACE_ANGLES = np.deg2rad(15.0 + 30.0 * np.arange(12))
_FACE_ACTIVE = np.cos(_FACE_ANGLES) / np.cos(np.deg2rad(15.0))
_FACE_REACTIVE = np.sin(_FACE_ANGLES) / np.cos(np.deg2rad(15.0))
# Clarabel reaches 1e-11 on these programs; where rounding stops it earlier it says "inaccurate".
_TOLERANCE = 1e-11
SOLVED = (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
"""Statuses of CVXPY with an answer; who needs exactness checks it."""


@dataclass(frozen=True, eq=False)
class DispatchQuestion:
    """What is to be dispatched: loads (n,) in kW and kvar, generators, and voltage limits in pu."""

    feeder: Feeder
    generators: Sequence[Generator]
    load_kw: FloatArray
    load_kvar: FloatArray
    lowest_voltage_pu: float
    highest_voltage_pu: float
    root_voltage_pu: float
    extra_cost: ExtraCost | None = None


class Slack:
    """How far limits give way: squared voltages (n,), lines (L,) in pu, generators (G,) in kW."""

    def __init__(self, question: DispatchQuestion, free: bool) -> None:
        feeder, units = question.feeder, len(question.generators)

        def amount(count: int) -> cp.Expression:
            return cp.Variable(count, nonneg=True) if free else cp.Constant(np.zeros(count))

        self.low, self.high = amount(feeder.bus_count), amount(feeder.bus_count)
        self.line = amount(feeder.line_count)
        self.power_kw, self.power_kvar = amount(units), amount(units)


class DispatchProgram:
    """Variables, constraints and multipliers; flows P, Q, squared current l and voltage v in pu.

    For every bus j fed from i by a line with r and x, with the lines m that leave j,

        P - r l + g_j = d_j + sum P_m      (Q likewise with x and reactive power)
        v_j = v_i - 2 (r P + x Q) + (r^2 + x^2) l

    (Baran and Wu 1989), closed by l = 0 ("no losses", LinDistFlow), by the cone l v_i >= P^2 + Q^2
    (Farivar and Low 2013), or by the tangent of l v_i = P^2 + Q^2 at a given point.
    """

    def __init__(
        self,
        question: DispatchQuestion,
        closure: Closure,
        *,
        point: FlowPoint | None = None,
        relaxed: bool = False,
    ) -> None:
        feeder = self.feeder = question.feeder
        self.question, self.closure = question, closure
        self.dispatch = Dispatch(feeder, question.generators)
        self.slack = Slack(question, relaxed)
        self.flow_p, self.flow_q = cp.Variable(feeder.line_count), cp.Variable(feeder.line_count)
        self.current: cp.Expression = cp.Constant(np.zeros(feeder.line_count))
        if closure != "no losses":
            self.current = cp.Variable(feeder.line_count)
        self.squared = cp.Variable(feeder.bus_count)
        self._ends = incidence(feeder)
        self.start, self.end = self._ends.start, self._ends.end
        self._lay_wires()
        self._set_limits()
        self.closing = self._close(point)

    def _lay_wires(self) -> None:
        question, feeder = self.question, self.feeder
        r, x, base = feeder.resistance_pu, feeder.reactance_pu, feeder.base_kva
        placed = sparse.csr_array(self.dispatch.placed) / base
        outwards = self._ends.leaves - self._ends.enters
        active = question.load_kw / base + outwards @ self.flow_p - placed @ self.dispatch.p
        reactive = question.load_kvar / base + outwards @ self.flow_q - placed @ self.dispatch.q
        drop = 2.0 * (cp.multiply(r, self.flow_p) + cp.multiply(x, self.flow_q))
        if self.closure != "no losses":
            active += (self._ends.enters @ sparse.diags_array(r)) @ self.current
            reactive += (self._ends.enters @ sparse.diags_array(x)) @ self.current
            drop -= cp.multiply(r**2 + x**2, self.current)
        self.balance_p, self.balance_q = active == 0, reactive == 0
        self.wires: list[cp.Constraint] = [
            self.squared[self.end] == self.squared[self.start] - drop,
            self.squared[self._ends.root] == question.root_voltage_pu**2,
        ]

    def _set_limits(self) -> None:
        question, slack = self.question, self.slack
        self.lowest = self.squared >= question.lowest_voltage_pu**2 - slack.low
        self.highest = self.squared <= question.highest_voltage_pu**2 + slack.high
        self.limited = np.flatnonzero(np.isfinite(self.feeder.limit_kva))
        self.line_limits: list[cp.Constraint] = []
        if not self.limited.size:
            return
        at = self.limited
        limit = self.feeder.limit_kva[at] / self.feeder.base_kva + slack.line[at]
        if self.closure == "no losses":
            self.line_limits = [
                a1 * self.flow_p[at] + a2 * self.flow_q[at] <= limit
                for a1, a2 in zip(_FACE_ACTIVE, _FACE_REACTIVE)
            ]
            return
        for p, q in (self._sent(), self._received()):
            self.line_limits.append(cp.norm(cp.vstack([p[at], q[at]]), 2, axis=0) <= limit)

    def _sent(self) -> tuple[cp.Expression, cp.Expression]:
        return self.flow_p, self.flow_q

    def _received(self) -> tuple[cp.Expression, cp.Expression]:
        lost_p = cp.multiply(self.feeder.resistance_pu, self.current)
        lost_q = cp.multiply(self.feeder.reactance_pu, self.current)
        return self.flow_p - lost_p, self.flow_q - lost_q

    def _close(self, point: FlowPoint | None) -> list[cp.Constraint]:
        if self.closure == "no losses":
            return []
        v = self.squared[self.start]
        if self.closure == "cone":
            sides = cp.vstack([2.0 * self.flow_p, 2.0 * self.flow_q, self.current - v])
            return [cp.SOC(self.current + v, sides, axis=0)]
        if point is None:
            raise ValueError("the tangent closure needs a point")
        p, q, current, v_there = point.flow_p, point.flow_q, point.current, point.squared
        v_there = v_there[self.start]
        product = cp.multiply(v_there, self.current) + cp.multiply(current, v) - current * v_there
        flows = cp.multiply(2.0 * p, self.flow_p) + cp.multiply(2.0 * q, self.flow_q)
        return [product == flows - p**2 - q**2]

    def cost(self) -> cp.Expression:
        """Cost of generation per hour."""
        cost = self.dispatch.cost()
        extra = self.question.extra_cost
        return cost if extra is None else cost + extra(self.dispatch.p)

    def constraints(self) -> list[cp.Constraint]:
        """All of them."""
        return [
            self.balance_p,
            self.balance_q,
            *self.wires,
            self.lowest,
            self.highest,
            *self.line_limits,
            *self.dispatch.limits(self.slack.power_kw, self.slack.power_kvar),
            *self.closing,
        ]

    def solve(
        self,
        objective: cp.Expression | None = None,
        more: Sequence[cp.Constraint] = (),
        tolerance: float = _TOLERANCE,
    ) -> str:
        """Minimise the cost, or another objective; return CVXPY's status."""
        aim = cp.Minimize(self.cost() if objective is None else objective)
        problem = cp.Problem(aim, [*self.constraints(), *more])
        settings = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
        with warnings.catch_warnings():
            # The status says the same, and callers look at it.
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            try:
                problem.solve(solver=cp.CLARABEL, **settings)
            except cp.error.SolverError:
                return str(cp.SOLVER_ERROR)
        return str(problem.status)

    def point(self) -> FlowPoint:
        """The state that was found."""
        return FlowPoint(
            *(as_array(v.value) for v in (self.flow_p, self.flow_q, self.current, self.squared))
        )

    def prices(self) -> tuple[LocationalPrice, LocationalPrice]:
        """Active and reactive prices, and their parts from the multipliers of the limits alone."""
        base = self.feeder.base_kva
        return decompose_prices(
            self.feeder,
            self.point(),
            self._pressure(),
            as_array(self.balance_p.dual_value) / base,
            as_array(self.balance_q.dual_value) / base,
            lossy=self.closure != "no losses",
        )

    def _pressure(self) -> LimitPressure:
        at, lines = self.limited, self.feeder.line_count
        on_p, on_q, on_current = np.zeros(lines), np.zeros(lines), np.zeros(lines)
        if self.closure == "no losses":
            for face, a1, a2 in zip(self.line_limits, _FACE_ACTIVE, _FACE_REACTIVE):
                on_p[at] += a1 * as_array(face.dual_value)
                on_q[at] += a2 * as_array(face.dual_value)
        else:
            r, x = self.feeder.resistance_pu, self.feeder.reactance_pu
            losing = (0.0 * r, 0.0 * x), (r, x)
            for limit, ends, lost in zip(
                self.line_limits, (self._sent(), self._received()), losing
            ):
                p, q = as_array(ends[0].value), as_array(ends[1].value)
                size = np.maximum(np.hypot(p, q), np.finfo(float).tiny)
                weight = np.zeros(lines)
                weight[at] = as_array(limit.dual_value)
                on_p += weight * p / size
                on_q += weight * q / size
                on_current -= weight * (lost[0] * p + lost[1] * q) / size
        squared = as_array(self.highest.dual_value) - as_array(self.lowest.dual_value)
        return LimitPressure(on_p, on_q, on_current, squared)


def as_array(value: object) -> FloatArray:
    """A value of CVXPY as a float array."""
    return np.asarray(value, dtype=np.float64)
