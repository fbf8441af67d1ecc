"""Wards: parts of a population by rows, whose sums are added in a fixed order.

Floating-point sums depend on the order of adding. Sums over a population are therefore sums over
its wards, one after the other, whether one process holds all wards or each of many workers some of
them: the answer is the same to the last bit.
"""

import numpy as np

from nashgrid.market.messages import Floats, Integers

WARDS = 64
"""Of a population that has as many buildings; workers beyond this number have nothing to do."""


def ward_starts(count: int) -> Integers:
    """(W,) first rows of the wards of a population of `count` buildings."""
    wards = min(count, WARDS)
    return np.arange(wards) * count // wards


def sums_by_ward(values: Floats, place: Integers, starts: Integers, places: int) -> Floats:
    """(W, places, K) sums over the rows of each ward at each place.

    Parameters
    ----------
    values : (n, K)
    place : (n,) rising
    starts : (W,) first rows of the wards
    """
    sums = np.zeros((len(starts), places, values.shape[1]))
    changes = np.flatnonzero(np.diff(place)) + 1
    first = np.union1d(starts, changes)
    ward = np.searchsorted(starts, first, side="right") - 1
    np.add.at(sums, (ward, place[first]), np.add.reduceat(values, first, axis=0))
    return sums


def wards_within(count: int, start: int, stop: int) -> Integers:
    """First rows of the wards of a population within its rows from `start` on, counted from it."""
    starts = ward_starts(count)
    inside = starts[(starts > start) & (starts < stop)] - start
    return np.concatenate([[0], inside])
