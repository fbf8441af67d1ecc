"""What holds for a block's whole day, and how one variable answers."""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import (
    Lane,
    Numbers,
    Table,
    Tracer,
    Whole,
    clip,
    largest,
    reciprocal,
    smallest,
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
    pattern: Numbers
    work: Table
    control: Table
    slots: Whole


def read_bounds(shape: Shape, tables: Tables, slot: Whole, k: int) -> list[Lane]:
    """Charge, discharge, lowest and highest energy of a battery in a slot."""
    row = tables.pattern[slot * shape.batteries + k]
    return [tables.bounds[row + i] for i in range(shape.BOUND_ROWS)]


@dataclass
class Response:
    """A variable's answer, and its slope while it is free (0 at a bound)."""

    value: Lane
    slope: Lane


def respond(target: Lane, low: Lane | float, high: Lane | float, slope: Lane) -> Response:
    """The answer nearest to `target` between its bounds."""
    value = clip(target, low, high)
    return Response(value, where(value.compare("==", target), slope, 0.0))


def respond_at_two_prices(bought: Lane, sold: Lane, limit: Lane, slope: Lane) -> Response:
    """The answer of a trade whose purchases cost more than its sales earn: a soft threshold.

    max(0, bought) + min(0, sold), within the limit either way, where `bought` <= `sold` are the
    answers at the one price and at the other.  Between the prices it rests at 0.
    """
    target = largest(bought, 0.0) + smallest(sold, 0.0)
    moving = where(bought.compare(">=", 0.0), slope, where(sold.compare("<=", 0.0), slope, 0.0))
    return respond(target, -limit, limit, moving)


@dataclass
class BatteryDay:
    """A battery's numbers; slopes allow for the pull of the last answer."""

    eta: Lane
    inverse_eta: Lane
    wear: Lane
    pull: Lane
    slope: Lane
    stored_slope: Lane


@dataclass
class LoadDay:
    """A shiftable load's numbers and its multiplier."""

    energy: Lane
    pull: Lane
    slope: Lane
    price: Lane


@dataclass
class Day:
    """Everything that holds for all slots of the block."""

    guard: Lane
    trade_slope: Lane
    connection: Lane
    curtail_slope: Lane
    batteries: list[BatteryDay]
    loads: list[LoadDay]


def read_day(trace: Tracer, shape: Shape, tables: Tables) -> Day:
    """Load the rows that hold for the whole day."""
    data, control = tables.data, tables.control
    looseness = control[fields.LOOSENESS]
    batteries = []
    for k in range(shape.batteries):
        row = shape.battery(k)
        pull = data[row + shape.PULL] * looseness
        batteries.append(
            BatteryDay(
                eta=data[row + shape.ETA],
                inverse_eta=data[row + shape.INVERSE_ETA],
                wear=data[row + shape.WEAR],
                pull=pull,
                slope=reciprocal(data[row + shape.CURVATURE] + pull),
                stored_slope=reciprocal(data[row + shape.STORED_PULL] * looseness),
            )
        )
    loads = []
    for m in range(shape.shiftables):
        row = shape.shiftable(m)
        pull = data[row + shape.LOAD_PULL] * looseness
        loads.append(
            LoadDay(
                energy=data[row + shape.LOAD_ENERGY],
                pull=pull,
                slope=reciprocal(data[row + shape.LOAD_CURVATURE] + pull),
                price=tables.multipliers[m],
            )
        )
    return Day(
        guard=control[fields.GUARD],
        trade_slope=data[shape.SIZE] * control[fields.RATIO],
        connection=data[shape.CONNECTION],
        curtail_slope=reciprocal(data[shape.CURTAIL_PULL] * looseness),
        batteries=batteries,
        loads=loads,
    )
