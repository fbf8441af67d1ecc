"""Incentive price: by hand, against the mid-market rate, and what it leaves nobody."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.pricing import incentive_price, mid_market_rate

ENERGY = st.floats(0.0, 50.0)
PRICE = st.floats(-0.5, 1.0)


def test_by_hand() -> None:
    # ls .10, lb .30, theta .25: .15 inside. G = .5, D = 2: buyers (.5 x .15 + 1.5 x .3) / 2.
    buy, sell = incentive_price([0.5, 2.0], [2.0, 0.5], 0.3, 0.1, spread_share=0.25)
    assert sell == pytest.approx([0.15, (0.5 * 0.15 + 1.5 * 0.1) / 2])
    assert buy == pytest.approx([0.2625, 0.15])


@settings(deadline=None, derandomize=True)
@given(ENERGY, ENERGY, PRICE, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_buyers_pay_what_sellers_and_the_utility_receive(
    surplus: float, deficit: float, feed_in: float, spread: float, share: float
) -> None:
    retail = feed_in + spread
    buy, sell = incentive_price(surplus, deficit, retail, feed_in, spread_share=share)
    net = deficit - surplus
    bill = retail * max(net, 0.0) + feed_in * min(net, 0.0)
    assert buy * deficit - sell * surplus == pytest.approx(bill, abs=1e-9)
    assert feed_in - 1e-12 <= sell <= buy + 1e-12 <= retail + 2e-12


@settings(deadline=None, derandomize=True)
@given(ENERGY, ENERGY)
def test_half_of_the_spread_is_the_mid_market_rate(surplus: float, deficit: float) -> None:
    found = incentive_price(surplus, deficit, 35.0, 15.0, spread_share=0.5)
    np.testing.assert_allclose(found, mid_market_rate(surplus, deficit, 35.0, 15.0), rtol=1e-14)


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_beyond_the_spread_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"spread_share must lie in \[0, 1\]"):
        incentive_price(1.0, 1.0, 0.3, 0.1, spread_share=share)
