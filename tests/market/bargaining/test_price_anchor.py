"""Bargaining above the gains at given prices."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.bargaining.price_anchor import anchored_gains, price_gains


def test_who_gains_much_at_its_price_keeps_it() -> None:
    """S = 10, h = (6, 2, 0): ideals 8, 4, 2. At 10/14 of them the first would have 5.71 < 6, so it
    keeps 6, and the others share 4 in the ratio 4 : 2."""
    gains = anchored_gains(np.array([6.0, 2.0, 0.0]), 10.0)
    np.testing.assert_allclose(gains, [6.0, 8 / 3, 4 / 3], rtol=1e-12)


def test_without_gains_at_prices_all_hope_for_everything() -> None:
    np.testing.assert_allclose(anchored_gains(np.zeros(4), 2.0), 0.5, rtol=1e-12)


def test_prices_that_promise_a_little_too_much_are_scaled() -> None:
    gains = anchored_gains(np.array([1.0, 1.0 + 1e-7, -1e-9]), 2.0)
    np.testing.assert_allclose(gains, [1.0, 1.0, 0.0], atol=1e-6)
    assert gains.sum() == pytest.approx(2.0, rel=1e-12)


@given(
    gains=st.lists(st.floats(0, 10), min_size=2, max_size=6),
    rest=st.floats(0.01, 20),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_no_smallest_ratio_could_be_larger(gains: list[float], rest: float) -> None:
    """Against a linear program: the largest r with gain >= r ideal, gain >= h, sum gain = S."""
    least = np.array(gains)
    surplus = float(least.sum() + rest)
    found = anchored_gains(least, surplus)
    assert found.sum() == pytest.approx(surplus, rel=1e-9)
    assert (found >= least - 1e-9 * surplus).all()
    ideal = least + rest
    gain, ratio = cp.Variable(len(least)), cp.Variable()
    limits = [gain >= ratio * ideal, gain >= least, cp.sum(gain) == surplus]
    best = cp.Problem(cp.Maximize(ratio), limits).solve(solver=cp.CLARABEL)
    assert (found / ideal).min() == pytest.approx(best, abs=1e-6)


def test_the_gain_at_a_price_by_hand() -> None:
    """Bill 3 for 10 kWh at .30; now 4 kWh are bought and 2 sold, cost .5 more, at .20 and .10."""
    found = price_gains(
        saving=np.array([3.0 - 0.5]),
        bill=np.array([3.0]),
        alone_kw=np.array([[10.0, 0.0]]),
        agreed_kw=np.array([[4.0, -2.0]]),
        price=np.array([[0.20, 0.10]]),
        hours=1.0,
    )
    # It gets 6 x .20 + 2 x .10 back and pays .5 for it.
    assert found == pytest.approx([0.9])
