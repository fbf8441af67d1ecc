"""Repair of an inexact branch-flow relaxation: l v <= P^2 + Q^2 by the convex-concave procedure."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np

from nashgrid.grid.dispatch_program import SOLVED, DispatchProgram, DispatchQuestion, as_array
from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.price_decomposition import FlowPoint

EXACT_GAP = 1e-5
"""Largest relative cone gap of a solution that is called exact."""
_LEAST_FLOW_PU = 1e-3
_STEPS = 60
_SETTLED, _POLISHED, _GOOD_ENOUGH = 1e-5, 1e-8, 1e-6
_POLISHING_STEPS, _CLOSED = 60, 1e-7
_SHRINK, _LEAST_HOLD, _RELEASE = 0.25, 1e-3, 0.7
_GROWTH, _LARGEST_WEIGHT = 4.0, 1e4
# The steps need not be more exact than the gap that is asked for; more only stalls the solver.
_STEP_TOLERANCE = 1e-9


def cone_gap(feeder: Feeder, point: FlowPoint) -> FloatArray:
    """l v - P^2 - Q^2 of every line, (L,), relative to the largest P^2 + Q^2 of the feeder."""
    flow = point.flow_p**2 + point.flow_q**2
    excess = point.current * point.squared[feeder.bus_positions(feeder.from_bus)] - flow
    return np.asarray(excess / max(float(flow.max(initial=0.0)), _LEAST_FLOW_PU**2))


def close_the_cone(question: DispatchQuestion) -> tuple[DispatchProgram, int] | None:
    r"""Walk from LinDistFlow's solution to one with l v = P^2 + Q^2, a local optimum.

    With 4 l v = (l + v)^2 - (l - v)^2 the missing side of the cone is a difference of convex
    functions. Every step solves the relaxation with

    .. math:: \tfrac14 (l + v)^2 \le P^2 + Q^2 + \tfrac14 (l - v)^2 \;\text{linearised} + s,
              \quad s \ge 0,

    and a growing price on s (Lipp and Boyd 2016; Wei, Wang, Li and Mei 2017 for distribution
    networks). From there the tangent of l v = P^2 + Q^2, moved on until it stays, gives the last
    digits and the prices. None if the gap does not close; else the tangent program as solved last,
    and the number of convex-concave steps.
    """
    feeder = question.feeder
    point = _start(question)
    if point is None:
        return None
    program = DispatchProgram(question, "cone")
    v = program.squared[program.start]
    there = {
        name: cp.Parameter(feeder.line_count, value=np.zeros(feeder.line_count))
        for name in ("p", "q", "difference", "constant")
    }
    excess = cp.Variable(feeder.line_count, nonneg=True)
    linearised = (
        cp.multiply(there["p"], program.flow_p)
        + cp.multiply(there["q"], program.flow_q)
        + cp.multiply(there["difference"], program.current - v)
        - there["constant"]
    )
    closing = 0.25 * cp.square(program.current + v) <= linearised + excess
    # What the losses of one more pu of squared current cost on the worst line.
    first = _price_level(question) * feeder.base_kva * float(feeder.resistance_pu.max())
    weight = cp.Parameter(nonneg=True, value=first)
    aim = program.cost() + weight * cp.sum(excess)
    last = np.inf
    for step in range(1, _STEPS + 1):
        difference = point.current - point.squared[program.start]
        there["p"].value, there["q"].value = 2.0 * point.flow_p, 2.0 * point.flow_q
        there["difference"].value = 0.5 * difference
        there["constant"].value = point.flow_p**2 + point.flow_q**2 + 0.25 * difference**2
        if program.solve(aim, [closing], _STEP_TOLERANCE) not in SOLVED:
            return None
        point = program.point()
        cost = float(as_array(program.cost().value))
        closed = cone_gap(feeder, point).max() <= EXACT_GAP
        if closed and abs(cost - last) <= _SETTLED * max(1.0, abs(cost)):
            polished = polish(question, point)
            return None if polished is None else (polished, step)
        last = cost
        if not closed:
            weight.value = min(_GROWTH * float(as_array(weight.value)), _LARGEST_WEIGHT * first)
    return None


def polish(question: DispatchQuestion, point: FlowPoint) -> DispatchProgram | None:
    r"""Solve with the tangent of l v = P^2 + Q^2, moved on until it stays; None if it does not.

    Linear costs may let the tangent's solutions jump back and forth. Where the gap does not shrink
    enough, the next steps are held back by :math:`\tau |\kappa| ((P - P_0)^2 + (Q - Q_0)^2)`, the
    curvature of the constraint with its multiplier kappa, at least what losses cost; tau grows
    until they are short enough, and the term vanishes where they end.
    """
    feeder = question.feeder
    least = _price_level(question) * feeder.base_kva * feeder.resistance_pu
    weight, last, widest = least, np.inf, np.inf
    hold = 0.0
    for _ in range(_POLISHING_STEPS):
        program = DispatchProgram(question, "tangent", point=point)
        moved = cp.square(program.flow_p - point.flow_p) + cp.square(program.flow_q - point.flow_q)
        if program.solve(program.cost() + (hold * weight) @ moved) not in SOLVED:
            return None
        point = program.point()
        weight = np.maximum(np.abs(as_array(program.closing[0].dual_value)), least)
        cost = float(as_array(program.cost().value))
        gap = float(np.abs(cone_gap(feeder, point)).max())
        if gap <= _CLOSED and abs(cost - last) <= _POLISHED * max(1.0, abs(cost)):
            return program
        if gap <= _CLOSED:
            hold *= _RELEASE
        elif gap > _SHRINK * widest:
            hold = max(_GROWTH * hold, _LEAST_HOLD)
        change = abs(cost - last)
        last, widest = cost, gap
    good = gap <= EXACT_GAP and change <= _GOOD_ENOUGH * max(1.0, abs(cost))
    return program if good else None


def _start(question: DispatchQuestion) -> FlowPoint | None:
    """The state of LinDistFlow with the currents that its flows mean."""
    program = DispatchProgram(question, "no losses")
    if program.solve() not in SOLVED:
        return None
    point = program.point()
    flow = point.flow_p**2 + point.flow_q**2
    return replace(point, current=flow / point.squared[program.start])


def _price_level(question: DispatchQuestion) -> float:
    slopes = [
        abs(unit.linear_cost_per_kwh) + 2.0 * unit.quadratic_cost_per_kw2h * unit.highest_kw
        for unit in question.generators
    ]
    return max([*slopes, 1e-3])
