"""Which commodities everybody trades in an exchange, by number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.levels import Levels
from nashgrid.runs.rentals import Rentals


@dataclass(frozen=True)
class Seating:
    """The commodities of an exchange, in rows of those that one trader trades.

    Parameters
    ----------
    rows : (R, K) commodities
    row : (n,) which row each trader trades
    counterparty : (M,) commodities of who faces everybody
    managers : commodities of each manager of a community; none where they take no part
    shares : groups of traders, rising, who trade further commodities beside their row, and these
    power : (R, T) commodities of the counterparty at the place of each row; the rows if None
    """

    rows: Integers
    row: Integers
    counterparty: Integers
    managers: tuple[Integers, ...] = ()
    shares: tuple[tuple[Integers, Integers], ...] = ()
    power: Integers | None = None

    def traders(self, addresses: Integers) -> list[Members]:
        """The first traders, of these addresses: those who trade the same number together."""
        alone = np.ones(len(addresses), dtype=bool)
        power = self.rows if self.power is None else self.power
        groups = []
        for traders, further in self.shares:
            alone[traders] = False
            lists = np.hstack([self.rows, np.tile(further, (len(self.rows), 1))])
            groups.append(Members(addresses[traders], lists, self.row[traders], power=power))
        if alone.any():
            row = self.row[: len(addresses)][alone]
            own = Members(addresses[alone], self.rows, row, power=power)
            groups.insert(0, own)
        return groups

    def who_face_many(self, managers: Sequence[Integers], counterparty: Integers) -> list[Members]:
        """Managers and the counterparty, each by itself; their addresses are given."""
        alone = np.zeros(1, dtype=np.int64)
        groups = [
            Members(address, own[None], alone, role="manager")
            for address, own in zip(managers, self.managers, strict=False)
        ]
        last = Members(counterparty, self.counterparty[None], alone, role="counterparty")
        return [*groups, last]


def energy_seating(
    place: Integers,
    places: int,
    slots: int,
    levels: Levels | None = None,
    rentals: Rentals | None = None,
) -> Seating:
    """Energy in every slot at every place; with levels, also inside and between communities.

    Batteries for rent add their charging in every slot and their capacity.

    Parameters
    ----------
    place : (n,) of each trader
    """
    row, count = place, places
    if levels is not None:
        row, count = levels.row, levels.between_row + 1
    rows = np.arange(count * slots).reshape(count, slots)
    shares = (
        ()
        if rentals is None
        else tuple(
            (np.array(one.members), rentals.commodities(number, rows.size))
            for number, one in enumerate(rentals.each)
        )
    )
    communities = 0 if levels is None else len(levels.communities)
    managers = [
        rows[levels.rows_of(number)].ravel() for number in range(communities) if levels is not None
    ]
    power = None if levels is None else rows[levels.place_of_row]
    return Seating(rows, row, rows[:places].ravel(), tuple(managers), shares, power)


def opening_price(
    energy_price: Floats, places: int, levels: Levels | None = None, rentals: Rentals | None = None
) -> Floats:
    """(K,) of the commodities of `energy_seating`: energy at a price (T,), all else at nothing.

    What passes between communities has a premium; charging costs what energy does.
    """
    prices = [np.tile(energy_price, places)]
    if levels is not None:
        prices += [np.tile(energy_price, len(levels.pairs)), np.zeros_like(energy_price)]
    if rentals is not None:
        prices += [np.append(energy_price, 0.0)] * len(rentals.each)
    return np.concatenate(prices)


def money_seating(traders: int, managers: int) -> Seating:
    """Money, which everybody trades."""
    money = np.zeros(1, dtype=np.int64)
    return Seating(money[None], np.zeros(traders, dtype=np.int64), money, (money,) * managers)
