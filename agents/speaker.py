"""Speakers: an inbox, an outbox, and seats in the exchanges that they take part in."""

from collections.abc import Callable, Mapping

import numpy as np

from nashgrid.market.messages import Floats, Integers, Messages
from nashgrid.market.participation import Participation


class Speaker:
    """Who answers at one address or at several, row by row; no row learns of another.

    The only door is `receive`; the only effect is the `outbox`.

    Parameters
    ----------
    name : for error messages
    addresses : (n,) rising
    """

    def __init__(self, name: str, addresses: Integers) -> None:
        self.name = name
        self.addresses = addresses
        self.outbox: list[Messages] = []
        self.seats: dict[str, Participation] = {}
        self.clearing_price: dict[str, Floats] = {}
        self.reactive_share: dict[str, Floats] = {}
        self.awards: dict[str, Callable[[Floats], None]] = {}

    def receive(self, messages: Messages) -> None:
        """React to messages; those of one round come to all addresses, in their order.

        Raises
        ------
        ValueError
            If some of the addresses are left out.
        """
        count = len(self.addresses)
        for start in range(0, len(messages), count):
            rows = slice(start, start + count)
            if not np.array_equal(messages.receivers[rows], self.addresses):
                raise ValueError(
                    f"{self.name}: a {messages.kind} reached some of its {count} addresses only"
                )
            fields = {name: values[rows] for name, values in messages.fields.items()}
            answer = self.react(messages.kind, messages.topic, fields)
            if answer is not None:
                sender = int(messages.senders[start])
                self.say(answer[0], messages.topic, sender, answer[1], messages.sent_s[rows])

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """The answer to a message at every address: (kind, fields), or nothing."""
        if kind == "quote":
            return "offer", self.seats[topic].offer(fields)
        if kind == "closing":
            self.clearing_price[topic] = fields["price"]
            return "commitment", {"quantity": self.seats[topic].quantity}
        if kind == "award":
            self.awards[topic](fields["weight"])
            return None
        if kind == "set points":
            self.reactive_share[topic] = fields["reactive_share"]
            return None
        raise ValueError(f"{self.name} does not understand a message of kind {kind!r}")

    def say(
        self,
        kind: str,
        topic: str,
        receiver: int,
        fields: Mapping[str, Floats],
        now_s: float | Floats,
    ) -> None:
        """Put one message of every address into the outbox; a field has a row for each."""
        to = np.full(len(self.addresses), receiver)
        sent_s = np.broadcast_to(np.asarray(now_s, dtype=np.float64), to.shape)
        self.outbox.append(Messages(kind, topic, self.addresses, to, fields, sent_s))
