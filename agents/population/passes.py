"""The two passes of a Newton step: forward over the slots, and back.

The dual of a building's problem is concave and piecewise quadratic in its multipliers: the price
of energy pi_t of every slot's balance, the value of stored energy s_kt of every storage row, and
the price n_m that makes a shiftable load use its energy.  Given them, each variable answers alone,

    x = clip(offer / curvature, low, high),

where the offer is what the multipliers give for one more unit, less its cost at zero, plus the
pull of its last answer; and the violation of the balances is the gradient.  The Newton matrix adds,
for each free variable, its slope (1 / curvature) times the outer product of its column.
:func:`forward` evaluates the answers and eliminates, slot by slot; :func:`backward` substitutes
back and moves the multipliers.
"""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.agents.population import fields
from nashgrid.agents.population.day import (
    Day,
    Response,
    Tables,
    read_bounds,
    read_day,
    respond,
    respond_at_two_prices,
)
from nashgrid.agents.population.elimination import (
    Border,
    StorageChain,
    eliminate_balance,
    substitute_back,
)
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import (
    Carried,
    Lane,
    Tracer,
    Whole,
    absolute,
    fma,
    largest,
    where,
)


@dataclass
class Sums:
    """What the forward pass carries from slot to slot."""

    border: Border
    chain: StorageChain
    stored: list[Carried]
    residual: Carried
    decrement: Carried
    along: Carried


@dataclass
class SlotRows:
    """The rows at which the numbers of a slot begin, and its price of energy."""

    slot: Whole
    multipliers: Whole
    answer: Whole
    flat: Whole
    work: Whole
    price: Lane


@dataclass
class Balance:
    """The balance of a slot while its devices are being added: what it lacks, and its pivot."""

    right: Lane
    pivot: Lane


def forward(trace: Tracer, shape: Shape, tables: Tables, two_prices: bool = False) -> None:
    """Evaluate the answers at the multipliers, and eliminate the Newton system.

    Leaves the answers and the factors in the table of work; and the residual, the slopes of the
    dual along the new and the old step, and the step of the border in the table of control.
    """
    day = read_day(trace, shape, tables)
    sums = Sums(
        border=Border(trace, shape, day.guard),
        chain=StorageChain(trace, shape, day.guard),
        stored=[trace.carried() for _ in range(shape.batteries)],
        residual=trace.carried(),
        decrement=trace.carried(),
        along=trace.carried(),
    )
    with trace.slots(tables.slots) as slot:
        _slot(shape, tables, day, sums, slot, two_prices)
    border, residual = sums.border, sums.residual
    for m, load in enumerate(day.loads):
        border.right[m].add(load.energy)
        lacking = load.energy - border.use[m].get()
        residual.set(largest(absolute(lacking), residual.get()))
        sums.along.set(fma(lacking, tables.control[fields.OLD_BORDER + m], sums.along.get()))
    for m, step in enumerate(border.solve(sums.decrement)):
        tables.control[fields.BORDER + m] = step
    tables.control[fields.RESIDUAL] = residual.get()
    tables.control[fields.DECREMENT] = sums.decrement.get()
    tables.control[fields.ALONG] = sums.along.get()


def forward_at_two_prices(trace: Tracer, shape: Shape, tables: Tables) -> None:
    """The same where what is sold has a price of its own, in the row SALE."""
    forward(trace, shape, tables, two_prices=True)


def _trade(shape: Shape, tables: Tables, day: Day, rows: SlotRows, two_prices: bool) -> Response:
    """The answer of the trade."""
    offset = tables.work[rows.work + shape.OFFSET]
    bought = fma(day.trade_slope, rows.price, offset)
    if not two_prices:
        return respond(bought, -day.connection, day.connection, day.trade_slope)
    sold = fma(day.trade_slope, rows.price, tables.work[rows.work + shape.SALE])
    return respond_at_two_prices(bought, sold, day.connection, day.trade_slope)


def _slot(
    shape: Shape, tables: Tables, day: Day, sums: Sums, slot: Whole, two_prices: bool
) -> None:
    """One slot of the forward pass."""
    work = tables.work
    multiplier_row = slot * shape.price_rows + shape.shiftables
    rows = SlotRows(
        slot=slot,
        multipliers=multiplier_row,
        answer=slot * shape.answer_rows,
        flat=slot * tables.flat_stride,
        work=slot * shape.work_rows,
        price=tables.multipliers[multiplier_row],
    )
    net = work[rows.work + shape.NET]
    trade = _trade(shape, tables, day, rows, two_prices)
    curtail = respond(
        tables.answer[rows.answer] - day.curtail_slope * rows.price,
        0.0,
        work[rows.work + shape.AVAILABLE],
        day.curtail_slope,
    )
    work[rows.work + shape.TRADE] = trade.value
    work[rows.work + shape.CURTAILMENT] = curtail.value
    balance = Balance(net - trade.value + curtail.value, trade.slope + curtail.slope)
    loads = [_load(shape, tables, day, sums, rows, m, balance) for m in range(shape.shiftables)]
    storages = [
        _storage(shape, tables, day, sums, rows, k, balance) for k in range(shape.batteries)
    ]
    _eliminate(shape, tables, day, sums, rows, balance, loads, storages)


def _drawn(shape: Shape, tables: Tables, rows: SlotRows, at: int, pull: Lane, offer: Lane) -> Lane:
    """An offer, with the pull of the device's last answer where the class has flat devices."""
    return fma(pull, tables.flat[rows.flat + at], offer) if shape.flat else offer


