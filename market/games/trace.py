"""What a path of points does: does it come back, does it run away?"""

from collections.abc import Sequence

import numpy as np

from nashgrid.market.games.game_data import Floats

_LONGEST_PERIOD = 64
_RETURNED = 1e-9  # of the length of the move: closer than this, a point counts as met again
_FAR = 1e6  # growth of the moves that counts as divergence


def period_of(path: Sequence[Floats], returned: float = _RETURNED) -> int:
    """Return the least p >= 2 such that the last p points repeat the p before, or 0.

    Parameters
    ----------
    path : points of one shape
    returned : float
        Closer than this, as a share of the last move, a point counts as met again.
    """
    moved = float(np.abs(path[-1] - path[-2]).max())
    for period in range(2, min(_LONGEST_PERIOD, (len(path) - 1) // 2) + 1):
        returns = (
            float(np.abs(path[-k] - path[-k - period]).max()) <= returned * moved
            for k in range(1, period + 1)
        )
        if all(returns):
            return period
    return 0


def ran_away(distance: float, first_distance: float, start: Floats) -> bool:
    """Whether a move is a million times the first one, or the starting point."""
    return distance > _FAR * max(1.0, float(np.abs(start).max()), first_distance)
