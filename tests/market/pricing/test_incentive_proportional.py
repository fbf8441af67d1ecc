"""Incentive by proportion: payments by hand, and that nobody loses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.pricing import incentive_proportional


def test_by_hand() -> None:
    # S = 2 shared over 1, 3 and 0 kWh: gains .5, 1.5 and 0.
    paid = incentive_proportional([4.0, 2.0, 1.0], [1.0, 0.0, 1.0], [1.0, 3.0, 0.0], 2.0)
    assert paid == pytest.approx([4 - 1 - 0.5, 2 - 0 - 1.5, 0.0])


def test_without_trade_everybody_comes_out_even() -> None:
    assert incentive_proportional([4.0, 2.0], [4.5, 1.5], [0.0, 0.0], 0.0) == pytest.approx(
        [-0.5, 0.5]
    )


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(0.01, 100.0), min_size=2, max_size=8), st.floats(0.0, 100.0))
def test_gains_go_by_energy_and_sum_to_the_surplus(energy: list[float], surplus: float) -> None:
    before, own = np.arange(len(energy)) + 5.0, np.ones(len(energy))
    gain = before - own - incentive_proportional(before, own, energy, surplus)
    assert gain.sum() == pytest.approx(surplus, abs=1e-9)
    np.testing.assert_allclose(gain / np.array(energy), surplus / sum(energy), atol=1e-9)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="energy_kwh must be >= 0 kWh, got -1 kWh"):
        incentive_proportional([1.0], [1.0], [-1.0], 0.0)
    with pytest.raises(ValueError, match="must be finite"):
        incentive_proportional([1.0], [np.nan], [1.0], 0.0)
