"""Market `mid-market-rate`: inside, energy costs the mean of the tariffs (Long et al. 2017).

mid = (lb + ls) / 2 for the side that is short; the other shares what the utility pays or asks for
the rest.
"""

from nashgrid.market.pricing import mid_market_rate
from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.sharing_prices import HEARD_OF_PRICES, pay_by, shares_by

MID_MARKET_RATE = Market(
    name="mid-market-rate",
    title="mid-market rate",
    rule="inside, energy costs the mean of retail and feed-in price",
    explanation="Energy that stays inside costs the mean of retail and feed-in price. Whichever of "
    "buyers and sellers have more shares what the utility pays or asks for the rest. Schedules are "
    "those of least cost for all together, so that an agent whose devices do more for the others "
    "than this price pays may lose.",
    exchanges=(UTILITY_ONLY, TRADING),
    settle=pay_by(mid_market_rate),
    individually_rational=False,
    reveals=HEARD_OF_PRICES,
    promises=shares_by(mid_market_rate),
    holds="bill covered, price formula",
)
