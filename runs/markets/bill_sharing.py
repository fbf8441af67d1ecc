"""Market `bill-sharing`: import bill and export income are shared by energy (Long et al. 2017).

buy = lb max(D - G, 0) / D, sell = ls max(G - D, 0) / G, with G what all sell and D what all buy:
energy shared inside is free.
"""

from nashgrid.market.pricing import bill_sharing
from nashgrid.runs.markets.sharing_prices import pay_by, shares_by, sharing_price_market

BILL_SHARING = sharing_price_market(
    name="bill-sharing",
    title="bill sharing",
    rule="buyers share the import bill by energy, sellers the export income",
    explanation="What the community pays the utility is shared by those who buy, in proportion to "
    "what they buy; what it earns from the utility by those who sell. Energy that stays inside is "
    "free, so that sellers may lose: nothing promises that everybody gains.",
    settle=pay_by(bill_sharing),
    promises=shares_by(bill_sharing),
)
