"""Messages: the only way agents know of each other.

Messages of one kind sent together travel as columns: row i goes from ``senders[i]`` to
``receivers[i]`` and carries row i of every field. One message is a column of length one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HEADER_BYTES = 24
"""Sender, receiver and number of a message, eight bytes each."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "enrolment": {
        "size": "size of the sender in each commodity it trades [kW]",
        "connection_kw": "limit of the sender's grid connection [kW]",
        "lowest_kw": "least power the sender can buy in each slot [kW]",
        "highest_kw": "most power the sender can buy in each slot [kW]",
        "expected_kw": "power the sender buys in each slot if it shifts and stores nothing [kW]",
        "saving": "what the sender's own cost has fallen by, before payments [currency]",
        "weight": "the sender's bargaining weight [1]",
        "alone_kw": "what the sender buys of the utility alone, slot by slot [kW]",
        "agreed_kw": "what the sender buys in the market, slot by slot [kW]",
        "least_gain": "least gain that payments within the price band leave it [currency]",
        "most_gain": "most gain that payments within the price band leave it [currency]",
        "price_gain": "what the sender gains when it pays the clearing price of its own place for "
        "what it trades beyond its schedule alone [currency]",
    },
    "enrolment sums": {
        "size": "sum of all sizes in each commodity [kW]",
        "connection_kw": "sum of the connection limits at each commodity's place [kW]",
        "lowest_kw": "sum of the lowest powers in each commodity [kW]",
        "highest_kw": "sum of the highest powers in each commodity [kW]",
    },
    "award": {"weight": "weight by which the receiver shares the savings [1]"},
    "charge": {
        "charge": "what a leader asks for each kWh bought or sold inside, by slot [currency/kWh]"
    },
    "quote": {
        "price": "price of each commodity the receiver trades [currency/kWh]",
        "imbalance": "mean imbalance of the last round per unit of size [1]",
        "step": "rho, what a unit of imbalance adds to the price [currency/kWh]",
        "memory_slot": "where to keep the last round in the memory; -1: nothing to keep",
        "mixing_weights": "weight of each memory slot in the next target [1]",
    },
    "announcement": {
        "price": "what a kWh costs at each place, energy and charge [currency/kWh]",
        "imbalance": "how far schedules at each place are asked to give way per unit of size [1]",
    },
    "offer": {
        "quantity": "what the sender would buy of each commodity [kW]",
        "squared_norm": "its own term of the norm of all quantities [kW]",
        "residual_products": "its own inner products of residuals with the memory [kW]",
    },
    "offer sums": {"quantity": "sum of what all would buy of each commodity [kW]"},
    "closing": {"price": "clearing price of each commodity the receiver trades [currency/kWh]"},
    "commitment": {"quantity": "what the sender will buy of each commodity [kW]"},
    "left over": {"quantity": "what the receiver has to buy besides so that all balances [kW]"},
    "remainder": {"quantity": "what the receiver has to buy so that all balances [kW]"},
    "set points": {
        "reactive_share": "part of the reactive power that inverters can take (negative: give) at "
        "which they are set, for each commodity [1]"
    },
    "volume": {"volume": "what all prosumers buy and sell in each slot, without signs [kW]"},
}
"""Every kind of message and every field it may carry, with its meaning and unit."""


@dataclass(frozen=True)
class Messages:
    """A column of messages of one kind.

    Parameters
    ----------
    kind : one of `FIELDS`
    topic : the exchange they belong to
    senders, receivers : (n,) addresses
    fields : name -> (n, width) numbers
    sent_s : (n,) time of sending [s]
    """

    kind: str
    topic: str
    senders: Integers
    receivers: Integers
    fields: Mapping[str, Floats]
    sent_s: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        unknown = set(self.fields) - set(FIELDS.get(self.kind, {}))
        if self.kind not in FIELDS or unknown:
            raise ValueError(f"message kind {self.kind!r} does not declare {sorted(unknown)}")

    def __len__(self) -> int:
        return len(self.senders)

    @property
    def form(self) -> tuple[object, ...]:
        """What messages have in common that can travel as one column."""
        widths = tuple((name, values.shape[1]) for name, values in self.fields.items())
        return self.kind, self.topic, widths

    @property
    def bytes_each(self) -> int:
        """Size of one message: header and eight bytes per number."""
        return HEADER_BYTES + 8 * sum(int(values.shape[1]) for values in self.fields.values())

    def select(self, rows: NDArray[np.bool_] | slice, sent_s: Floats | None = None) -> "Messages":
        """Some of the rows, as seen by their receivers; `sent_s` may be replaced."""
        return Messages(
            kind=self.kind,
            topic=self.topic,
            senders=self.senders[rows],
            receivers=self.receivers[rows],
            fields={name: values[rows] for name, values in self.fields.items()},
            sent_s=self.sent_s[rows] if sent_s is None else sent_s,
        )


def one_message(
    kind: str, topic: str, sender: int, receiver: int, fields: Mapping[str, Floats], sent_s: float
) -> Messages:
    """A column of length one from plain vectors."""
    return Messages(
        kind=kind,
        topic=topic,
        senders=np.array([sender]),
        receivers=np.array([receiver]),
        fields={name: np.atleast_1d(values)[None, :] for name, values in fields.items()},
        sent_s=np.array([sent_s]),
    )


def join(columns: Sequence[Messages]) -> Messages:
    """Columns of one form as one column, in the given order."""
    first = columns[0]
    if len(columns) == 1:
        return first
    return Messages(
        kind=first.kind,
        topic=first.topic,
        senders=np.concatenate([column.senders for column in columns]),
        receivers=np.concatenate([column.receivers for column in columns]),
        fields={
            name: np.concatenate([column.fields[name] for column in columns])
            for name in first.fields
        },
        sent_s=np.concatenate([column.sent_s for column in columns]),
    )
