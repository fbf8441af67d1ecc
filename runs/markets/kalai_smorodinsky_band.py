"""Market `kalai-smorodinsky-band`: payments between the tariffs for every kWh that is traded.

The schedules are fixed; each pays between sum_t min(ls p, lb p) and sum_t max(ls p, lb p). Ideal
gains then differ: ideal_i = min(most_i, S - sum of the others' least), and the solution is
gain_i = max(r ideal_i, least_i), the lexicographic continuation (Imai 1983). The band may hold no
rational payments, when what a place is worth to the wires leaves [ls, lb]: the market is then
refused.
"""

from typing import Any

import numpy as np

from nashgrid.market.bargaining.price_band import PriceBand, payment_bounds
from nashgrid.market.topics import BAND_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import HEARD_FROM_MEDIATOR
from nashgrid.runs.markets.shared_savings import (
    gains_are,
    has_surplus,
    surplus_shared,
)


def equal_shares_within_the_band(books: Books) -> dict[str, dict[str, Any]]:
    """Payments keep the band, and no player's smallest share of its ideal gain could be larger."""
    claims = surplus_shared(books)
    if not has_surplus(books):
        return claims
    trades, terms = books.trades, books.trades.terms
    own = books.accounts.iloc[: len(trades.agents)]
    low, high = payment_bounds(
        trades.trade_kw, terms.feed_in_price_per_kwh, terms.retail_price_per_kwh, terms.slot_hours
    )
    paid, slack = own["payment"].to_numpy(), books.rounding.to_numpy()[: len(own)]
    outside = np.maximum(low - paid, paid - high) - slack
    saving = (own["cost_before"] - own["own_cost"]).to_numpy()
    least, most = np.maximum(saving - high, 0.0), saving - low
    if len(books.players) > len(own):
        least, most = np.append(least, 0.0), np.append(most, books.surplus)
    gains = PriceBand(least, most, books.surplus).kalai_smorodinsky()
    return claims | {
        "price band": claim(
            float(outside.max()),
            1e-6,
            "how far a payment leaves the band between feed-in and retail price [currency]",
        ),
        "Kalai-Smorodinsky": gains_are(
            books, gains, "gains against the largest common share of the ideal gains in the band"
        ),
    }


KALAI_SMORODINSKY_BAND = bargained_market(
    name="kalai-smorodinsky-band",
    title="Kalai-Smorodinsky bargaining within the tariffs",
    rule="the same share of its ideal gain for each, payments between feed-in and retail per kWh",
    explanation="Every player gets the same share of the most that it could hope for, but nobody "
    "pays more than retail or less than feed-in for any kWh. What a player can hope for then "
    "depends on what it trades: who trades little can gain little, whatever the others concede.",
    exchanges=(UTILITY_ONLY, TRADING, BAND_MONEY),
    reveals="its size and its connection, and its power in every slot and round; a mediator whom "
    "all trust learns what its own cost falls by and how much it may gain within the band; others "
    "learn nothing of it but the money it asks for in every round, in the sum",
    heard=HEARD_FROM_MEDIATOR,
    promises=equal_shares_within_the_band,
    holds="surplus shared, price band, gain ratios",
)
