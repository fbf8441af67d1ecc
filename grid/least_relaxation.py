"""Which limits stand in the way of a dispatch, and how little they would have to give."""

from __future__ import annotations

import cvxpy as cp
import numpy as np

from nashgrid.grid.dispatch_program import (
    SOLVED,
    Closure,
    DispatchProgram,
    DispatchQuestion,
    as_array,
)
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_feasibility import Relaxation

_TOLERANCE_KW = 1e-4
# A generator gives way only where wires cannot: its kW counts ten times.
_GENERATION_WEIGHT = 10.0


def least_relaxation(
    question: DispatchQuestion, closure: Closure = "no losses"
) -> tuple[Relaxation, ...]:
    """The smallest total relaxation that makes a dispatch possible, its largest piece first.

    Amounts count as power (kW): a line's by itself, a voltage's by the load at the bus that moves
    it most, and a generator's limit ten times. Empty if the limits can be kept, or if even without
    them there is no dispatch.
    """
    program = DispatchProgram(question, closure, relaxed=True)
    slack, base = program.slack, question.feeder.base_kva
    per_squared = _kw_per_squared(question)
    aim = (
        per_squared * cp.sum(slack.low + slack.high)
        + base * cp.sum(slack.line)
        + _GENERATION_WEIGHT * cp.sum(slack.power_kw + slack.power_kvar)
    )
    if program.solve(aim) not in SOLVED:
        return ()
    found = [
        *_voltages(question, as_array(slack.low.value), per_squared, lowest=True),
        *_voltages(question, as_array(slack.high.value), per_squared, lowest=False),
        *_lines(question, base * as_array(slack.line.value)),
        *_generators(question, as_array(slack.power_kw.value), as_array(slack.power_kvar.value)),
    ]
    kept = [item for item in found if item.severity_kw > _TOLERANCE_KW]
    return tuple(sorted(kept, key=lambda item: -item.severity_kw))


def _kw_per_squared(question: DispatchQuestion) -> float:
    """The load at the bus that moves a squared voltage most, per pu squared: kW."""
    model = LinDistFlow(question.feeder)
    along = model.downstream.T @ question.feeder.resistance_pu
    largest = max(float(along.max(initial=0.0)), 1e-9)
    return question.feeder.base_kva / (2.0 * largest)


def _voltages(
    question: DispatchQuestion, given: FloatArray, per_squared: float, *, lowest: bool
) -> list[Relaxation]:
    bound = question.lowest_voltage_pu if lowest else question.highest_voltage_pu
    sign = -1.0 if lowest else 1.0
    found = []
    for bus, amount in zip(question.feeder.buses, given):
        moved = abs(float(np.sqrt(max(bound**2 + sign * amount, 0.0))) - bound)
        kind = "lowest voltage" if lowest else "highest voltage"
        found.append(
            Relaxation(
                0,
                kind,  # type: ignore[arg-type]
                str(bus),
                bound,
                moved,
                "pu",
                per_squared * float(amount),
            )
        )
    return found


def _lines(question: DispatchQuestion, given_kva: FloatArray) -> list[Relaxation]:
    return [
        Relaxation(0, "line", str(line), line.limit_kva, float(amount), "kVA", float(amount))
        for line, amount in zip(question.feeder.lines, given_kva)
        if np.isfinite(line.limit_kva)
    ]


def _generators(
    question: DispatchQuestion, given_kw: FloatArray, given_kvar: FloatArray
) -> list[Relaxation]:
    found = []
    for unit, kw, kvar in zip(question.generators, given_kw, given_kvar):
        bus = str(unit.bus)
        found.append(Relaxation(0, "generation", bus, unit.highest_kw, float(kw), "kW", float(kw)))
        found.append(
            Relaxation(0, "generation", bus, unit.highest_kvar, float(kvar), "kvar", float(kvar))
        )
    return found
