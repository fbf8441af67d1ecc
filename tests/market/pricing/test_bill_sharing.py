"""Bill sharing: its prices by hand, its budget, and that sellers may lose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.pricing import bill_sharing

energy = st.one_of(st.just(0.0), st.floats(1e-3, 1e4))
price = st.floats(-1.0, 100.0)


def test_short_long_and_balanced_slots_by_hand() -> None:
    buy, sell = bill_sharing([1.0, 4.0, 2.0], [4.0, 1.0, 2.0], [0.4, 0.4, 0.4], 0.1)
    np.testing.assert_allclose(buy, [0.3, 0.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.0, 0.075, 0.0], rtol=1e-15)


def test_sellers_can_earn_less_than_the_utility_pays() -> None:
    _, sell = bill_sharing(1.0, 4.0, 0.4, 0.1)
    assert sell < 0.1


def test_an_empty_side_has_nothing_to_share() -> None:
    buy, sell = bill_sharing([0.0, 3.0, 0.0], [3.0, 0.0, 0.0], 0.3, 0.1)
    np.testing.assert_allclose(buy, [0.3, 0.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(sell, [0.0, 0.1, 0.0], rtol=1e-15)


@settings(deadline=None, derandomize=True)
@given(energy, energy, price, price)
def test_buyers_pay_the_import_bill_and_sellers_share_the_export_income(
    surplus: float, deficit: float, first: float, second: float
) -> None:
    retail, feed_in = max(first, second), min(first, second)
    buy, sell = bill_sharing(surplus, deficit, retail, feed_in)
    size = (surplus + deficit) * 100.0
    assert buy * deficit == pytest.approx(retail * max(deficit - surplus, 0), abs=1e-13 * size)
    assert sell * surplus == pytest.approx(feed_in * max(surplus - deficit, 0), abs=1e-13 * size)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="surplus_kwh must be >= 0 kWh"):
        bill_sharing(-1.0, 1.0, 0.3, 0.1)
