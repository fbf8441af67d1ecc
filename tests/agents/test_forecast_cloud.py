"""A cloud that opens at the price which the expected power of all points at."""

import mesa
import numpy as np
import pytest

from nashgrid.agents.bench import Members
from nashgrid.agents.forecast_cloud import BALANCED, ForecastCloud
from nashgrid.agents.local_problem import Tariff
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import one_message

RETAIL, FEED_IN = np.array([0.3, 0.4, 0.2]), np.array([0.1, 0.0, 0.2])


def opened(expected: list[list[float]]) -> ForecastCloud:
    """Members 11 and 12 at two places over three slots, of size 50 in each; 13 delivers."""
    own = np.arange(6).reshape(2, 3)
    members = [
        Members(np.array([11, 12]), own, np.array([0, 1])),
        Members(np.array([13]), own.reshape(1, 6), np.array([0]), role="counterparty"),
    ]
    rules = ExchangeRules(step=0.5, tolerance=1e-6)
    cloud = ForecastCloud(
        mesa.Model(rng=1),
        "trading",
        members=members,
        rules=rules,
        tariff=Tariff(RETAIL, FEED_IN),
        places=2,
    )
    for sender, told in zip((11, 12), expected, strict=True):
        content = {"size": np.full(3, 50.0), "expected_kw": np.array(told)}
        cloud.receive(one_message("enrolment", "trading", sender, cloud.unique_id, content, 0.0))
    content = {"size": np.full(6, 50.0)}
    cloud.receive(one_message("enrolment", "trading", 13, cloud.unique_id, content, 0.0))
    assert cloud.open_exchange()
    return cloud


def test_who_is_short_together_opens_at_retail_and_who_is_not_at_feed_in() -> None:
    cloud = opened([[40.0, -40.0, 5.0], [-20.0, 20.0, 5.0]])
    np.testing.assert_allclose(cloud.exchange.price, [0.3, 0.0, 0.2] * 2)


@pytest.mark.parametrize("share", [-0.5, 0.0, 0.3])
def test_near_balance_it_opens_between(share: float) -> None:
    # 200 kW of sizes in each slot: both places, and as much again of who delivers.
    expected = share * BALANCED * 200.0
    cloud = opened([[expected, 0.0, 0.0], [0.0, expected, 0.0]])
    middle = FEED_IN + (0.5 + share / 2) * (RETAIL - FEED_IN)
    np.testing.assert_allclose(cloud.exchange.price[:2], middle[:2])
    np.testing.assert_array_equal(cloud.exchange.price[:3], cloud.exchange.price[3:])
