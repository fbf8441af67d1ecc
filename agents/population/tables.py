"""The arrays that the compiled functions are handed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import WIDTH

Doubles = NDArray[np.float64]
Integers = NDArray[np.int32]


class Blocks(NamedTuple):
    """All blocks of one class; see :mod:`.fields` for the rows, W is the number of lanes.

    Attributes
    ----------
    forward, backward : addresses of the compiled passes of the class's shape
    shiftables : shiftable loads per building, M
    counts : rows per slot of multipliers, last answer, flat answer, bounds and work; rows of the
        flat answer and of the shiftable loads' profiles in the table of work
    profiles : addresses of the buildings' own tables: load and available generation, preferred
        and largest power of shiftable loads; read where they are, a row per building or load
    loads : (B, M, W), rows of the shiftable loads in those tables
    data, multipliers : (B, rows, W)
    answer : (B, rows, W), single precision
    flat : (B, rows, W), or (1, rows, W) of zeros where no agent needs it
    flat_strides : blocks and rows from one entry of `flat` to the next; 0 where it is shared
    bounds : (rows, W), the blocks' bounds one after another, without repetition
    bounds_at : (B, 2), first row of a block's bounds, and row of its pattern
    patterns : (P, T K), where the bounds of slot and battery are, from the block's first row on
    rows : (B, W), the population's row of each lane
    real : number of lanes that are agents; the rest fills the last block
    """

    forward: int
    backward: int
    shiftables: int
    counts: tuple[int, int, int, int, int, int, int]
    profiles: tuple[int, int, int, int]
    loads: Integers
    data: Doubles
    multipliers: Doubles
    answer: NDArray[np.float32]
    flat: Doubles
    flat_strides: tuple[int, int]
    bounds: Doubles
    bounds_at: Integers
    patterns: Integers
    rows: Integers
    real: int


def shape_of(blocks: Blocks) -> Shape:
    """The device set that the agents of the blocks share."""
    return Shape(blocks.counts[0] - 1, blocks.shiftables, blocks.flat_strides[0] > 0)


class Quote(NamedTuple):
    """What the agents answer to, and where the answers go.

    Attributes
    ----------
    price : (1, T) or (n, T), of what is bought [currency/kWh]
    own_price : 1 if every row has its own price, else 0
    sale_price : (1, T) or (n, T), of what is sold [currency/kWh]
    own_sale_price : 1 if every row has its own price of sale, else 0
    two_prices : 1 if the two prices differ, else 0
    target : (n, T) [kW]
    trade : (n, T), written [kW]
    evaluations : (n,), written: evaluations it took; 0 for a failure
    inverse_rho : slope of the trade per unit of size [kWh/currency]
    looseness : scale of the proximal terms
    guard : 1 / D [kWh/currency]
    """

    price: Doubles
    own_price: int
    sale_price: Doubles
    own_sale_price: int
    two_prices: int
    target: Doubles
    trade: Doubles
    evaluations: NDArray[np.int32]
    inverse_rho: float
    looseness: float
    guard: float


class Scratch(NamedTuple):
    """What one thread works in: tables of one block, and the state of its lanes.

    Attributes
    ----------
    work, control : (rows, W)
    data, multipliers, answer, flat, bounds : (rows, W), the working block of the stragglers
    pattern : (T K,), where its bounds are: written out for every slot
    queue : (agents of a chunk,) stragglers, as block * W + lane
    agent : (W,) who stands in a lane of the working block, or -1
    tried, attempt : (W,) evaluations in this attempt, and attempts before it
    share, slope : (W,) share of the step being tried, and slope of the dual at its start
    """

    work: Doubles
    control: Doubles
    data: Doubles
    multipliers: Doubles
    answer: NDArray[np.float32]
    flat: Doubles
    bounds: Doubles
    pattern: Integers
    queue: NDArray[np.int64]
    agent: NDArray[np.int64]
    tried: NDArray[np.int64]
    attempt: NDArray[np.int64]
    share: Doubles
    slope: Doubles


def make_scratch(blocks: Blocks, quote: Quote, chunk: int) -> Scratch:
    """Working memory for `chunk` blocks of a class, told the quote."""
    slots, batteries = quote.target.shape[1], blocks.counts[0] - 1
    control = np.zeros((fields.CONTROL_ROWS, WIDTH))
    control[fields.GUARD] = quote.guard
    control[fields.RATIO] = quote.inverse_rho
    control[fields.LOOSENESS] = quote.looseness
    control[fields.FRESH] = 1.0
    return Scratch(
        work=np.zeros((slots * blocks.counts[4], WIDTH)),
        control=control,
        data=blocks.data[0].copy(),
        multipliers=blocks.multipliers[0].copy(),
        answer=blocks.answer[0].copy(),
        flat=blocks.flat[0].copy(),
        bounds=np.zeros((slots * blocks.counts[3], WIDTH)),
        pattern=np.arange(slots * batteries, dtype=np.int32) * Shape.BOUND_ROWS,
        queue=np.empty(chunk * WIDTH, np.int64),
        agent=np.full(WIDTH, -1),
        tried=np.zeros(WIDTH, np.int64),
        attempt=np.zeros(WIDTH, np.int64),
        share=np.zeros(WIDTH),
        slope=np.zeros(WIDTH),
    )
