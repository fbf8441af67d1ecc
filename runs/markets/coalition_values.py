"""What rules that share the savings by the worth of groups have in common: the game, a mediator."""

from functools import partial

from nashgrid.market.bargaining.pooling_game import PoolingGame
from nashgrid.runs.markets.bargained_payments import bargained_market
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.no_operator import operator_is_no_player

HEARD_FROM_MEDIATOR = ("quote", "closing", "award")
TOLD_TO_MEDIATOR = (
    "its size and its connection, and its power in every slot and round; a mediator whom all trust "
    "learns what its own cost falls by and its power in every slot, alone and in the market; "
    "others learn nothing of it but the money it asks for in every round, in the sum"
)
WITHOUT_REPLANNING = (
    "What a group could save by itself is what it saves by settling with the utility together, "
    "with the schedules that its members have alone or with those agreed on; it does not plan "
    "anew, and the wires are not asked."
)


def pooling_game(books: Books) -> PoolingGame:
    """The coalitional game of the traders, from the accounts."""
    trades, terms = books.trades, books.trades.terms
    own = books.accounts.iloc[: len(trades.agents)]
    return PoolingGame(
        alone_kw=trades.baseline_kw,
        agreed_kw=trades.trade_kw,
        saving=(own["cost_before"] - own["own_cost"]).to_numpy(),
        surplus=books.surplus,
        retail_price=terms.retail_price_per_kwh,
        feed_in_price=terms.feed_in_price_per_kwh,
        slot_hours=terms.slot_hours,
    )


coalition_value_market = partial(
    bargained_market,
    reveals=TOLD_TO_MEDIATOR,
    heard=HEARD_FROM_MEDIATOR,
    presumes=operator_is_no_player,
)
"""The record of a rule for which a mediator adds up what groups are worth."""
