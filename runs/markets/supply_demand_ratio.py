"""Markets `supply-demand-ratio` (Liu et al. 2017) and its compensated form (Zhou et al. 2018).

With R = G / D, lc = ls + c:  sell = lc lb / ((lb - lc) R + lc), buy = sell R + lb (1 - R) where
R <= 1; sell = ls + c / R, buy = ls + c beyond. The plain rule has c = 0; the compensated one half
of the spread, c = (lb - ls) / 2.
"""

from functools import partial

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats
from nashgrid.market.pricing import supply_demand_ratio
from nashgrid.runs.markets.sharing_prices import Pricing, pay_by, shares_by, sharing_price_market
from nashgrid.runs.scenario import Scenario

COMPENSATION_SHARE = 0.5
"""The compensation c as a share of the spread between the tariffs."""


def compensated(
    surplus_kwh: Floats, deficit_kwh: Floats, retail: Floats, feed_in: Floats
) -> tuple[Floats, Floats]:
    """The supply-demand ratio with half of the spread as compensation."""
    return supply_demand_ratio(
        surplus_kwh,
        deficit_kwh,
        retail,
        feed_in,
        compensation=COMPENSATION_SHARE * (retail - feed_in),
    )


def prices_exist(pricing: Pricing, scenario: Scenario, tariff: Tariff) -> None:
    """Refuse tariffs at which the ratio has no price, before anything is negotiated.

    Raises
    ------
    ValueError
        If a price is negative, or 0 where nobody may sell.
    """
    one = np.ones_like(tariff.retail_price_per_kwh)
    for surplus in (0 * one, one):
        pricing(surplus, one, tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh)


SUPPLY_DEMAND_RATIO = sharing_price_market(
    name="supply-demand-ratio",
    title="supply-demand ratio",
    rule="inside, energy is the cheaper the more of it there is for those who need it",
    explanation="The price inside falls from retail to feed-in as the community's own supply meets "
    "its demand; with more supply than demand it is the feed-in price. Nothing promises that "
    "everybody gains.",
    settle=pay_by(supply_demand_ratio),
    promises=shares_by(supply_demand_ratio),
    presumes=partial(prices_exist, supply_demand_ratio),
)

COMPENSATED_SUPPLY_DEMAND_RATIO = sharing_price_market(
    name="compensated-supply-demand-ratio",
    title="supply-demand ratio with compensation",
    rule="as the supply-demand ratio, but sellers get half of the spread above feed-in",
    explanation="The price inside falls as the community's own supply meets its demand, but no "
    "further than half way between feed-in and retail: sellers are compensated for what they sell "
    "inside. Nothing promises that everybody gains.",
    settle=pay_by(compensated),
    promises=shares_by(compensated),
    presumes=partial(prices_exist, compensated),
)
