"""Which line leaves which bus and enters which: the incidence matrices of a feeder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from nashgrid.grid.feeder import Feeder, IntArray


@dataclass(frozen=True, eq=False)
class Incidence:
    """Positions and incidence matrices of a feeder's buses and lines.

    Attributes
    ----------
    start, end : (L,) int arrays
        Positions of the buses that each line leaves and enters.
    root : int
        Position of the root.
    others : (n - 1,) int array
        Positions of all other buses.
    leaves, enters : (n, L) sparse arrays
        1 where the line leaves (enters) the bus.
    """

    start: IntArray
    end: IntArray
    root: int
    others: IntArray
    leaves: sparse.csr_array
    enters: sparse.csr_array


def incidence(feeder: Feeder) -> Incidence:
    """The incidence of a feeder's lines, oriented away from the root."""
    start, end = feeder.bus_positions(feeder.from_bus), feeder.bus_positions(feeder.to_bus)
    root = int(feeder.bus_positions(feeder.root_bus)[0])
    every, ones = np.arange(feeder.line_count), np.ones(feeder.line_count)
    shape = (feeder.bus_count, feeder.line_count)
    return Incidence(
        start=start,
        end=end,
        root=root,
        others=np.flatnonzero(np.arange(feeder.bus_count) != root),
        leaves=sparse.csr_array((ones, (start, every)), shape=shape),
        enters=sparse.csr_array((ones, (end, every)), shape=shape),
    )


def placement(feeder: Feeder, buses: ArrayLike) -> sparse.csr_array:
    """(n, B): 1 where the column's bus is the row's, to spread values at some buses over all."""
    at = feeder.bus_positions(buses)
    columns = np.arange(len(at))
    return sparse.csr_array((np.ones(len(at)), (at, columns)), shape=(feeder.bus_count, len(at)))
