"""Who trades what in an exchange, and what they said: the cloud's ledger of a round."""

from dataclasses import dataclass, field

import numpy as np

from nashgrid.market.disclosure import Role
from nashgrid.market.messages import Floats, Integers, Messages


@dataclass(frozen=True)
class Members:
    """Members of an exchange who each trade equally many commodities.

    Parameters
    ----------
    addresses : (n,) rising
    commodities : (P, K_i) the different lists of commodities that they trade, by index
    trades : (n,) which of those lists each member trades
    speak_for : agents that all of them together speak for, if not just for themselves
    wards : (W,) first rows of the wards in which they are summed, see `nashgrid.agents.wards`; all
        in one if None
    role : what they may be told, see `nashgrid.market.disclosure`
    power : (P, T) commodities in which who delivers trades the power of each list; the commodities
        themselves if None
    """

    addresses: Integers
    commodities: Integers
    trades: Integers
    speak_for: int | None = None
    wards: Integers | None = None
    role: Role = "prosumer"
    power: Integers | None = None

    def __len__(self) -> int:
        return len(self.addresses)


@dataclass
class Bench:
    """Members, and the fields of what each of them said in this round."""

    members: Members
    heard: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        order = np.argsort(self.members.trades, kind="stable")
        ordered = self.members.trades[order]
        self._order = None if np.array_equal(ordered, self.members.trades) else order
        self._lists = np.unique(ordered)
        wards = self.members.wards
        self._wards = np.zeros(1, dtype=np.int64) if wards is None else wards
        self._starts = np.union1d(self._wards, np.flatnonzero(np.diff(ordered)) + 1)
        self._summed = ordered[self._starts]

    def hear(self, messages: Messages) -> None:
        """Keep what each member said in that member's row, whichever came first."""
        addresses = self.members.addresses
        if np.array_equal(messages.senders, addresses):
            self.heard.update(messages.fields)
            return
        rows = np.minimum(np.searchsorted(addresses, messages.senders), len(addresses) - 1)
        mine = np.flatnonzero(addresses[rows] == messages.senders)
        if len(mine) == 0:
            return
        rows = rows[mine]
        for name, values in messages.fields.items():
            if name not in self.heard:
                self.heard[name] = np.zeros((len(addresses), values.shape[1]))
            self.heard[name][rows] = values[mine]

    def own(self, by_commodity: Floats) -> Floats:
        """(n, K_i) the values that concern each member."""
        return self._of_each(by_commodity[self.members.commodities])

    def at_place(self, by_commodity: Floats) -> Floats:
        """(n, T) the values that concern the power of each member's place."""
        own = self.members.commodities if self.members.power is None else self.members.power
        return self._of_each(by_commodity[own])

    def _of_each(self, lists: Floats) -> Floats:
        if len(self._lists) == 1:
            return np.broadcast_to(lists[self._lists], (len(self.members), lists.shape[1]))
        return np.asarray(lists[self.members.trades])

    def add_to(self, total: Floats, name: str) -> None:
        """Add a field by commodity to a total, ward by ward, in the order of addresses."""
        if name not in self.heard:
            return
        values = self.heard[name] if self._order is None else self.heard[name][self._order]
        sums = np.add.reduceat(values, self._starts, axis=0)
        np.add.at(total, self.members.commodities[self._summed], sums)

    def count_into(self, takers: Floats) -> None:
        """Count in every commodity how many of the members trade it."""
        np.add.at(takers, self.members.commodities[self.members.trades], 1.0)

    def totals(self, name: str) -> Floats:
        """(W, width) sums of a field that is not by commodity, ward by ward."""
        return np.asarray(np.add.reduceat(self.heard[name], self._wards, axis=0))
