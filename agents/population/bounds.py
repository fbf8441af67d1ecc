"""The bounds of the storages of a class: kept once for as long as they stay the same."""

from __future__ import annotations

import numpy as np

from nashgrid.agents.population.buildings import Floats, Rows
from nashgrid.agents.population.feasibility import StorageLimits
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.tables import Integers

UNBOUNDED_KWH = 1e9


def storage_bounds(limits: StorageLimits, hours: float) -> Floats:
    """(S, T, 4) largest charge and discharge, lowest and highest energy [kW, kW slots].

    Stored energy is counted from what is there without charging, start plus inflow.
    """
    low, high = where_it_can_move(limits)
    return np.stack([limits.charge, limits.discharge, low / hours, high / hours], axis=2)


def where_it_can_move(limits: StorageLimits) -> tuple[Floats, Floats]:
    """Energy bounds moved from the slots without power to the last of them.

    While nothing can move, one energy has to keep the bounds of all those slots.  Left where they
    are, they would be kinks of the dual without end; so only one of them keeps bounds.
    """
    low, high = limits.low.copy(), limits.high.copy()
    idle = (limits.charge <= 0) & (limits.discharge <= 0)
    for slot in range(1, low.shape[1]):
        still = idle[:, slot]
        low[still, slot] = np.maximum(low[still, slot], low[still, slot - 1])
        high[still, slot] = np.minimum(high[still, slot], high[still, slot - 1])
        low[still, slot - 1], high[still, slot - 1] = -UNBOUNDED_KWH, UNBOUNDED_KWH
    return low, high


def kinds_of_change(bounds: Floats) -> Rows:
    """(S,) a number for each storage, the same where bounds change in the same slots."""
    changes = np.packbits((bounds[:, 1:] != bounds[:, :-1]).any(axis=2), axis=1)
    return np.unique(changes, axis=0, return_inverse=True)[1].reshape(-1)


def pack_bounds(
    storages: list[Floats], blocks: int, slots: int
) -> tuple[Floats, Integers, Integers]:
    """The bounds of all blocks, where each block's begin, and where a slot's are from there on.

    Parameters
    ----------
    storages : per storage of the class, (blocks, T, 4, W) its bounds
    blocks, slots : their numbers, B and T

    Returns
    -------
    table : (rows, W), per block and storage an entry of four rows whenever a lane's bounds change
    at : (B, 2), first row of the block, and its row of patterns
    patterns : (P, T K), row of the entry that holds in a slot for a storage, from the first row on
    """
    rows = Shape.BOUND_ROWS
    changed = np.ones((blocks, slots, len(storages)), dtype=bool)
    for k, bounds in enumerate(storages):
        changed[:, 1:, k] = (bounds[:, 1:] != bounds[:, :-1]).any(axis=(2, 3))
    entry = np.cumsum(changed, axis=1, dtype=np.int32) * rows - rows
    taken = entry[:, -1] + rows
    pattern = entry + (np.cumsum(taken, axis=1, dtype=np.int32) - taken)[:, None, :]
    total = taken.sum(axis=1, dtype=np.int64)
    first = np.cumsum(total) - total
    table = np.zeros((int(total.sum()), WIDTH))
    for k, bounds in enumerate(storages):
        block, slot = np.nonzero(changed[:, :, k])
        places = (first[block] + pattern[block, slot, k])[:, None] + np.arange(rows)
        table[places] = bounds[block, slot]
    patterns, which = _distinct(pattern.reshape(blocks, -1))
    at = np.stack([first, which], axis=1).astype(np.int32)
    return table, at, patterns


def _distinct(patterns: Integers) -> tuple[Integers, Rows]:
    """The distinct rows, and which of them each row is; quick where equal rows stand together."""
    begins = np.r_[True, (patterns[1:] != patterns[:-1]).any(axis=1)]
    if patterns.shape[1] == 0:
        return patterns[:1], np.zeros(len(patterns), dtype=np.int64)
    distinct, which = np.unique(patterns[begins], axis=0, return_inverse=True)
    return distinct, which.reshape(-1)[np.cumsum(begins) - 1]
