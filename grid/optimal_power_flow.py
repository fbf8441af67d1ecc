"""Central optimal power flow of one period: dispatch, locational prices, and how exact it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.convex_concave import (
    EXACT_GAP,
    close_the_cone,
    cone_gap,
    polish,
)
from nashgrid.grid.dispatch_program import (
    SOLVED,
    DispatchProgram,
    DispatchQuestion,
    ExtraCost,
    as_array,
)
from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.generator import Generator
from nashgrid.grid.least_relaxation import least_relaxation
from nashgrid.grid.locational_price import LocationalPrice

FlowModel = Literal["lindistflow", "branch flow"]


@dataclass(frozen=True, eq=False)
class OptimalPowerFlow:
    """Least-cost dispatch of one period.

    Attributes
    ----------
    cost_per_hour : float
    generation_kw, generation_kvar : (G,) arrays
    net_load_kw, net_load_kvar : (n,) arrays
        Load less generation at every bus: what `ac_power_flow` checks.
    voltage_squared : (n,) array, pu
    flow_kw, flow_kvar : (L,) arrays, away from the root, at the end nearer to it
    losses_kw : float, 0 in LinDistFlow
    active_price, reactive_price : LocationalPrice
    gap : (L,) array
        l v - P^2 - Q^2 of every line, relative to the largest P^2 + Q^2; 0 in LinDistFlow.
    note : str
        Which model gave the answer: "lindistflow", "branch flow, exact", or "branch flow, repaired
        ..." with what was done.
    """

    cost_per_hour: float
    generation_kw: FloatArray
    generation_kvar: FloatArray
    net_load_kw: FloatArray
    net_load_kvar: FloatArray
    voltage_squared: FloatArray
    flow_kw: FloatArray
    flow_kvar: FloatArray
    losses_kw: float
    active_price: LocationalPrice
    reactive_price: LocationalPrice
    gap: FloatArray
    note: str


def optimal_power_flow(
    feeder: Feeder,
    generators: Sequence[Generator],
    *,
    model: FlowModel = "lindistflow",
    load_kw: ArrayLike | None = None,
    load_kvar: ArrayLike | None = None,
    lowest_voltage_pu: float = 0.95,
    highest_voltage_pu: float = 1.05,
    root_voltage_pu: float = 1.0,
    extra_cost: ExtraCost | None = None,
) -> OptimalPowerFlow:
    """Minimise the cost of generation subject to the flows, voltage, line and generator limits.

    `DispatchProgram` has the equations. "lindistflow" has no losses and carries (P, Q) of a line
    within a 12-gon inscribed in its limit (Papavasiliou 2018). "branch flow" is the second-order
    cone relaxation of DistFlow (Farivar and Low 2013), with limits on the apparent power at both
    ends of a line. Where its cones have a gap above 1e-5 (reverse flow at a binding upper voltage,
    zero or negative prices), `close_the_cone` repairs it and the prices are those of the
    linearisation at the repaired point.

    Parameters
    ----------
    load_kw, load_kvar : (n,)
        Demand at every bus; the feeder's own if not given.
    extra_cost : callable
        A further convex cost per hour of the generation (G,) in kW.

    Raises
    ------
    ValueError
        If a generator is bad or stands at an unknown bus; if no dispatch keeps the limits (the
        limits that would have to give way are named, with the least amounts); or if the relaxation
        is not exact and cannot be repaired.
    """
    if model not in ("lindistflow", "branch flow"):
        raise ValueError(f"model {model!r} must be 'lindistflow' or 'branch flow'")
    question = DispatchQuestion(
        feeder,
        generators,
        _load("load_kw", feeder, feeder.load_kw if load_kw is None else load_kw),
        _load("load_kvar", feeder, feeder.load_kvar if load_kvar is None else load_kvar),
        lowest_voltage_pu,
        highest_voltage_pu,
        root_voltage_pu,
        extra_cost,
    )
    closure: Literal["no losses", "cone"] = "no losses" if model == "lindistflow" else "cone"
    program = DispatchProgram(question, closure)
    status = program.solve()
    if status not in SOLVED:
        raise ValueError(_refusal(question, closure, status))
    if closure == "no losses":
        return _result(question, program, "lindistflow")
    if cone_gap(feeder, program.point()).max(initial=0.0) <= EXACT_GAP:
        # Interior points leave up to 1e-4 pu of voltage on small flows; the tangent does not.
        polished = polish(question, program.point())
        return _result(question, polished or program, "branch flow, exact")
    return _repaired(question, program)


def _repaired(question: DispatchQuestion, relaxed: DispatchProgram) -> OptimalPowerFlow:
    gap = cone_gap(question.feeder, relaxed.point())
    worst = question.feeder.lines[int(gap.argmax())]
    closed = close_the_cone(question)
    if closed is None:
        raise ValueError(
            f"feeder {question.feeder.name}: the branch-flow relaxation has a gap of "
            f"{gap.max():.2g} at line {worst} and could not be repaired; use 'lindistflow'"
        )
    program, steps = closed
    was = f"gap {gap.max():.2g} at line {worst}"
    note = f"branch flow, repaired in {steps} convex-concave steps ({was})"
    return _result(question, program, note)


def _result(question: DispatchQuestion, program: DispatchProgram, note: str) -> OptimalPowerFlow:
    feeder, base = question.feeder, question.feeder.base_kva
    point, dispatch = program.point(), program.dispatch
    p, q = as_array(dispatch.p.value), as_array(dispatch.q.value)
    active, reactive = program.prices()
    return OptimalPowerFlow(
        cost_per_hour=float(as_array(program.cost().value)),
        generation_kw=p,
        generation_kvar=q,
        net_load_kw=question.load_kw - dispatch.placed @ p,
        net_load_kvar=question.load_kvar - dispatch.placed @ q,
        voltage_squared=point.squared,
        flow_kw=base * point.flow_p,
        flow_kvar=base * point.flow_q,
        losses_kw=float(base * feeder.resistance_pu @ point.current),
        active_price=active,
        reactive_price=reactive,
        gap=_gap(feeder, program),
        note=note,
    )


def _gap(feeder: Feeder, program: DispatchProgram) -> FloatArray:
    if program.closure == "no losses":
        return np.zeros(feeder.line_count)
    return cone_gap(feeder, program.point())


def _refusal(question: DispatchQuestion, closure: Literal["no losses", "cone"], status: str) -> str:
    found = least_relaxation(question, closure)
    start = f"no dispatch keeps the limits of feeder {question.feeder.name}"
    if not found:
        return f"{start}: {status}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{start}: {found[0]}{more}"


def _load(name: str, feeder: Feeder, values: ArrayLike) -> FloatArray:
    load = np.asarray(values, dtype=np.float64)
    if load.shape != (feeder.bus_count,) or not np.isfinite(load).all():
        raise ValueError(
            f"{name} of shape {load.shape} must be one finite value for each of the "
            f"{feeder.bus_count} buses of feeder {feeder.name}"
        )
    return load
