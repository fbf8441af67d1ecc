"""The queue of stragglers: lanes refilled as they finish, and a line search on the dual.

The buildings that the blocks' few full steps leave open are copied, one by one, into the lanes of a
working block.  Each lane runs a guarded Newton method of its own: a step is taken if the dual rises
enough, else halved.  A lane that has not converged after `ALLOWED` evaluations starts again with
half, then with twice the guard D; then it is left to :mod:`.alone`.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import call_pass, fused
from nashgrid.agents.population.keyed_cache import source_digest
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.profiles import copy_profiles

GUARD, FACTOR, FRESH = fields.GUARD, fields.FACTOR, fields.FRESH
RESIDUAL, DECREMENT, ALONG = fields.RESIDUAL, fields.DECREMENT, fields.ALONG
SIZE, TOLERANCE, BOUND_ROWS = Shape.SIZE, Shape.TOLERANCE, Shape.BOUND_ROWS
OFFSET, SALE = Shape.OFFSET, Shape.SALE
TRADE, CURTAILMENT = Shape.TRADE, Shape.CURTAILMENT
NAN = float("nan")

ALLOWED = 600  # evaluations per attempt; T = 96 takes 53 on average
ATTEMPTS = 3
TURN = 0.5  # a step is taken if the dual's slope at its end is above minus this share of the first
SHORTEST = 1e-6  # a shorter share of the step is taken whatever the dual does


@njit
def copy_lane(table: Any, source: Any, other: Any, lane: Any) -> Any:
    """Copy one lane of a table into a lane of another."""
    for row in range(other.shape[0]):
        other[row, lane] = table[row, source]


@njit
def copy_slots(
    work: Any, row: Any, step: Any, source: Any, table: Any, rows: Any, lane: Any
) -> Any:
    """Copy `rows` rows of each slot, from `row` of the table of work, into a lane of a table."""
    for slot in range(work.shape[0] // step):
        for i in range(rows):
            table[slot * rows + i, lane] = work[slot * step + row + i, source]


@njit
def copy_bounds(table: Any, first: Any, pattern: Any, source: Any, bounds: Any, lane: Any) -> Any:
    """Copy a building's bounds, written out for every slot."""
    for at in range(pattern.shape[0]):
        for i in range(BOUND_ROWS):
            bounds[at * BOUND_ROWS + i, lane] = table[first + pattern[at] + i, source]


@njit
def take_quote(
    work: Any, step: Any, lane: Any, slope: Any, price: Any, sale_price: Any, target: Any
) -> Any:
    """Put a building's quote into its lane: z - w lambda / rho, the trade at price zero inside.

    Rounded as in :func:`.transfer.take_quotes`, so that it does not matter who does it.
    """
    for slot in range(price.shape[0]):
        work[slot * step + OFFSET, lane] = fused(-slope, price[slot], target[slot])
        work[slot * step + SALE, lane] = fused(-slope, sale_price[slot], target[slot])


@njit
def start_cold(
    multipliers: Any, lane: Any, shiftables: Any, price_rows: Any, price: Any, sale_price: Any
) -> Any:
    """Multipliers without experience: midway between the quoted prices, their mean for stores."""
    mean = 0.0
    for slot in range(price.shape[0]):
        mean += 0.5 * (price[slot] + sale_price[slot]) / price.shape[0]
    for m in range(shiftables):
        multipliers[m, lane] = mean
    for at in range(price.shape[0] * price_rows):
        slot = at // price_rows
        own = 0.5 * (price[slot] + sale_price[slot])
        multipliers[shiftables + at, lane] = own if at % price_rows == 0 else mean


@njit
def next_share(control: Any, lane: Any, share: Any, slope: Any) -> Any:
    """Take the step just evaluated, or go back along it to where the dual should be highest.

    The dual is concave along the step, and its slope there changes sign at the highest point.  The
    slope stays accurate where differences of the dual itself are lost in rounding.
    """
    along = control[ALONG, lane]
    if along >= -TURN * slope[lane] or share[lane] < SHORTEST:
        slope[lane] = control[DECREMENT, lane]
        share[lane] = 1.0
        control[FACTOR, lane] = 1.0
        control[FRESH, lane] = 1.0
    else:
        shorter = share[lane] * min(max(slope[lane] / (slope[lane] - along), 0.1), 0.7)
        control[FACTOR, lane] = shorter - share[lane]
        control[FRESH, lane] = 0.0
        share[lane] = shorter


