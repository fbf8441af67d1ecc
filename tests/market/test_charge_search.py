"""A leader's search on profits that are known functions of the share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.games.charge_search import CLOSE_ENOUGH, GRID, ChargeSearch


def searched(profit, required=None):  # type: ignore[no-untyped-def]
    """The share chosen, and the profits of all tried in their order."""
    search, tried = ChargeSearch(required), {}
    while not search.finished:
        assert search.share not in tried
        tried[search.share] = profit(search.share)
        search.learn(tried[search.share])
    return search.share, tried


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(0.0, 1.0), st.floats(0.1, 10.0))
def test_of_one_peak_the_search_comes_close(peak: float, height: float) -> None:
    share, tried = searched(lambda s: -height * (s - peak) ** 2)
    assert abs(share - peak) <= CLOSE_ENOUGH
    assert tried[share] == max(tried.values())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(0.001, 0.999))
def test_the_least_that_is_enough(required: float) -> None:
    share, tried = searched(lambda s: s**2, required)
    assert tried[share] >= required
    assert share - np.sqrt(required) <= CLOSE_ENOUGH
    assert all(value < required for other, value in tried.items() if other < share)


def test_a_second_peak_on_the_grid_is_seen_and_nothing_that_failed_is_chosen() -> None:
    share, _ = searched(lambda s: 1.0 if s == GRID[2] else s / 2)
    assert share == GRID[2]
    share, tried = searched(lambda s: -np.inf if s > 0.5 else s)
    assert share == 0.5
    assert len(tried) <= 20


def test_what_no_charge_earns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no charge tried earns 2: the most is 1"):
        searched(lambda s: s, 2.0)
