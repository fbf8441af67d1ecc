"""The trading agent: an inbox, an outbox, and a seat in each exchange it takes part in."""

from collections.abc import Mapping

import mesa

from nashgrid.market.messages import Floats, Messages, one_message
from nashgrid.market.participation import Participation


class TradingAgent(mesa.Agent):
    """An autonomous agent. Its only door is `receive`; its only effect is its `outbox`.

    Parameters
    ----------
    model : the Mesa model it lives in
    name : unique within the scenario
    """

    def __init__(self, model: mesa.Model, name: str) -> None:
        super().__init__(model)
        self.name = name
        self.outbox: list[Messages] = []
        self.seats: dict[str, Participation] = {}
        self.clearing_price: dict[str, Floats] = {}

    def receive(self, messages: Messages) -> None:
        """React to a column of messages addressed to this agent."""
        for row in range(len(messages)):
            fields = {name: values[row] for name, values in messages.fields.items()}
            answer = self.react(messages.kind, messages.topic, fields)
            if answer is not None:
                kind, content = answer
                self.say(
                    kind,
                    messages.topic,
                    int(messages.senders[row]),
                    content,
                    float(messages.sent_s[row]),
                )

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """What this agent answers to one message: (kind, fields), or nothing."""
        if kind == "quote":
            return "offer", self.seats[topic].offer(fields)
        if kind == "closing":
            self.clearing_price[topic] = fields["price"]
            return "commitment", {"quantity": self.seats[topic].quantity}
        raise ValueError(f"{self.name} does not understand a message of kind {kind!r}")

    def say(
        self, kind: str, topic: str, receiver: int, fields: Mapping[str, Floats], now_s: float
    ) -> None:
        """Put one message into the outbox."""
        self.outbox.append(one_message(kind, topic, self.unique_id, receiver, fields, now_s))
