"""Market `incentive-proportional`: the savings by the energy that each trades.

payment_i = C0_i - C_i - S y_i / sum y, y the energy that i buys and sells. Reconstructed; see
`nashgrid.market.pricing.incentive_proportional`.
"""

from typing import Any

import numpy as np

from nashgrid.market.topics import TRADED_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.no_operator import operator_is_no_player
from nashgrid.runs.markets.shared_savings import shared_in_proportion


def shares_by_energy(books: Books) -> dict[str, dict[str, Any]]:
    """All gains are in proportion to energy traded."""
    energy = np.abs(books.trades.trade_kw).sum(axis=1)
    return shared_in_proportion(
        books, energy, "incentive by proportion", "gains against the surplus by energy traded"
    )


INCENTIVE_PROPORTIONAL = bargained_market(
    name="incentive-proportional",
    title="incentive by proportion",
    rule="savings in proportion to the energy that each trades (reconstructed)",
    explanation="The savings go to those who trade, in proportion to the energy that they buy and "
    "sell. Nobody loses, but who only has to be large to gain much need not bring much. The rule "
    "is reconstructed.",
    exchanges=(UTILITY_ONLY, TRADING, TRADED_MONEY),
    reveals="its size and its connection, its power in every slot and round, what its own cost "
    "falls by, the energy that it trades, and the money it asks for in every round",
    promises=shares_by_energy,
    holds="surplus shared, shares by energy",
    presumes=operator_is_no_player,
)
