"""Market `nucleolus`: the savings so that the least content group is as content as can be.

Schmeidler's (1969) nucleolus of the pooling game: exact among the prosumers themselves while they
are few, otherwise among groups of one kind; a group's part is divided by energy traded.
"""

from typing import Any

from nashgrid.market.topics import NUCLEOLUS_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.coalitions import groups, nucleolus_of_kinds
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.coalition_values import (
    TOLD_TO_MEDIATOR,
    WITHOUT_REPLANNING,
    coalition_value_market,
    pooling_game,
)
from nashgrid.runs.markets.shared_savings import (
    has_surplus,
    shared_in_proportion,
    surplus_shared,
)


def shares_by_nucleolus(books: Books) -> dict[str, dict[str, Any]]:
    """All gains are those of the nucleolus, of prosumers or of kinds."""
    if not has_surplus(books):
        # What groups are worth is rounding of nothing, for which no division need be rational.
        return surplus_shared(books)
    game, kind = pooling_game(books), books.players["kind"]
    count = int(groups(game, kind).max()) + 1
    words = "gains against the nucleolus, exact"
    if count < game.players:
        words = f"gains against the nucleolus among {count} groups of kinds, within them by energy"
    return shared_in_proportion(books, nucleolus_of_kinds(game, kind), "nucleolus", words)


NUCLEOLUS = coalition_value_market(
    name="nucleolus",
    title="nucleolus",
    rule="savings so that the least content group of players is as content as it can be",
    explanation="No group should have a reason to leave: of all divisions the one whose least "
    "content group is as content as can be, then the next, and so on. With many players the "
    "groups are formed of whole kinds, and a kind's part is divided by the energy that its "
    "members trade. " + WITHOUT_REPLANNING,
    exchanges=(UTILITY_ONLY, TRADING, NUCLEOLUS_MONEY),
    reveals=f"{TOLD_TO_MEDIATOR}; its kind is known",
    promises=shares_by_nucleolus,
    holds="surplus shared, nucleolus of prosumers or kinds",
)
