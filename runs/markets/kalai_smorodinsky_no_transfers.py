"""Market `kalai-smorodinsky-no-transfers`: nobody pays anybody but the utility.

Each has its own connection to the utility, which a feeder does not give. Energy that neighbours
pass on is not paid for; bargained over is whose import and whose export the rest counts as. What
somebody receives can only come from the utility's payments for export: payments below 0 sum to
these at most. gain_i = r ideal_i, with the lexicographic continuation where the income is used up
(Kalai and Smorodinsky 1975; Imai 1983). Where those who sold alone had more than what is exported
now brings in, no payments are rational: the market is refused.
"""

from typing import Any

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.bargaining.own_connections import OwnConnections
from nashgrid.market.topics import TRADING, UTILITY_MONEY, UTILITY_ONLY
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import HEARD_FROM_MEDIATOR
from nashgrid.runs.markets.shared_savings import gains_are, has_surplus, surplus_shared
from nashgrid.runs.scenario import Scenario


def own_connections_only(scenario: Scenario, tariff: Tariff) -> None:
    """Refuse wires, and generators, who have nobody but their neighbours to be paid by.

    Raises
    ------
    ValueError
        If there are any.
    """
    for name, there in (("feeder", scenario.feeder), ("generators", scenario.generators)):
        if there:
            raise ValueError(
                f"{scenario.name}: without transfers each has its own connection to the utility, "
                f"and pays it alone; leave out [{name}]"
            )


def equal_shares_without_transfers(books: Books) -> dict[str, dict[str, Any]]:
    """Nobody is paid but for export, and no smallest share of an ideal gain could be larger."""
    claims = surplus_shared(books)
    if not has_surplus(books):
        return claims
    trades, terms = books.trades, books.trades.terms
    own = books.accounts.iloc[: len(trades.agents)]
    game = OwnConnections.of_community(
        (own["cost_before"] - own["own_cost"]).to_numpy(),
        trades.trade_kw.sum(axis=0),
        terms.retail_price_per_kwh,
        terms.feed_in_price_per_kwh,
        terms.slot_hours,
    )
    received = float(-own["payment"].to_numpy().clip(max=0).sum())
    return claims | {
        "no transfers": claim(
            received - game.income - float(np.sum(books.slack)),
            1e-6 * max(1.0, game.income),
            "what agents receive beyond what the utility pays for export [currency]",
        ),
        "Kalai-Smorodinsky": gains_are(
            books,
            game.kalai_smorodinsky(),
            "gains against the largest common share of the ideal gains without transfers",
        ),
    }


KALAI_SMORODINSKY_NO_TRANSFERS = bargained_market(
    name="kalai-smorodinsky-no-transfers",
    title="Kalai-Smorodinsky bargaining without transfers",
    rule="the same share of its ideal gain for each, where nobody pays anybody but the utility",
    explanation="Every player gets the same share of the most that it could hope for, but nobody "
    "pays a neighbour: each pays the utility for import that counts as its own, or is paid for "
    "export. Who has energy over gives it away, and is repaid by export that counts as its own; "
    "where little is exported it can hope for little.",
    exchanges=(UTILITY_ONLY, TRADING, UTILITY_MONEY),
    reveals="its size and its connection, and its power in every slot and round; a mediator whom "
    "all trust learns what its own cost falls by and its power in every slot; others learn nothing "
    "of it but the money it asks for in every round, in the sum",
    heard=HEARD_FROM_MEDIATOR,
    promises=equal_shares_without_transfers,
    presumes=own_connections_only,
    holds="surplus shared, no transfers, gain ratios",
)
