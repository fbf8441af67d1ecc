"""Sharing prices: what buyers pay and sellers receive in a community, by a formula."""

from nashgrid.market.pricing.bill_sharing import bill_sharing
from nashgrid.market.pricing.incentive_price import incentive_price
from nashgrid.market.pricing.incentive_proportional import incentive_proportional
from nashgrid.market.pricing.mid_market_rate import mid_market_rate
from nashgrid.market.pricing.supply_demand_ratio import supply_demand_ratio

__all__ = [
    "bill_sharing",
    "incentive_price",
    "incentive_proportional",
    "mid_market_rate",
    "supply_demand_ratio",
]
