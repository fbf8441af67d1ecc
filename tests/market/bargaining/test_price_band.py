"""Kalai-Smorodinsky with payments in a band: worked examples, and a central reference."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nashgrid.market.bargaining import BargainingProblem, kalai_smorodinsky, nash
from nashgrid.market.bargaining.price_band import PriceBand, payment_bounds


def band_of(trade: list[float], saving: list[float], low: float, high: float) -> PriceBand:
    """One slot of an hour."""
    power = np.array(trade)[:, None]
    least, most = payment_bounds(power, np.array([low]), np.array([high]), 1.0)
    gain = np.array(saving)
    # The utility sells at .30 what is missing.
    surplus = gain.sum() - 0.3 * max(sum(trade), 0.0)
    return PriceBand(np.maximum(gain - most, 0.0), gain - least, surplus)


def nash_in(band: PriceBand) -> np.ndarray:
    gains = cp.Variable(len(band.least))
    kept = [gains >= band.least, gains <= band.most, cp.sum(gains) == band.surplus]
    return nash(BargainingProblem(list(gains), kept, np.zeros(len(band.least)))).utilities


def test_a_small_buyer_makes_the_two_solutions_differ() -> None:
    """A seller of 1 kWh, buyers of .2 and 1 kWh, tariffs .10 and .30, payments between them."""
    band = band_of([-1.0, 0.2, 1.0], [-0.10, 0.06, 0.30], 0.10, 0.30)
    assert band.surplus == pytest.approx(0.20)
    assert band.ideal == pytest.approx([0.20, 0.04, 0.20])
    assert band.kalai_smorodinsky() == pytest.approx([0.0909, 0.0182, 0.0909], abs=5e-5)
    assert nash_in(band) == pytest.approx([0.08, 0.04, 0.08], abs=1e-6)


def test_two_players_differ_in_a_narrower_band() -> None:
    """Cost .10, value .30, price between .25 and .30."""
    band = band_of([-1.0, 1.0], [-0.10, 0.30], 0.25, 0.30)
    assert band.kalai_smorodinsky() == pytest.approx([0.16, 0.04])
    assert nash_in(band) == pytest.approx([0.15, 0.05], abs=1e-6)


def test_two_players_in_one_slot_agree_within_the_tariffs() -> None:
    band = band_of([-1.0, 1.0], [-0.10, 0.30], 0.10, 0.30)
    assert band.kalai_smorodinsky() == pytest.approx([0.10, 0.10])


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_against_the_central_reference(players: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    least = np.maximum(rng.uniform(-1.0, 0.5, players), 0.0)
    most = least + rng.uniform(0.1, 1.0, players)
    surplus = float(rng.uniform(least.sum(), most.sum()))
    assume(surplus > least.sum() + 1e-3)
    band = PriceBand(least, most, surplus)
    gains = cp.Variable(players)
    kept = [gains >= least, gains <= most, cp.sum(gains) == surplus]
    found = kalai_smorodinsky(BargainingProblem(list(gains), kept, np.zeros(players)))
    np.testing.assert_allclose(band.ideal, found.certificate.ideal, atol=1e-7)
    np.testing.assert_allclose(band.kalai_smorodinsky(), found.utilities, atol=1e-6)
    assert band.kalai_smorodinsky().sum() == pytest.approx(surplus, abs=1e-9)


def test_bounds_of_payments_follow_the_sign_of_trade() -> None:
    power, low, high = np.array([[1.0, -2.0]]), np.array([0.1, -0.2]), np.array([0.3, 0.1])
    least, most = payment_bounds(power, low, high, 0.5)
    assert least == pytest.approx([0.5 * (0.1 - 0.2)])
    assert most == pytest.approx([0.5 * (0.3 + 0.4)])


def test_a_band_without_rational_payments_is_refused() -> None:
    with pytest.raises(ValueError, match=r"player 1 would lose 0\.5 at best"):
        PriceBand(np.zeros(2), np.array([2.0, -0.5]), 1.0)
    with pytest.raises(ValueError, match=r"sum to 1\.5 to 3, but 1 is to be shared"):
        PriceBand(np.array([0.5, 1.0]), np.array([1.0, 2.0]), 1.0)
    with pytest.raises(ValueError, match=r"sum to 0 to 0\.5, but 1 is to be shared"):
        PriceBand(np.zeros(2), np.array([0.25, 0.25]), 1.0)
