"""Market `egalitarian`: everybody gains the same amount, max min_i gain_i (Kalai 1977).

With free payments that is S / n for each of n players, whatever their bargaining weights.
"""

from typing import Any

import numpy as np

from nashgrid.market.topics import EQUAL_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.shared_savings import shared_in_proportion


def equal_gains(books: Books) -> dict[str, dict[str, Any]]:
    """The smallest gain is as large as can be: all are equal."""
    value = np.ones(len(books.players))
    return shared_in_proportion(books, value, "egalitarian", "gains against an equal division")


EGALITARIAN = bargained_market(
    name="egalitarian",
    title="egalitarian bargaining",
    rule="everybody gains the same amount of money",
    explanation="The smallest gain is made as large as possible. With free payments everybody "
    "gains the same, whatever it brings and whatever its bargaining weight.",
    exchanges=(UTILITY_ONLY, TRADING, EQUAL_MONEY),
    reveals="its size and its connection, its power in every slot and round, what its own cost "
    "falls by, and the money it asks for in every round",
    promises=equal_gains,
    holds="surplus shared, equal gains",
)
