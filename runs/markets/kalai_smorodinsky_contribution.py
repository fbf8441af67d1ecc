"""Market `kalai-smorodinsky-contribution`: nobody can hope for more than it adds to the others.

The ideal gain of i is its marginal contribution M_i = v(all) - v(all but i) in the pooling game;
gain_i = S M_i / sum M. In games whose members are worth nothing alone this is the tau-value where
that exists (Tijs 1981). It may leave the core.
"""

from typing import Any

import numpy as np

from nashgrid.market.topics import CONTRIBUTION_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.coalitions import contributions
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import (
    WITHOUT_REPLANNING,
    coalition_value_market,
    pooling_game,
)
from nashgrid.runs.markets.shared_savings import shared_in_proportion


def shares_by_contribution(books: Books) -> dict[str, dict[str, Any]]:
    """All gains are the same share of the marginal contributions."""
    value = contributions(pooling_game(books), books.players["kind"])
    value = value if value.sum() > 0 else np.ones_like(value)
    return shared_in_proportion(
        books, value, "Kalai-Smorodinsky", "gains against one share of the marginal contributions"
    )


KALAI_SMORODINSKY_CONTRIBUTION = coalition_value_market(
    name="kalai-smorodinsky-contribution",
    title="Kalai-Smorodinsky bargaining by contribution",
    rule="everybody gets the same share of what it adds to the savings of all others",
    explanation="Every player gets the same share of the most that it could hope for, and nobody "
    "can hope for more than it adds to the savings of all others. " + WITHOUT_REPLANNING,
    exchanges=(UTILITY_ONLY, TRADING, CONTRIBUTION_MONEY),
    promises=shares_by_contribution,
    holds="surplus shared, shares of contributions",
)
