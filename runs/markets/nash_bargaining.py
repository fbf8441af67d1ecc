"""Market `nash-bargaining`: the savings in proportion to the bargaining weights (Nash 1950).

max prod (gain_i)^(a_i) over payments that sum to zero: with free side payments the surplus S is
shared, gain_i = a_i S / sum a. The agents find it in an exchange of money.
"""

from typing import Any

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.topics import MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.claims import allowed, claim
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.shared_savings import has_surplus, surplus_shared


def bargaining_excess(gains: Floats, weights: Floats, surplus: float) -> float:
    """max over feasible gains v of sum a_i (v_i - g_i) / g_i, relative to sum a.

    With free side payments v is any division of the surplus S with v >= 0, so the maximum puts
    all on the largest a_i / g_i: S max(a / g) - sum a. It bounds the suboptimality of the
    weighted sum of logs from above (concavity).
    """
    if (gains <= 0).any():
        return float("inf")
    total = float(weights.sum())
    return float(surplus * (weights / gains).max() - total) / total


def shares_of_the_surplus(books: Books) -> dict[str, dict[str, Any]]:
    """The players' savings are the whole surplus, and no division has a better log product."""
    gains, slack, surplus = books.gains, books.slack, books.surplus
    claims = surplus_shared(books)
    if not has_surplus(books):
        return claims
    # A gain that rounding made smaller by r raises its a_i / g_i by the share r / g_i.
    rounded = float((slack / np.maximum(gains, 1e-300)).max())
    claims["Nash bargaining"] = claim(
        bargaining_excess(gains, books.players["weight"].to_numpy(), surplus),
        allowed(books.tolerance, 1e-5, 1e-4) + rounded,
        "excess: how far any feasible division could raise the weighted log product",
    )
    return claims


NASH_BARGAINING = bargained_market(
    name="nash-bargaining",
    title="Nash bargaining",
    rule="savings shared by Nash bargaining, weight by weight",
    explanation="The savings are shared by Nash bargaining: every player gains in proportion to "
    "its bargaining weight, whatever it brings.",
    exchanges=(UTILITY_ONLY, TRADING, MONEY),
    reveals="its size and its connection, its power in every slot and round, what its own cost "
    "falls by, its bargaining weight, and the money it asks for in every round",
    promises=shares_of_the_surplus,
    holds="surplus shared, bargaining excess",
    weighted=True,
    for_levels=True,
)
