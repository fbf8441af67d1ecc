"""Market `nucleolus`: the savings so that the least content group is as content as can be.

Schmeidler's (1969) nucleolus of the pooling game: exact among the prosumers themselves while they
are few, otherwise among groups of one kind; a group's part is divided by energy traded.
"""

from typing import Any

from nashgrid.market.topics import NUCLEOLUS_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.coalitions import groups, nucleolus_of_kinds
from nashgrid.runs.markets.bargained_payments import pay_as_agreed
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.no_operator import operator_is_no_player
from nashgrid.runs.markets.shared_savings import (
    HEARD_FROM_MEDIATOR,
    TOLD_TO_MEDIATOR,
    pooling_game,
    shared_in_proportion,
)


def shares_by_nucleolus(books: Books) -> dict[str, dict[str, Any]]:
    """All gains are those of the nucleolus, of prosumers or of kinds."""
    game, kind = pooling_game(books), books.players["kind"]
    count = int(groups(game, kind).max()) + 1
    words = "gains against the nucleolus, exact"
    if count < game.players:
        words = f"gains against the nucleolus among {count} groups of kinds, within them by energy"
    return shared_in_proportion(books, nucleolus_of_kinds(game, kind), "nucleolus", words)


NUCLEOLUS = Market(
    name="nucleolus",
    title="nucleolus",
    rule="savings so that the least content group of players is as content as it can be",
    explanation="No group should have a reason to leave: of all divisions the one whose least "
    "content group is as content as can be, then the next, and so on. With many players the groups "
    "are formed of whole kinds, and a kind's part is divided by the energy that its members trade. "
    "What a group could save by itself is what it saves by settling with the utility together, "
    "with the schedules that its members have alone or with those agreed on; it does not plan "
    "anew, and the wires are not asked.",
    exchanges=(UTILITY_ONLY, TRADING, NUCLEOLUS_MONEY),
    settle=pay_as_agreed,
    individually_rational=True,
    reveals=f"{TOLD_TO_MEDIATOR}; its kind is known",
    heard=HEARD_FROM_MEDIATOR,
    promises=shares_by_nucleolus,
    holds="surplus shared, nucleolus of prosumers or kinds",
    presumes=operator_is_no_player,
    by_energy=False,
)
