"""The arrays that the compiled functions are handed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


class Blocks(NamedTuple):
    """All blocks of one class; see :mod:`.fields` for the rows, W is the number of lanes.

    Attributes
    ----------
    batteries, shiftables : tuples whose lengths are K and M
    counts : rows per slot of data, multipliers, last answer, flat answer, bounds and work; row of
        the flat answer in the table of work
    data, multipliers : (B, rows, W)
    answer : (B, rows, W), single precision
    flat : (B, rows, W), or (1, rows, W) of zeros where no agent needs it
    flat_strides : blocks and rows from one entry of `flat` to the next; 0 where it is shared
    bounds : (rows, W), the blocks' bounds one after another
    bounds_at : (B, 2), first row and stride in entries (0: one entry for the day, one for its end)
    rows : (B, W), the population's row of each lane
    real : number of lanes that are agents; the rest fills the last block
    """

    batteries: tuple[int, ...]
    shiftables: tuple[int, ...]
    counts: tuple[int, int, int, int, int, int, int]
    data: Doubles
    multipliers: Doubles
    answer: NDArray[np.float32]
    flat: Doubles
    flat_strides: tuple[int, int]
    bounds: Doubles
    bounds_at: Integers
    rows: Integers
    real: int


class Quote(NamedTuple):
    """What the agents answer to, and where the answers go.

    Attributes
    ----------
    price : (1, T) or (n, T) [currency/kWh]
    own_price : 1 if every row has its own price, else 0
    target : (n, T) [kW]
    trade : (n, T), written [kW]
    evaluations : (n,), written: evaluations it took; 0 for a failure
    inverse_rho : slope of the trade per unit of size [kWh/currency]
    looseness : scale of the proximal terms
    guard : 1 / D [kWh/currency]
    """

    price: Doubles
    own_price: int
    target: Doubles
    trade: Doubles
    evaluations: NDArray[np.int32]
    inverse_rho: float
    looseness: float
    guard: float


