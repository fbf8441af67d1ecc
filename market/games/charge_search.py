"""How a leader searches the charge that serves it best, knowing only what each that it tried earns.

A charge is a share s of the largest, 0 <= s <= 1. One that earns takes the s of most profit: an
even grid, then golden sections (Kiefer 1953) between the neighbours of the best. One that has a
cost to recover takes the least s whose profit is enough: the grid from below until one is, then
halving. The profit need not rise with s and may have several peaks, so there may be a better one
between those tried; nothing is claimed but that none that was tried is better.
"""

from collections.abc import Generator

import numpy as np

GRID = tuple(number / 10 for number in range(11))
"""Shares tried first."""
CLOSE_ENOUGH = 0.02
"""How closely a share is searched."""
_GOLDEN = (5**0.5 - 1) / 2

_Steps = Generator[float, float, float]
"""Yields shares, is sent their profits, returns the share chosen."""


class ChargeSearch:
    """The search of a leader, share by share.

    Parameters
    ----------
    required : the profit that is enough [currency]; None: as much as can be

    Attributes
    ----------
    share : to try next; the one chosen once it has finished
    finished : whether it has
    """

    def __init__(self, required: float | None) -> None:
        self._steps = _most() if required is None else _least_enough(required)
        self.share = next(self._steps)
        self.finished = False

    def learn(self, profit: float) -> None:
        """Take what the share tried has earned [currency]; minus infinity where nothing came of it.

        Raises
        ------
        ValueError
            If no share earns what is required.
        """
        try:
            self.share = self._steps.send(profit)
        except StopIteration as end:
            self.share, self.finished = end.value, True


def _most() -> _Steps:
    profits: dict[float, float] = {}
    for share in GRID:
        profits[share] = yield share
    best = max(range(len(GRID)), key=lambda number: profits[GRID[number]])
    low, high = GRID[max(best - 1, 0)], GRID[min(best + 1, len(GRID) - 1)]
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    profits[left] = yield left
    profits[right] = yield right
    while high - low > CLOSE_ENOUGH:
        if profits[left] >= profits[right]:
            high, right = right, left
            left = high - _GOLDEN * (high - low)
            profits[left] = yield left
        else:
            low, left = left, right
            right = low + _GOLDEN * (high - low)
            profits[right] = yield right
    return max(sorted(profits), key=lambda share: profits[share])


def _least_enough(required: float) -> _Steps:
    most, low, high = -np.inf, GRID[0], None
    for share in GRID:
        profit = yield share
        most = max(most, profit)
        if profit >= required:
            high = share
            break
        low = share
    if high is None:
        raise ValueError(f"no charge tried earns {required:g}: the most is {most:.6g}")
    while high - low > CLOSE_ENOUGH:
        middle = (low + high) / 2
        if (yield middle) >= required:
            high = middle
        else:
            low = middle
    return high
