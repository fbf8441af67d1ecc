"""Market `incentive-price`: one price between the tariffs for all energy shared inside.

price = ls + theta (lb - ls), with theta = 1/4: three quarters of the spread go to those who buy
when others sell. Reconstructed; see `nashgrid.market.pricing.incentive_price`.
"""

from functools import partial

from nashgrid.market.pricing import incentive_price
from nashgrid.runs.markets.sharing_prices import pay_by, shares_by, sharing_price_market

SELLERS_SHARE = 0.25
"""theta, the sellers' share of the spread between the tariffs."""

PRICING = partial(incentive_price, spread_share=SELLERS_SHARE)

INCENTIVE_PRICE = sharing_price_market(
    name="incentive-price",
    title="incentive price",
    rule="inside, energy costs the feed-in price and a quarter of the spread (reconstructed)",
    explanation="Energy that stays inside costs the feed-in price and a quarter of the spread to "
    "retail: an incentive to buy when others sell. Whichever of buyers and sellers have more "
    "shares what the utility pays or asks for the rest. The rule is reconstructed. Nothing "
    "promises that everybody gains.",
    settle=pay_by(PRICING),
    promises=shares_by(PRICING),
)
