"""Cost and dual bound of the last answers: a proof of how good each of them is.

For any multipliers, the sum of the balances' right sides times their multipliers and of each
variable's least contribution within its bounds is below the least cost (weak duality).  That value
is closed-form; no proximal term takes part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numba import njit

from nashgrid.agents.population import fields
from nashgrid.agents.population.day import Tables, read_bounds
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import call_pass, place, take_rows
from nashgrid.agents.population.keyed_cache import source_digest
from nashgrid.agents.population.lanes import (
    WIDTH,
    Carried,
    Lane,
    Tracer,
    Whole,
    absolute,
    clip,
    fma,
    largest,
    reciprocal,
    smallest,
    where,
)
from nashgrid.agents.population.profiles import take_profiles

NO_CURVATURE = 1e-30  # stands for 0 where an answer is an offer over a curvature
AT_LIMIT = 1 - 1e-9  # share of the connection from which a trade counts as limited
UNBOUNDED = 1e7  # kW slots; a stored energy that far is bounded elsewhere

COST, BOUND, FACTOR = fields.COST, fields.BOUND, fields.FACTOR
OFFSET, SALE, NET, AVAILABLE = Shape.OFFSET, Shape.SALE, Shape.NET, Shape.AVAILABLE
TRADE, CURTAILMENT = Shape.TRADE, Shape.CURTAILMENT


@dataclass
class Totals:
    """The two sums over the day."""

    cost: Carried
    bound: Carried


def assess(trace: Tracer, shape: Shape, tables: Tables, two_prices: bool = False) -> None:
    """Device cost and dual bound of a block.

    The table of work holds, per slot, price, price of sale, trade and target in the rows OFFSET,
    SALE, TRADE and CURTAILMENT; the row STIFFNESS of the control holds rho.  At rho = 0 the price
    of energy in the building is the quoted one, except where the trade is at its limit, or rests
    between two prices.
    """
    totals = Totals(trace.carried(), trace.carried())
    later = [trace.carried() for _ in range(shape.batteries)]
    data, control = tables.data, tables.control
    with trace.slots(tables.slots, backward=True) as slot:
        work_row = slot * shape.work_rows
        inside = tables.multipliers[slot * shape.price_rows + shape.shiftables]
        price, part = _least_of_trade(shape, tables, work_row, inside, two_prices)
        available = tables.work[work_row + AVAILABLE]
        part = fma(price, tables.work[work_row + NET], part)
        part = fma(smallest(price, 0.0), available, part)
        totals.bound.add(part)
        for m in range(shape.shiftables):
            _assess_load(shape, tables, totals, slot, m, inside, price)
        for k in range(shape.batteries):
            _assess_battery(shape, tables, totals, slot, k, inside, price, later[k])
    for m in range(shape.shiftables):
        energy = data[shape.shiftable(m) + shape.LOAD_ENERGY]
        totals.bound.add(tables.multipliers[m] * energy)
    control[COST] = totals.cost.get()
    control[BOUND] = totals.bound.get()


def assess_at_two_prices(trace: Tracer, shape: Shape, tables: Tables) -> None:
    """The same where what is sold has a price of its own."""
    assess(trace, shape, tables, two_prices=True)


def _least_of_trade(
    shape: Shape, tables: Tables, row: Whole, inside: Lane, two_prices: bool
) -> tuple[Lane, Lane]:
    """The price of energy inside that the bound goes by, and the trade's part of the bound.

    The least over |p| <= connection of max(r p, f p) + rho / 2 (p - z)^2 / size - price p.
    """
    data, work, stiffness = tables.data, tables.work, tables.control[fields.STIFFNESS]
    size, connection = data[shape.SIZE], data[shape.CONNECTION]
    quoted, trade, target = (work[row + at] for at in (OFFSET, TRADE, CURTAILMENT))
    sold = work[row + SALE] if two_prices else quoted
    rest = quoted
    if two_prices:
        rest = where(trade.compare(">", 0.0), quoted, clip(inside, sold, quoted))
        rest = where(trade.compare("<", 0.0), sold, rest)
    limit = connection * AT_LIMIT
    above = where(trade.compare(">=", limit), largest(inside - quoted, 0.0), 0.0)
    below = where(trade.compare("<=", -limit), smallest(inside - sold, 0.0), 0.0)
    price = where(stiffness.compare("==", 0.0), rest + above + below, inside)
    slope = size * reciprocal(largest(stiffness, NO_CURVATURE))
    answer = fma(slope, price - quoted, target)
    if two_prices:
        answer = largest(answer, 0.0) + smallest(fma(slope, price - sold, target), 0.0)
    answer = clip(answer, -connection, connection)
    away = answer - target
    part = (stiffness * away * away * 0.5) / size
    if not two_prices:
        return price, fma(quoted - price, answer, part)
    part = fma(quoted - price, largest(answer, 0.0), part)
    return price, fma(sold - price, smallest(answer, 0.0), part)


def _answer(
    shape: Shape,
    tables: Tables,
    slot: Whole,
    at: int,
    offer: Lane,
    curvature: Lane,
    pull: Lane,
    limit: Lane,
) -> Lane:
    """What a device answered: its last answer where it is drawn to one, else by the multipliers."""
    free = clip(offer * reciprocal(largest(curvature, NO_CURVATURE)), 0.0, limit)
    if not shape.flat:
        return free
    return where(pull.compare(">", 0.0), tables.flat[slot * tables.flat_stride + at], free)


def _least(offer: Lane, curvature: Lane, limit: Lane) -> Lane:
    """min over 0 <= x <= limit of curvature / 2 x^2 - offer x."""
    x = clip(offer * reciprocal(largest(curvature, NO_CURVATURE)), 0.0, limit)
    return x * (curvature * x * 0.5 - offer)


def _assess_load(
    shape: Shape, tables: Tables, totals: Totals, slot: Whole, m: int, inside: Lane, price: Lane
) -> None:
    """A shiftable load's part."""
    data = tables.data
    row, first = slot * shape.work_rows + shape.preference(m), shape.shiftable(m)
    curvature, pull = data[first + shape.LOAD_CURVATURE], data[first + shape.LOAD_PULL]
    wish, limit = tables.work[row], tables.work[row + 1]
    offer = tables.multipliers[m] + wish
    at = 2 * shape.batteries + m
    power = _answer(shape, tables, slot, at, offer - inside, curvature, pull, limit)
    missed = wish * wish * reciprocal(largest(curvature, NO_CURVATURE)) * 0.5
    totals.cost.add(fma(power, curvature * power * 0.5 - wish, missed))
    totals.bound.add(_least(offer - price, curvature, limit) + missed)