@njit(inline="always")
def enter_lane(blocks: Any, quote: Any, scratch: Any, lane: Any, agent: Any) -> Any:
    """Put a building into a lane of the working block."""
    block, source = divmod(agent, WIDTH)
    row = blocks.rows[block, source]
    copy_lane(blocks.data[block], source, scratch.data, lane)
    copy_lane(blocks.multipliers[block], source, scratch.multipliers, lane)
    copy_lane(blocks.answer[block], source, scratch.answer, lane)
    copy_lane(blocks.flat[block * blocks.flat_strides[0]], source, scratch.flat, lane)
    copy_bounds(
        blocks.bounds,
        blocks.bounds_at[block, 0],
        blocks.patterns[blocks.bounds_at[block, 1]],
        source,
        scratch.bounds,
        lane,
    )
    copy_profiles(blocks, block, source, scratch.data, scratch.work, lane)
    take_quote(
        scratch.work,
        blocks.counts[4],
        lane,
        scratch.data[SIZE, lane] * quote.inverse_rho,
        quote.price[row * quote.own_price],
        quote.sale_price[row * quote.own_sale_price],
        quote.target[row],
    )
    scratch.agent[lane] = agent
    scratch.attempt[lane] = 0
    scratch.tried[lane] = 0
    scratch.share[lane] = 0.0
    scratch.control[GUARD, lane] = quote.guard


@njit(inline="always")
def leave_lane(blocks: Any, quote: Any, scratch: Any, lane: Any) -> Any:
    """Write a converged lane's answer to its building."""
    block, source = divmod(scratch.agent[lane], WIDTH)
    row = blocks.rows[block, source]
    step = blocks.counts[4]
    copy_lane(scratch.multipliers, lane, blocks.multipliers[block], source)
    copy_slots(
        scratch.work, CURTAILMENT, step, lane, blocks.answer[block], blocks.counts[1], source
    )
    if blocks.flat_strides[0] > 0:
        copy_slots(
            scratch.work, blocks.counts[5], step, lane, blocks.flat[block], blocks.counts[2], source
        )
    for slot in range(quote.trade.shape[1]):
        quote.trade[row, slot] = scratch.work[slot * step + TRADE, lane]
    quote.evaluations[row] += scratch.attempt[lane] * ALLOWED + scratch.tried[lane]
    scratch.agent[lane] = -1
    scratch.control[FACTOR, lane] = 0.0


@njit(inline="always")
def start_again(blocks: Any, quote: Any, scratch: Any, lane: Any) -> Any:
    """Another attempt with another guard, or give the building up."""
    block, source = divmod(scratch.agent[lane], WIDTH)
    row = blocks.rows[block, source]
    start_cold(
        scratch.multipliers,
        lane,
        blocks.shiftables,
        blocks.counts[0],
        quote.price[row * quote.own_price],
        quote.sale_price[row * quote.own_sale_price],
    )
    scratch.attempt[lane] += 1
    scratch.tried[lane] = 0
    scratch.share[lane] = 0.0
    scratch.control[FACTOR, lane] = 0.0
    scratch.control[FRESH, lane] = 1.0
    scratch.control[GUARD, lane] = quote.guard * (2.0 if scratch.attempt[lane] == 1 else 0.5)
    if scratch.attempt[lane] == ATTEMPTS:
        copy_lane(scratch.multipliers, lane, blocks.multipliers[block], source)
        quote.evaluations[row] = 0
        for slot in range(quote.trade.shape[1]):
            quote.trade[row, slot] = NAN
        scratch.agent[lane] = -1


def _define_answer_queue(digest: str) -> Any:
    @njit(nogil=True, cache=True)
    def answer_queue(blocks: Any, quote: Any, scratch: Any, waiting: Any) -> Any:
        """Answer for the first `waiting` buildings of the queue."""
        digest  # noqa: B018 - part of the key of the cache
        slots = quote.target.shape[1]
        control = scratch.control
        head = 0
        while True:
            active = 0
            for lane in range(WIDTH):
                if scratch.agent[lane] < 0 and head < waiting:
                    enter_lane(blocks, quote, scratch, lane, scratch.queue[head])
                    head += 1
                if scratch.agent[lane] >= 0:
                    active += 1
            if active == 0:
                return
            call_pass(
                blocks.forward, scratch.data, scratch.multipliers, scratch.answer, scratch.flat,
                blocks.flat_strides[1], scratch.bounds, scratch.pattern, scratch.work, control,
                slots,
            )  # fmt: skip
            for lane in range(WIDTH):
                if scratch.agent[lane] < 0:
                    control[FACTOR, lane] = 0.0
                    continue
                scratch.tried[lane] += 1
                within = control[RESIDUAL, lane] <= scratch.data[TOLERANCE, lane]
                if within and control[DECREMENT, lane] >= 0.0:  # else not a number
                    leave_lane(blocks, quote, scratch, lane)
                elif scratch.tried[lane] < ALLOWED:
                    next_share(control, lane, scratch.share, scratch.slope)
                else:
                    start_again(blocks, quote, scratch, lane)
            call_pass(
                blocks.backward, scratch.data, scratch.multipliers, scratch.answer, scratch.flat,
                blocks.flat_strides[1], scratch.bounds, scratch.pattern, scratch.work, control,
                slots,
            )  # fmt: skip

    return answer_queue


answer_queue = _define_answer_queue(source_digest())
