"""Mid-market rate against published prices, and its budget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.pricing import mid_market_rate

energy = st.one_of(st.just(0.0), st.floats(1e-3, 1e4))
price = st.floats(-1.0, 100.0)


def test_equal_supply_and_demand_meet_at_the_published_middle() -> None:
    # Tariffs 35 and 15 of Long et al. 2017: the middle is 25.
    assert mid_market_rate(1500.0, 1500.0, 35.0, 15.0) == (25.0, 25.0)


def test_long_and_short_slots_by_hand() -> None:
    buy, sell = mid_market_rate([2.0, 1.0], [1.0, 2.0], 0.3, 0.1)
    # Long: half of the surplus is sold inside at .2, half outside at .1. Short: mirrored.
    np.testing.assert_allclose(buy, [0.2, 0.25], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.15, 0.2], rtol=1e-15)


def test_empty_sides_quote_the_utility_to_those_who_are_there() -> None:
    buy, sell = mid_market_rate([0.0, 3.0, 0.0], [3.0, 0.0, 0.0], 0.3, 0.1)
    np.testing.assert_allclose(buy, [0.3, 0.2, 0.2], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.2, 0.1, 0.2], rtol=1e-15)


@settings(deadline=None, derandomize=True)
@given(energy, energy, price, price)
def test_buyers_pay_what_sellers_and_the_utility_receive(
    surplus: float, deficit: float, first: float, second: float
) -> None:
    retail, feed_in = max(first, second), min(first, second)
    buy, sell = mid_market_rate(surplus, deficit, retail, feed_in)
    bill = retail * max(deficit - surplus, 0.0) - feed_in * max(surplus - deficit, 0.0)
    size = (surplus + deficit) * 100.0
    assert buy * deficit - sell * surplus == pytest.approx(bill, abs=1e-13 * size)
    slack = 1e-12
    assert feed_in - slack <= sell <= buy + slack <= retail + 2 * slack


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 1.0, 0.3, 0.1), "surplus_kwh must be >= 0 kWh, got -1 kWh"),
        ((1.0, [1.0, -2.0], 0.3, 0.1), "deficit_kwh must be >= 0 kWh, got -2 kWh"),
        ((1.0, 1.0, 0.1, 0.3), "feed_in_price 0.3 currency/kWh exceeds retail_price 0.1"),
        ((1.0, np.nan, 0.3, 0.1), "deficit_kwh must be finite"),
        ((1.0, 1.0, np.inf, 0.1), "retail_price must be finite"),
    ],
)
def test_bad_input_is_named(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mid_market_rate(*arguments)
