"""The markets by name. A new one is a file with its record, and a line here."""

from nashgrid.runs.markets.competitive import COMPETITIVE
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.nash_bargaining import NASH_BARGAINING
from nashgrid.runs.markets.two_part import TWO_PART
from nashgrid.runs.markets.utility_only import UTILITY_ALONE

MARKETS = {
    market.name: market
    for market in (
        NASH_BARGAINING,
        COMPETITIVE,
        TWO_PART,
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
