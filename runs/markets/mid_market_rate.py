"""Market `mid-market-rate`: inside, energy costs the mean of the tariffs (Long et al. 2017).

mid = (lb + ls) / 2 for the side that is short; the other shares what the utility pays or asks for
the rest.
"""

from nashgrid.market.pricing import mid_market_rate
from nashgrid.runs.markets.sharing_prices import pay_by, shares_by, sharing_price_market

MID_MARKET_RATE = sharing_price_market(
    name="mid-market-rate",
    title="mid-market rate",
    rule="inside, energy costs the mean of retail and feed-in price",
    explanation="Energy that stays inside costs the mean of retail and feed-in price. Whichever of "
    "buyers and sellers have more shares what the utility pays or asks for the rest. Schedules are "
    "those of least cost for all together, so that an agent whose devices do more for the others "
    "than this price pays may lose.",
    settle=pay_by(mid_market_rate),
    promises=shares_by(mid_market_rate),
)
