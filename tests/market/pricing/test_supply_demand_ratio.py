"""Supply-demand ratio against published prices, its budget and its undefined cases."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nashgrid.market.pricing import supply_demand_ratio

energy = st.one_of(st.just(0.0), st.floats(1e-3, 1e4))
price = st.floats(1e-3, 100.0)


def test_published_prices() -> None:
    # Tariffs 35 and 15: Liu et al. 2017 (no compensation), Zhou, Wu, Long 2018 (compensated).
    _, sell = supply_demand_ratio([1400.0, 1250.0], [1500.0, 1500.0], 35.0, 15.0)
    np.testing.assert_allclose(sell, [15.594, 16.579], atol=5e-4)
    _, sell = supply_demand_ratio(1400.0, 1500.0, 35.0, 15.0, compensation=10.0)
    assert sell == pytest.approx(25.485, abs=5e-4)
    assert supply_demand_ratio(1600.0, 1500.0, 35.0, 15.0) == (15.0, 15.0)


def test_price_falls_from_retail_to_feed_in_with_the_ratio() -> None:
    surplus = np.linspace(0.0, 2.0, 41)
    buy, sell = supply_demand_ratio(surplus, 1.0, 0.3, 0.1)
    assert (buy[0], sell[0]) == pytest.approx((0.3, 0.3), rel=1e-15)
    assert (buy[20], sell[20]) == pytest.approx((0.1, 0.1), rel=1e-15)
    assert np.all(np.diff(buy) <= 1e-16)
    assert np.all(np.diff(sell) <= 1e-16)


def test_compensation_joins_continuously_at_balance() -> None:
    below = supply_demand_ratio(1.0 - 1e-12, 1.0, 0.3, 0.1, compensation=0.07)
    above = supply_demand_ratio(1.0 + 1e-12, 1.0, 0.3, 0.1, compensation=0.07)
    np.testing.assert_allclose(below, above, rtol=1e-11)
    np.testing.assert_allclose(above, [0.17, 0.17], rtol=1e-11)


def test_empty_sides() -> None:
    buy, sell = supply_demand_ratio([0.0, 3.0, 0.0], [3.0, 0.0, 0.0], 0.3, 0.1, compensation=0.1)
    np.testing.assert_allclose(buy, [0.3, 0.2, 0.3], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.3, 0.1, 0.3], rtol=1e-15)


def test_a_buyer_of_next_to_nothing_changes_nothing() -> None:
    # 3 / 5e-324 is beyond all numbers.
    assert supply_demand_ratio(3.0, 5e-324, 0.3, 0.1, compensation=0.1) == pytest.approx((0.2, 0.1))


@settings(deadline=None, derandomize=True)
@given(energy, energy, price, price, st.floats(0.0, 1.0))
def test_buyers_pay_what_sellers_and_the_utility_receive(
    surplus: float, deficit: float, first: float, second: float, part: float
) -> None:
    retail, feed_in = max(first, second), min(first, second)
    buy, sell = supply_demand_ratio(
        surplus, deficit, retail, feed_in, compensation=part * (retail - feed_in)
    )
    bill = retail * max(deficit - surplus, 0.0) - feed_in * max(surplus - deficit, 0.0)
    size = (surplus + deficit) * 100.0
    assert buy * deficit - sell * surplus == pytest.approx(bill, abs=1e-13 * size)
    slack = 1e-12 * retail
    assert feed_in - slack <= sell <= buy + slack <= retail + 2 * slack


@settings(deadline=None, derandomize=True)
@given(energy, energy, price, price, st.floats(0.01, 100.0))
def test_prices_scale_with_the_tariffs(
    surplus: float, deficit: float, first: float, second: float, scale: float
) -> None:
    assume(surplus + deficit > 0)
    retail, feed_in = max(first, second), min(first, second)
    once = supply_demand_ratio(surplus, deficit, retail, feed_in)
    scaled = supply_demand_ratio(surplus, deficit, scale * retail, scale * feed_in)
    np.testing.assert_allclose(scaled, scale * np.array(once), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("surplus", "feed_in", "compensation", "message"),
    [
        (0.0, 0.0, 0.0, "is 0/0 where"),
        (1.0, -0.1, 0.0, "needs feed_in_price >= 0 currency/kWh, got -0.1"),
        (1.0, 0.1, 0.3, r"compensation must lie in .*\[0, 0.2\] currency/kWh, got 0.3"),
        (1.0, 0.1, -0.1, "compensation must lie in"),
        (1.0, 0.1, np.nan, "compensation must lie in"),
    ],
)
def test_undefined_cases_are_refused(
    surplus: float, feed_in: float, compensation: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        supply_demand_ratio(surplus, 2.0, 0.3, feed_in, compensation=compensation)


def test_no_feed_in_price_is_fine_when_there_is_surplus() -> None:
    buy, sell = supply_demand_ratio([1.0, 4.0], 2.0, 0.3, 0.0)
    np.testing.assert_allclose(buy, [0.15, 0.0], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.0, 0.0])
