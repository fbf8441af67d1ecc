"""Market `kalai-smorodinsky`: everybody gets the same share of its ideal gain, payments free.

The largest r with gain_i >= r ideal_i for all, where ideal_i is the most that i could get with
nobody below what it has with the utility alone (Kalai and Smorodinsky 1975). With free payments
every ideal gain is the whole surplus S, so that each of n players gets S / n, as by Nash's
solution with equal weights. In the exchange of money everybody asks for what leaves it r ideal_i;
the coordinator lowers 1 / r until the money balances.
"""

from typing import Any

import numpy as np

from nashgrid.market.topics import EQUAL_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.shared_savings import shared_in_proportion


def equal_shares_of_the_ideal(books: Books) -> dict[str, dict[str, Any]]:
    """All gain ratios are equal: every ideal gain is the surplus."""
    ideal = np.full(len(books.players), books.surplus)
    return shared_in_proportion(
        books, ideal, "Kalai-Smorodinsky", "gains against one share r of the ideal gains"
    )


KALAI_SMORODINSKY = bargained_market(
    name="kalai-smorodinsky",
    title="Kalai-Smorodinsky bargaining",
    rule="everybody gets the same share of its ideal gain; payments are free",
    explanation="Every player gets the same share of the most that it could hope for. With free "
    "payments everybody could hope for the whole surplus, so that all gain the same, as by Nash "
    "bargaining with equal weights.",
    exchanges=(UTILITY_ONLY, TRADING, EQUAL_MONEY),
    reveals="its size and its connection, its power in every slot and round, what its own cost "
    "falls by, and the money it asks for in every round",
    promises=equal_shares_of_the_ideal,
    holds="surplus shared, gain ratios",
)
