"""What holds for a block's whole day, and how one variable answers."""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import (
    Carried,
    Lane,
    Table,
    Tracer,
    Whole,
    clip,
    fma,
    reciprocal,
    where,
)


@dataclass
class Tables:
    """The tables of the block that a pass works on (see :mod:`.fields`)."""

    data: Table
    multipliers: Table
    answer: Table
    flat: Table
    flat_stride: Whole
    bounds: Table
    bounds_row: Whole
    bounds_stride: Whole
    bounds_last: Whole
    work: Table
    control: Table
    slots: Whole


def slot_entry(tables: Tables, slot: Whole) -> Whole:
    """Entry of the bounds that holds in a slot: one for the day and one for its end, or all."""
    return slot.choose(tables.slots + -1, tables.bounds_last, slot * tables.bounds_stride)


@dataclass
class Response:
    """A variable's answer, and its slope while it is free (0 at a bound)."""

    value: Lane
    slope: Lane


def respond(
    target: Lane, low: Lane | float, high: Lane | float, slope: Lane, dual: Carried
) -> Response:
    """The answer nearest to `target`; adds its part of the dual, times its slope."""
    value = clip(target, low, high)
    dual.set(fma(value, fma(value, -0.5, target), dual.get()))
    return Response(value, where(value.compare("==", target), slope, 0.0))


@dataclass
class BatteryDay:
    """A battery's numbers; curvatures include the pull of the last answer."""

    eta: Lane
    inverse_eta: Lane
    wear: Lane
    pull: Lane
    curvature: Lane
    slope: Lane
    stored_curvature: Lane
    stored_slope: Lane


@dataclass
class LoadDay:
    """A shiftable load's numbers and its multiplier."""

    energy: Lane
    pull: Lane
    curvature: Lane
    slope: Lane
    price: Lane


class Dual:
    """The value of the dual, gathered per kind of variable: each kind has one curvature."""

    def __init__(self, trace: Tracer, shape: Shape) -> None:
        self.balance = trace.carried()
        self.trade = trace.carried()
        self.curtail = trace.carried()
        self.batteries = [trace.carried() for _ in range(shape.batteries)]
        self.stored = [trace.carried() for _ in range(shape.batteries)]
        self.loads = [trace.carried() for _ in range(shape.shiftables)]

    def value(self, day: Day) -> Lane:
        """sum(multiplier * right side) - sum(curvature * x * (unclipped x - x / 2))."""
        value = self.balance.get() - self.trade.get() / day.trade_slope
        value = fma(-day.curtail_curvature, self.curtail.get(), value)
        for battery, power, stored in zip(day.batteries, self.batteries, self.stored):
            value = fma(-battery.curvature, power.get(), value)
            value = fma(-battery.stored_curvature, stored.get(), value)
        for load, power in zip(day.loads, self.loads):
            value = fma(-load.curvature, power.get(), value)
        return value


@dataclass
class Day:
    """Everything that holds for all slots of the block."""

    guard: Lane
    trade_slope: Lane
    connection: Lane
    curtail_curvature: Lane
    curtail_slope: Lane
    batteries: list[BatteryDay]
    loads: list[LoadDay]
    dual: Dual


def read_day(trace: Tracer, shape: Shape, tables: Tables) -> Day:
    """Load the rows that hold for the whole day."""
    data, control = tables.data, tables.control
    looseness = control[fields.LOOSENESS]
    curtail = data[shape.CURTAIL_PULL] * looseness
    batteries = []
    for k in range(shape.batteries):
        row = shape.battery(k)
        pull = data[row + shape.PULL] * looseness
        stored = data[row + shape.STORED_PULL] * looseness
        curvature = data[row + shape.CURVATURE] + pull
        batteries.append(
            BatteryDay(
                eta=data[row + shape.ETA],
                inverse_eta=data[row + shape.INVERSE_ETA],
                wear=data[row + shape.WEAR],
                pull=pull,
                curvature=curvature,
                slope=reciprocal(curvature),
                stored_curvature=stored,
                stored_slope=reciprocal(stored),
            )
        )
    loads = []
    for m in range(shape.shiftables):
        row = shape.shiftable(m)
        pull = data[row + shape.LOAD_PULL] * looseness
        curvature = data[row + shape.LOAD_CURVATURE] + pull
        loads.append(
            LoadDay(
                energy=data[row + shape.LOAD_ENERGY],
                pull=pull,
                curvature=curvature,
                slope=reciprocal(curvature),
                price=tables.multipliers[m],
            )
        )
    return Day(
        guard=control[fields.GUARD],
        trade_slope=data[shape.SIZE] * control[fields.RATIO],
        connection=data[shape.CONNECTION],
        curtail_curvature=curtail,
        curtail_slope=reciprocal(curtail),
        batteries=batteries,
        loads=loads,
        dual=Dual(trace, shape),
    )
