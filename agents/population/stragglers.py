"""The queue of stragglers: lanes refilled as they finish, and a line search on the dual.

The buildings that the blocks' few full steps leave open are copied, one by one, into the lanes of a
working block.  Each lane runs a guarded Newton method of its own: a step is taken if the dual rises
enough, else halved.  A lane that has not converged after `ALLOWED` evaluations starts again with
half, then with twice the guard D; then it is reported as failed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import backward, forward
from nashgrid.agents.population.lanes import WIDTH

GUARD, RATIO, FACTOR, FRESH = fields.GUARD, fields.RATIO, fields.FACTOR, fields.FRESH
LOOSENESS, RESIDUAL = fields.LOOSENESS, fields.RESIDUAL
DECREMENT, DUAL, ALONG = fields.DECREMENT, fields.DUAL, fields.ALONG
SIZE, TOLERANCE = Shape.SIZE, Shape.TOLERANCE
OFFSET, TRADE, CURTAILMENT = Shape.OFFSET, Shape.TRADE, Shape.CURTAILMENT
CONTROL_ROWS = fields.CONTROL_ROWS

ALLOWED = 600  # evaluations per attempt; T = 96 takes 53 on average
ATTEMPTS = 3
RISE = 1e-4  # share of the predicted rise of the dual that a step must bring
TURN = 0.5  # ... or the slope at its end, downwards, as a share of the slope at its start
CLEAR = 1e-10  # share of the dual's value above which a rise stands out from rounding
SHORTEST = 1e-6  # a shorter share of the step is taken whatever the dual does


@njit
def converged(control: Any, tolerance: Any, lane: Any) -> Any:
    """Whether the lane's balances hold; never where its numbers are not finite."""
    dual = control[DUAL, lane]
    return control[RESIDUAL, lane] <= tolerance and dual - dual == 0.0


@njit
def take_quote(work: Any, work_rows: Any, control: Any, lane: Any, size: Any, quote: Any,
               row: Any) -> Any:
    """Put a building's quote into its lane: z - w lambda / rho, the trade at price zero inside."""
    control[GUARD, lane] = quote.guard
    control[RATIO, lane] = quote.inverse_rho
    control[LOOSENESS, lane] = quote.looseness
    slope = size * quote.inverse_rho
    price = quote.price[row * quote.own_price]
    for slot in range(price.shape[0]):
        work[slot * work_rows + OFFSET, lane] = quote.target[row, slot] - slope * price[slot]


@njit
def keep_answer(blocks: Any, block: Any, lane: Any, work: Any, source: Any, trade: Any) -> Any:
    """Write a lane's trade, and what its next answer is drawn towards."""
    work_rows, flat_row = blocks.counts[5], blocks.counts[6]
    answer_rows, flat_rows = blocks.counts[2], blocks.counts[3]
    answer = blocks.answer[block]
    for slot in range(trade.shape[0]):
        trade[slot] = work[slot * work_rows + TRADE, source]
        for i in range(answer_rows):
            answer[slot * answer_rows + i, lane] = work[slot * work_rows + CURTAILMENT + i, source]
    if blocks.flat_strides[0] > 0:
        flat = blocks.flat[block]
        for slot in range(trade.shape[0]):
            for i in range(flat_rows):
                flat[slot * flat_rows + i, lane] = work[slot * work_rows + flat_row + i, source]


@njit
def copy_lane(table: Any, source: Any, other: Any, lane: Any) -> Any:
    """Copy one lane of a table into a lane of another."""
    for row in range(other.shape[0]):
        other[row, lane] = table[row, source]


@njit
def copy_bounds(blocks: Any, block: Any, source: Any, bounds: Any, lane: Any) -> Any:
    """Copy a building's bounds, written out for every slot."""
    rows = blocks.counts[4]
    if rows == 0:
        return
    first, stride = blocks.bounds_at[block]
    slots = bounds.shape[0] // rows
    for slot in range(slots):
        entry = slot * stride
        if slot == slots - 1 and stride == 0:
            entry = 1
        for i in range(rows):
            bounds[slot * rows + i, lane] = blocks.bounds[first + entry * rows + i, source]


@njit
def start_cold(multipliers: Any, lane: Any, shiftables: Any, price_rows: Any, price: Any) -> Any:
    """Multipliers without experience: the quoted price, and its mean for what is stored."""
    slots = price.shape[0]
    mean = 0.0
    for slot in range(slots):
        mean += price[slot] / slots
    for m in range(shiftables):
        multipliers[m, lane] = mean
    for slot in range(slots):
        multipliers[shiftables + slot * price_rows, lane] = price[slot]
        for k in range(1, price_rows):
            multipliers[shiftables + slot * price_rows + k, lane] = mean


