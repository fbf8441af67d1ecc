"""Whether a group of agents would do better by leaving: a finding, promised by few rules."""

from typing import Any

from nashgrid.market.bargaining.core_excess import core_excess
from nashgrid.market.topics import TRADING
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import pooling_game
from nashgrid.runs.markets.market import Market

MOST_PLAYERS = 5_000
"""With more the linear program behind the bound takes longer than the rest of the proof."""


def core_finding(market: Market, books: Books) -> dict[str, Any] | None:
    """The most that a group could gain by leaving, in the pooling game, and who it is.

    None where nobody trades at the prices of a social optimum, the operator of the wires shares
    the savings, or there are one or more than `MOST_PLAYERS` players, or sums of them.
    """
    players = len(books.players)
    everybody = players == len(books.trades.agents)
    if market.cases[-1] != TRADING or not everybody or not 2 <= players <= MOST_PLAYERS:
        return None
    found = core_excess(pooling_game(books), books.gains)
    names = books.players["agent"].to_numpy()
    return {
        "largest_excess": found.excess,
        "is_bound": found.members is None,
        "coalition": None if found.members is None else names[found.members].tolist(),
    }
