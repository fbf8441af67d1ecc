"""Which commodities everybody trades in an exchange, by number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.market.messages import Integers
from nashgrid.runs.levels import Levels


@dataclass(frozen=True)
class Seating:
    """The commodities of an exchange, in rows of those that one trader trades.

    Parameters
    ----------
    rows : (R, K) commodities
    row : (n,) which row each trader trades
    counterparty : (M,) commodities of who faces everybody
    managers : commodities of each manager of a community; none where they take no part
    """

    rows: Integers
    row: Integers
    counterparty: Integers
    managers: tuple[Integers, ...] = ()

    def who_face_many(self, managers: Sequence[Integers], counterparty: Integers) -> list[Members]:
        """Managers and the counterparty, each by itself; their addresses are given."""
        alone = np.zeros(1, dtype=np.int64)
        groups = [
            Members(address, own[None], alone, role="manager")
            for address, own in zip(managers, self.managers, strict=False)
        ]
        last = Members(counterparty, self.counterparty[None], alone, role="counterparty")
        return [*groups, last]


def energy_seating(place: Integers, places: int, slots: int, levels: Levels | None) -> Seating:
    """Energy in every slot at every place; with levels, also inside and between communities.

    Parameters
    ----------
    place : (n,) of each trader
    """
    if levels is None:
        rows = np.arange(places * slots).reshape(places, slots)
        return Seating(rows, place, rows.ravel())
    rows = np.arange((levels.between_row + 1) * slots).reshape(-1, slots)
    managers = [rows[levels.rows_of(number)].ravel() for number in range(len(levels.communities))]
    return Seating(rows, levels.row, rows[:places].ravel(), tuple(managers))


def money_seating(traders: int, managers: int) -> Seating:
    """Money, which everybody trades."""
    money = np.zeros(1, dtype=np.int64)
    return Seating(money[None], np.zeros(traders, dtype=np.int64), money, (money,) * managers)
