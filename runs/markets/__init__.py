"""The markets by name. A new one is a file with its record, and a line here."""

from nashgrid.runs.markets.bill_sharing import BILL_SHARING
from nashgrid.runs.markets.competitive import COMPETITIVE
from nashgrid.runs.markets.cournot import COURNOT
from nashgrid.runs.markets.egalitarian import EGALITARIAN
from nashgrid.runs.markets.energy_sharing import ENERGY_SHARING
from nashgrid.runs.markets.incentive_price import INCENTIVE_PRICE
from nashgrid.runs.markets.incentive_proportional import INCENTIVE_PROPORTIONAL
from nashgrid.runs.markets.kalai_smorodinsky import KALAI_SMORODINSKY
from nashgrid.runs.markets.kalai_smorodinsky_band import KALAI_SMORODINSKY_BAND
from nashgrid.runs.markets.kalai_smorodinsky_contribution import KALAI_SMORODINSKY_CONTRIBUTION
from nashgrid.runs.markets.kalai_smorodinsky_locational import KALAI_SMORODINSKY_LOCATIONAL
from nashgrid.runs.markets.kalai_smorodinsky_no_transfers import KALAI_SMORODINSKY_NO_TRANSFERS
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.mid_market_rate import MID_MARKET_RATE
from nashgrid.runs.markets.nash_bargaining import NASH_BARGAINING
from nashgrid.runs.markets.nucleolus import NUCLEOLUS
from nashgrid.runs.markets.shapley import SHAPLEY
from nashgrid.runs.markets.stackelberg import STACKELBERG
from nashgrid.runs.markets.supply_demand_ratio import (
    COMPENSATED_SUPPLY_DEMAND_RATIO,
    SUPPLY_DEMAND_RATIO,
)
from nashgrid.runs.markets.two_part import TWO_PART
from nashgrid.runs.markets.utility_only import UTILITY_ALONE

MARKETS = {
    market.name: market
    for market in (
        NASH_BARGAINING,
        KALAI_SMORODINSKY,
        KALAI_SMORODINSKY_BAND,
        KALAI_SMORODINSKY_LOCATIONAL,
        KALAI_SMORODINSKY_CONTRIBUTION,
        KALAI_SMORODINSKY_NO_TRANSFERS,
        EGALITARIAN,
        SHAPLEY,
        NUCLEOLUS,
        COMPETITIVE,
        TWO_PART,
        COURNOT,
        ENERGY_SHARING,
        STACKELBERG,
        BILL_SHARING,
        MID_MARKET_RATE,
        SUPPLY_DEMAND_RATIO,
        COMPENSATED_SUPPLY_DEMAND_RATIO,
        INCENTIVE_PRICE,
        INCENTIVE_PROPORTIONAL,
        UTILITY_ALONE,
    )
}


def market_named(name: object) -> Market:
    """The market of a name.

    Raises
    ------
    ValueError
        If there is none; lists those there are.
    """
    if not isinstance(name, str) or name not in MARKETS:
        raise ValueError(f"there is no market {name!r}; the markets are {', '.join(MARKETS)}")
    return MARKETS[name]
