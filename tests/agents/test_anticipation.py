"""Price anticipation: what an agent answers when it knows its influence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.anticipation import Anticipation, price_taker
from nashgrid.market.messages import Floats


def quadratic_answer(bend: Floats, linear: Floats):
    """argmin bend y^2 / 2 + linear y + price y + stiffness (y - target)^2 / 2, slot by slot."""

    def answer(price: Floats, target: Floats, stiffness: Floats) -> Floats:
        return (stiffness * target - price - linear) / (bend + stiffness)

    return answer


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10**9))
def test_answers_satisfy_the_condition_of_the_weighted_potential(seed: int) -> None:
    rng = np.random.default_rng(seed)
    base, price, target, linear = rng.normal(0, 1, (4, 1, 3))
    bend, slope = rng.uniform(0, 2, (2, 1, 3))
    factor, step, size = rng.uniform(0.1, 10, 3)
    known = Anticipation(base[0], factor, slope[0])
    respond = known.respond(quadratic_answer(bend, linear), np.full((1, 3), size))
    found = respond(price, target, np.array([step]))
    own = base + factor * (price - base)
    gradient = (bend * found + linear + own + slope * found) / factor
    gradient += step / size * (found - target)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-10)


def test_a_deviation_is_paid_for_at_the_price_that_it_makes() -> None:
    """Price 2, own price 1 + 3 (2 - 1) = 4, slope .5, now at 2: a third kW costs 4 + .5 x 1."""
    known = Anticipation(np.array([1.0]), 3.0, np.array([0.5]))
    linear, slope = known.deviation_terms(np.array([2.0]), np.array([2.0]))
    assert known.own_price(np.array([2.0])) == pytest.approx(4.0)
    assert linear * 3 + slope * 9 == pytest.approx(3 * 4.5)
    assert linear * 2 + slope * 4 == pytest.approx(2 * 4.0)


def test_a_price_taker_sees_the_price_as_it_is() -> None:
    price = np.array([0.1, -0.3])
    known = price_taker(2)
    linear, slope = known.deviation_terms(price, np.array([5.0, -7.0]))
    np.testing.assert_array_equal(known.own_price(price), price)
    np.testing.assert_array_equal(linear, price)
    np.testing.assert_array_equal(slope, 0.0)
