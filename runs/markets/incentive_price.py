"""Market `incentive-price`: one price between the tariffs for all energy shared inside.

price = ls + theta (lb - ls), with theta = 1/4: three quarters of the spread go to those who buy
when others sell. Reconstructed; see `nashgrid.market.pricing.incentive_price`.
"""

from functools import partial

from nashgrid.market.pricing import incentive_price
from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.sharing_prices import HEARD_OF_PRICES, pay_by, shares_by

SELLERS_SHARE = 0.25
"""theta, the sellers' share of the spread between the tariffs."""

PRICING = partial(incentive_price, spread_share=SELLERS_SHARE)

INCENTIVE_PRICE = Market(
    name="incentive-price",
    title="incentive price",
    rule="inside, energy costs the feed-in price and a quarter of the spread (reconstructed)",
    explanation="Energy that stays inside costs the feed-in price and a quarter of the spread to "
    "retail: an incentive to buy when others sell. Whichever of buyers and sellers have more "
    "shares what the utility pays or asks for the rest. The rule is reconstructed. Nothing "
    "promises that everybody gains.",
    exchanges=(UTILITY_ONLY, TRADING),
    settle=pay_by(PRICING),
    individually_rational=False,
    reveals=HEARD_OF_PRICES,
    promises=shares_by(PRICING),
    holds="bill covered, price formula",
)
