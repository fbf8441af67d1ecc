"""Market `kalai-smorodinsky-locational`: payments anchored at the locational prices.

At the prices of their buses, buildings and generators gain h_i >= 0, as in market `two-part`, and
S - sum h_i stays with who delivers. Here nobody gains less than h_i, and the rest is bargained for:
ideal_i = S - sum of the others' h_j, gain_i = max(r ideal_i, h_i) (Kalai and Smorodinsky 1975;
Imai 1983).
"""

from typing import Any

import numpy as np

from nashgrid.market.bargaining.price_anchor import anchored_gains, price_gains
from nashgrid.market.topics import PRICE_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import HEARD_FROM_MEDIATOR
from nashgrid.runs.markets.shared_savings import CLOSE, gains_are, has_surplus, surplus_shared


def equal_shares_above_the_prices(books: Books) -> dict[str, dict[str, Any]]:
    """Nobody gains less than at its locational price; what is left is shared by equal ratios."""
    claims = surplus_shared(books)
    if not has_surplus(books):
        return claims
    trades, terms = books.trades, books.trades.terms
    own = books.accounts.iloc[: len(trades.agents)]
    at_prices = price_gains(
        (own["cost_before"] - own["own_cost"]).to_numpy(),
        terms.bills(trades.baseline_kw),
        trades.baseline_kw,
        trades.trade_kw,
        trades.price_per_kwh,
        terms.slot_hours,
    )
    short = at_prices - own["saving"].to_numpy() - books.rounding.to_numpy()[: len(own)]
    if len(books.players) > len(own):
        at_prices = np.append(at_prices, 0.0)
    return claims | {
        "locational prices": claim(
            max(float(short.max()), 0.0) / books.surplus,
            CLOSE,
            "largest gain below that at the locational prices, as a share of the surplus",
        ),
        "Kalai-Smorodinsky": gains_are(
            books,
            anchored_gains(at_prices, books.surplus),
            "gains against the largest common share of the ideal gains above the prices",
        ),
    }


KALAI_SMORODINSKY_LOCATIONAL = bargained_market(
    name="kalai-smorodinsky-locational",
    title="Kalai-Smorodinsky bargaining above locational prices",
    rule="each gains what its locational price leaves it at least, the rest in equal shares of "
    "the ideal gains",
    explanation="Everybody is sure of what it would gain by paying the price of its own bus for "
    "what it trades beyond its old schedule. What that would leave with who delivers is shared so "
    "that all get the same share of the most they could hope for, as far as nobody falls below its "
    "sure gain.",
    exchanges=(UTILITY_ONLY, TRADING, PRICE_MONEY),
    reveals="its size and its connection, and its power in every slot and round; a mediator whom "
    "all trust learns what its own cost falls by and what it gains at its locational price; others "
    "learn nothing of it but the money it asks for in every round, in the sum",
    heard=HEARD_FROM_MEDIATOR,
    promises=equal_shares_above_the_prices,
    holds="surplus shared, gains at locational prices, gain ratios",
)