@njit
def next_share(control: Any, lane: Any, share: Any, base: Any, slope: Any) -> Any:
    """Take the step just evaluated, or go back along it to where the dual should be highest.

    The dual is concave along the step; its slope there changes sign at the highest point.  Where
    the rise expected is lost in the rounding of the dual, the slope alone decides.
    """
    dual, along = control[DUAL, lane], control[ALONG, lane]
    expected = share[lane] * slope[lane]
    if expected > CLEAR * abs(dual):
        enough = dual >= base[lane] + RISE * expected
    else:
        enough = along >= -TURN * slope[lane]
    if enough or share[lane] < SHORTEST:
        base[lane] = dual
        slope[lane] = control[DECREMENT, lane]
        share[lane] = 1.0
        control[FACTOR, lane] = 1.0
        control[FRESH, lane] = 1.0
    else:
        shorter = share[lane] * min(max(slope[lane] / (slope[lane] - along), 0.1), 0.7)
        control[FACTOR, lane] = shorter - share[lane]
        control[FRESH, lane] = 0.0
        share[lane] = shorter


@njit
def answer_queue(blocks: Any, quote: Any, queue: Any, waiting: Any, cold: Any) -> Any:
    """Answer for the buildings of the queue (numbers of lanes, block * W + lane)."""
    slots = quote.target.shape[1]
    batteries, shiftables = blocks.batteries, blocks.shiftables
    work_rows, price_rows = blocks.counts[5], blocks.counts[1]
    flat_stride = blocks.flat_strides[1]
    work = np.zeros((slots * work_rows, WIDTH))
    control = np.zeros((CONTROL_ROWS, WIDTH))
    data = np.ones(blocks.data.shape[1:])
    multipliers = np.zeros(blocks.multipliers.shape[1:])
    answer = np.zeros(blocks.answer.shape[1:], np.float32)
    flat = np.zeros(blocks.flat.shape[1:])
    bounds = np.zeros((slots * blocks.counts[4], WIDTH))
    agent = np.full(WIDTH, -1)
    count = np.zeros(WIDTH, np.int64)
    attempt = np.zeros(WIDTH, np.int64)
    share, base, slope = np.zeros(WIDTH), np.zeros(WIDTH), np.zeros(WIDTH)
    head = 0
    while True:
        active = 0
        for lane in range(WIDTH):
            if agent[lane] < 0 and head < waiting:
                agent[lane] = queue[head]
                head += 1
                block, source = divmod(agent[lane], WIDTH)
                row = blocks.rows[block, source]
                copy_lane(blocks.data[block], source, data, lane)
                copy_lane(blocks.multipliers[block], source, multipliers, lane)
                copy_lane(blocks.answer[block], source, answer, lane)
                copy_lane(blocks.flat[block * blocks.flat_strides[0]], source, flat, lane)
                copy_bounds(blocks, block, source, bounds, lane)
                take_quote(work, work_rows, control, lane, data[SIZE, lane], quote, row)
                if cold:
                    start_cold(multipliers, lane, len(shiftables), price_rows,
                               quote.price[row * quote.own_price])
                count[lane] = 0
                attempt[lane] = 0
                base[lane] = -np.inf
                slope[lane] = 0.0
                share[lane] = 0.0
            if agent[lane] >= 0:
                active += 1
        if active == 0:
            return
        forward(batteries, shiftables, data, multipliers, answer, flat, flat_stride, bounds, 0, 1,
                slots - 1, work, control, slots)
        for lane in range(WIDTH):
            if agent[lane] < 0:
                control[FACTOR, lane] = 0.0
                continue
            count[lane] += 1
            block, source = divmod(agent[lane], WIDTH)
            row = blocks.rows[block, source]
            if converged(control, data[TOLERANCE, lane], lane):
                copy_lane(multipliers, lane, blocks.multipliers[block], source)
                keep_answer(blocks, block, source, work, lane, quote.trade[row])
                quote.evaluations[row] += attempt[lane] * ALLOWED + count[lane]
                agent[lane] = -1
                control[FACTOR, lane] = 0.0
            elif count[lane] < ALLOWED and control[DUAL, lane] - control[DUAL, lane] == 0.0:
                next_share(control, lane, share, base, slope)
            else:
                attempt[lane] += 1
                count[lane] = 0
                share[lane] = 0.0
                control[FACTOR, lane] = 0.0
                control[FRESH, lane] = 1.0
                control[GUARD, lane] = quote.guard * (2.0 if attempt[lane] == 1 else 0.5)
                start_cold(multipliers, lane, len(shiftables), price_rows,
                           quote.price[row * quote.own_price])
                if attempt[lane] == ATTEMPTS:
                    copy_lane(multipliers, lane, blocks.multipliers[block], source)
                    quote.evaluations[row] = 0
                    quote.trade[row, :] = np.nan
                    agent[lane] = -1
        backward(batteries, shiftables, data, multipliers, answer, flat, flat_stride, bounds, 0, 1,
                 slots - 1, work, control, slots)