def _load(
    shape: Shape, tables: Tables, day: Day, sums: Sums, rows: SlotRows, m: int, balance: Balance
) -> Response:
    """The answer of a shiftable load."""
    own = day.loads[m]
    at = 2 * shape.batteries + m
    preference, limit = (tables.work[rows.work + (shape.preference(m) + i)] for i in range(2))
    wish = _drawn(shape, tables, rows, at, own.pull, preference)
    offer = own.price - rows.price + wish
    load = respond(own.slope * offer, 0.0, limit, own.slope)
    if shape.flat:
        tables.work[rows.work + (shape.powers + at)] = load.value
    balance.right += load.value
    balance.pivot += load.slope
    sums.border.use[m].add(load.value)
    return load


@dataclass
class StorageRow:
    """A storage row before elimination: what it lacks, and its entries."""

    right: Lane
    diagonal: Lane
    couple: Lane
    link: Lane


def _storage(
    shape: Shape, tables: Tables, day: Day, sums: Sums, rows: SlotRows, k: int, balance: Balance
) -> StorageRow:
    """The answers of a battery: charge, discharge and stored energy."""
    own = day.batteries[k]
    value = tables.multipliers[rows.multipliers + (1 + k)]
    later = tables.multipliers[rows.multipliers + (1 + k + shape.price_rows)]
    limit = read_bounds(shape, tables, rows.slot, k)
    idle = [_drawn(shape, tables, rows, 2 * k + i, own.pull, -own.wear) for i in range(2)]
    charge = respond(
        own.slope * (fma(own.eta, value, idle[0]) - rows.price),
        0.0,
        limit[0],
        own.slope,
    )
    discharge = respond(
        own.slope * (fma(-own.inverse_eta, value, idle[1]) + rows.price),
        0.0,
        limit[1],
        own.slope,
    )
    keep = respond(
        fma(own.stored_slope, later - value, tables.answer[rows.answer + (1 + k)]),
        limit[2],
        limit[3],
        own.stored_slope,
    )
    work = tables.work
    work[rows.work + (shape.CURTAILMENT + 1 + k)] = keep.value
    if shape.flat:
        work[rows.work + (shape.powers + 2 * k)] = charge.value
        work[rows.work + (shape.powers + 2 * k + 1)] = discharge.value
    balance.right += charge.value - discharge.value
    balance.pivot += charge.slope + discharge.slope
    lost = fma(own.inverse_eta, discharge.value, keep.value - sums.stored[k].get())
    sums.stored[k].set(keep.value)
    gained, given = own.eta * charge.slope, own.inverse_eta * discharge.slope
    return StorageRow(
        right=fma(-own.eta, charge.value, lost),
        diagonal=fma(own.eta, gained, own.inverse_eta * given),
        couple=-(gained + given),
        link=keep.slope,
    )


def _eliminate(
    shape: Shape,
    tables: Tables,
    day: Day,
    sums: Sums,
    rows: SlotRows,
    balance: Balance,
    loads: list[Response],
    storages: list[StorageRow],
) -> None:
    """Eliminate the slot's rows and keep the factors."""
    violation = largest(absolute(balance.right), sums.residual.get())
    for row in storages:
        violation = largest(absolute(row.right), violation)
    sums.residual.set(violation)
    for i, right in enumerate([balance.right, *(row.right for row in storages)]):
        step = tables.work[rows.work + (shape.step + i)]
        sums.along.set(fma(right, step, sums.along.get()))
    reduced = eliminate_balance(
        day.guard,
        balance.pivot,
        balance.right,
        [row.couple for row in storages],
        [-load.slope for load in loads],
    )
    sums.decrement.set(fma(balance.right, reduced.right, sums.decrement.get()))
    for i, factor in enumerate([reduced.right, *reduced.storage, *reduced.border]):
        tables.work[rows.work + (shape.balance_factor + i)] = factor
    for m, load in enumerate(loads):
        sums.border.right[m].add(-load.value)
        sums.border.matrix[m][m].add(load.slope)
    sums.border.reduce(reduced, balance.right)
    factors = sums.chain.eliminate(
        reduced,
        [row.right for row in storages],
        [row.diagonal for row in storages],
        [row.link for row in storages],
        sums.border,
        sums.decrement,
    )
    for i, factor in enumerate(factors):
        tables.work[rows.work + (shape.storage_factor + i)] = factor


def backward(trace: Tracer, shape: Shape, tables: Tables) -> None:
    """Substitute back, and move the multipliers by a share of the step.

    A lane marked fresh takes the step of the last :func:`forward`; the others go on along the step
    they were on (a share below zero goes back).
    """
    control, work, multipliers = tables.control, tables.work, tables.multipliers
    factor = control[fields.FACTOR]
    fresh = control[fields.FRESH].compare(">", 0.5)
    border: list[Lane] = []
    for m in range(shape.shiftables):
        move = where(fresh, control[fields.BORDER + m], control[fields.OLD_BORDER + m])
        control[fields.OLD_BORDER + m] = move
        multipliers[m] = fma(factor, move, multipliers[m])
        border.append(move)
    later = [trace.carried() for _ in range(shape.batteries)]
    with trace.slots(tables.slots, backward=True) as slot:
        row = slot * shape.work_rows
        at = slot * shape.price_rows + shape.shiftables
        steps = substitute_back(shape, work, row, [cell.get() for cell in later], border)
        for cell, step in zip(later, steps[1:]):
            cell.set(step)
        for i, step in enumerate(steps):
            move = where(fresh, step, work[row + (shape.step + i)])
            work[row + (shape.step + i)] = move
            multipliers[at + i] = fma(factor, move, multipliers[at + i])
