"""Where a condition that holds at first ceases to hold."""

from collections.abc import Callable

_HALVINGS = 200  # the ends then differ by a rounding unit at most


def turning_point(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The point of [low, high] from which on a condition no longer holds; `high` if there is none.

    Parameters
    ----------
    holds : true up to some point, false above
    """
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return high
