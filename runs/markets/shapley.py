"""Market `shapley`: the savings by each one's mean contribution over all orders (Shapley 1953).

The value of the pooling game: exact for few prosumers, and above that estimated from random orders
of arrival with a fixed seed; the certificate states the standard error.
"""

from typing import Any

from nashgrid.market.topics import SHAPLEY_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.coalitions import shapley_with_error
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import (
    WITHOUT_REPLANNING,
    coalition_value_market,
    pooling_game,
)
from nashgrid.runs.markets.shared_savings import shared_in_proportion


def shares_by_shapley(books: Books) -> dict[str, dict[str, Any]]:
    """All gains are in proportion to the Shapley value, or to its estimate."""
    value, error, orders = shapley_with_error(pooling_game(books))
    words = "gains against the Shapley value, exact"
    if orders:
        words = (
            f"gains against the Shapley value as estimated from {orders:,} random orders, with a "
            f"standard error of {error.max():.2g} [currency] at most"
        )
    return shared_in_proportion(books, value, "Shapley value", words)


SHAPLEY = coalition_value_market(
    name="shapley",
    title="Shapley value",
    rule="savings by what each adds to those who came before, in the mean over all orders",
    explanation="Every player gets what it adds to the savings of those who came before it, in "
    "the mean over all orders of arrival (with many players over a random sample of orders; the "
    "certificate states the standard error). " + WITHOUT_REPLANNING,
    exchanges=(UTILITY_ONLY, TRADING, SHAPLEY_MONEY),
    promises=shares_by_shapley,
    holds="surplus shared, Shapley value with its standard error",
)
