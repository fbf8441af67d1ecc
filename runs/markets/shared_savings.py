"""What rules that share the savings promise: all of them are shared, and by the rule."""

from typing import Any

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import SMALLEST_SHARE
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.books import Books

CLOSE = 1e-6
"""How far money may end from what a rule says, as a share of the surplus."""


def surplus_shared(books: Books) -> dict[str, dict[str, Any]]:
    """The players' savings are the whole surplus."""
    before = books.shared["cost_before"]
    return {
        "surplus shared": claim(
            abs(float(books.gains.sum()) - books.surplus),
            float(books.slack.sum() + 1e-9 * before.abs().sum()),
            "savings of the players against the surplus they share [currency]",
        )
    }


def has_surplus(books: Books) -> bool:
    """Whether there is more to share than settlement can tell from nothing."""
    return books.surplus > SMALLEST_SHARE * len(books.shared)


def shared_in_proportion(
    books: Books, value: Floats, name: str, words: str
) -> dict[str, dict[str, Any]]:
    """The players' savings are the surplus in proportion to what each is worth, (n,)."""
    claims = surplus_shared(books)
    whole = float(value.sum())
    if not has_surplus(books) or whole <= 0:
        return claims
    gains = books.surplus * value / whole
    return claims | {name: gains_are(books, gains, words)}


def gains_are(books: Books, gains: Floats, words: str) -> dict[str, Any]:
    """The players' savings are these, (n,), but for rounding and how well money converged."""
    apart = np.abs(books.gains - gains) - books.slack
    return claim(
        max(float(apart.max()), 0.0) / books.surplus,
        CLOSE,
        f"{words}: largest difference of a saving, as a share of the surplus",
    )