def _assess_battery(
    shape: Shape,
    tables: Tables,
    totals: Totals,
    slot: Whole,
    k: int,
    inside: Lane,
    price: Lane,
    later: Carried,
) -> None:
    """A battery's part, going back from the last slot."""
    data, row = tables.data, shape.battery(k)
    eta, inverse_eta, curvature, wear, pull = (
        data[row + at]
        for at in (shape.ETA, shape.INVERSE_ETA, shape.CURVATURE, shape.WEAR, shape.PULL)
    )
    charge, discharge, low, high = read_bounds(shape, tables, slot, k)
    own = tables.multipliers[slot * shape.price_rows + (shape.shiftables + 1 + k)]
    bid, ask = fma(eta, own, -wear) - inside, inside - fma(inverse_eta, own, wear)
    power = _answer(shape, tables, slot, 2 * k, bid, curvature, pull, charge)
    back = _answer(shape, tables, slot, 2 * k + 1, ask, curvature, pull, discharge)
    totals.cost.add(wear * (power + back) + curvature * (power * power + back * back) * 0.5)
    # Any value of stored energy gives a bound; where the energy is bounded by another slot's
    # bounds, only the value that holds there gives a good one.
    value = where(absolute(high).compare(">", UNBOUNDED), later.get(), own)
    drop = value - later.get()
    later.set(value)
    kept = smallest(drop * low, drop * high)
    bought = _least(fma(eta, value, -wear) - price, curvature, charge)
    sold = _least(price - fma(inverse_eta, value, wear), curvature, discharge)
    totals.bound.add(bought + sold + kept)


def _define_assess_blocks(digest: str) -> Any:
    @njit(nogil=True, cache=True)
    def assess_blocks(
        address: Any, blocks: Any, quote: Any, scratch: Any, start: Any, stop: Any, cost: Any,
        bound: Any,
    ) -> Any:  # fmt: skip
        """Cost and bound (currency per slot hour) of the agents of the blocks start .. stop - 1."""
        digest  # noqa: B018 - part of the key of the cache
        slots = quote.target.shape[1]
        step, control, work = blocks.counts[4], scratch.control, scratch.work
        for block in range(start, stop):
            rows = place(blocks.rows, block)
            take_rows(quote.price, quote.own_price, rows, work, OFFSET, step, slots)
            take_rows(quote.sale_price, quote.own_sale_price, rows, work, SALE, step, slots)
            take_rows(quote.trade, 1, rows, work, TRADE, step, slots)
            take_rows(quote.target, 1, rows, work, CURTAILMENT, step, slots)
            take_profiles(blocks, block, work, slots)
            first, pattern = blocks.bounds_at[block, 0], blocks.bounds_at[block, 1]
            call_pass(
                address, place(blocks.data, block), place(blocks.multipliers, block),
                place(blocks.answer, block), place(blocks.flat, block * blocks.flat_strides[0]),
                blocks.flat_strides[1], place(blocks.bounds, first),
                place(blocks.patterns, pattern), work, control, slots,
            )  # fmt: skip
            for lane in range(min(WIDTH, blocks.real - block * WIDTH)):
                cost[blocks.rows[block, lane]] = control[COST, lane]
                bound[blocks.rows[block, lane]] = control[BOUND, lane]

    return assess_blocks


assess_blocks = _define_assess_blocks(source_digest())
