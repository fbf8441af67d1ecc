"""The messages of one exchange of a run, as arrays."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from nashgrid.market.disclosure import Role, undisclosed
from nashgrid.market.messages import FIELDS, Floats, Integers

EXACTNESS = 1e-9
"""Sums may have been added in another order: of what was added, so much may be missing."""


def differ(told: Floats, expected: Floats, scale: float) -> bool:
    """Whether numbers are not what follows from sums of a scale; what is no number never is."""
    return not bool((np.abs(told - expected) <= EXACTNESS * scale).all())


class MessageLog:
    """What was said in an exchange, from the table of an outcome.

    Agents have the addresses from 1 on, after them managers of communities, then who delivers (two
    where feeders are tied) and the clouds.

    Parameters
    ----------
    messages : of an outcome
    topic : the exchange
    agents, managers, counterparties : how many there are

    Attributes
    ----------
    step, receiver : (m,) of every message
    """

    def __init__(
        self, messages: pa.Table, topic: str, agents: int, managers: int, counterparties: int = 1
    ) -> None:
        own = pa.compute.equal(messages["topic"].cast(pa.string()), topic)
        self.topic = topic
        self._table = messages.filter(own).combine_chunks()
        self._kind = np.array(self._table["kind"].cast(pa.string()).to_pylist())
        self._sender = self._table["sender"].to_numpy()
        self.receiver = self._table["receiver"].to_numpy()
        self.step = self._table["model_step"].to_numpy()
        self._agents, self._counterparty = agents, agents + managers + 1
        self._last = agents + managers + counterparties
        names = dict.fromkeys(name for kind in FIELDS.values() for name in kind)
        self._width = {
            name: pa.compute.list_value_length(self._table[name]).to_numpy() for name in names
        }

    @property
    def was_held(self) -> bool:
        """Whether there was a round."""
        return len(self.to_counterparty("quote")) > 0

    @property
    def without_content(self) -> int:
        """Messages whose fields were not logged."""
        empty = np.sum(list(self._width.values()), axis=0) == 0
        return int(self._table["count"].to_numpy()[empty].sum())

    def to_counterparty(self, kind: str) -> Integers:
        """Messages of a kind that who delivers received, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self.receiver == self._counterparty))

    def to_prosumers(self, kind: str) -> Integers:
        """Messages of a kind that prosumers received, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self.receiver < self._counterparty))

    def of_prosumers(self, kind: str) -> Integers:
        """Messages of a kind that prosumers sent, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self._sender < self._counterparty))

    def of_counterparty(self, kind: str) -> Integers:
        """Messages of a kind that who delivers sent, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self._sender == self._counterparty))

    def received(self, kind: str, address: int) -> Integers:
        """Messages of a kind that came to an address, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self.receiver == address))

    def sent(self, kind: str, address: int) -> Integers:
        """Messages of a kind that came from an address, in the order of sending."""
        return np.flatnonzero((self._kind == kind) & (self._sender == address))

    def sender(self, rows: Integers) -> Integers:
        """Addresses of who sent some of the messages."""
        return np.asarray(self._sender[rows])

    def fields(self, rows: Integers) -> list[str]:
        """The fields that any of the messages has."""
        return [name for name, width in self._width.items() if width[rows].any()]

    def values(self, rows: Integers, field: str) -> Floats:
        """(len(rows), width) numbers of a field that all of the messages have.

        Raises
        ------
        ValueError
            If they differ in width.
        """
        width = np.unique(self._width[field][rows])
        if len(width) != 1:
            raise ValueError(f"{self.topic}: the widths of {field} differ: {width.tolist()}")
        column = self._table[field].chunk(0)
        start = column.offsets.to_numpy()[rows]
        return np.asarray(column.values.to_numpy()[start[:, None] + np.arange(width[0])])

    def undeclared(self, role: Role) -> Iterator[str]:
        """What somebody of a role received and should not have: fields, or words of another."""
        mine = {
            "prosumer": self.receiver <= self._agents,
            "manager": (self.receiver > self._agents) & (self.receiver < self._counterparty),
            "counterparty": (self.receiver >= self._counterparty) & (self.receiver <= self._last),
        }[role]
        for kind in np.unique(self._kind[mine]):
            rows = np.flatnonzero(mine & (self._kind == kind))
            for name in undisclosed(kind, role, self.fields(rows)):
                yield f"{self.topic}: a {kind} told a {role} its {name}"
            if (self._sender[rows] <= self._last).any():
                yield f"{self.topic}: a {kind} to a {role} did not come from the cloud"
