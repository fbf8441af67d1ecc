"""The cloud between agents and an operator that charges for its wires."""

from typing import Unpack

import mesa
import numpy as np

from nashgrid.agents.cloud import Cloud, CloudTerms
from nashgrid.market.messages import Messages


class ChargeCloud(Cloud):
    """Passes on the operator's prices, to everybody those of its own place, and sums of offers.

    To agents it is a cloud like any other, and a quote is a quote. But its prices follow from the
    operator's charges instead of from imbalances, and no past ones are mixed in.

    Parameters
    ----------
    terms : see `Cloud`; of the members the operator comes last
    """

    def __init__(self, model: mesa.Model, topic: str, **terms: Unpack[CloudTerms]) -> None:
        super().__init__(model, topic, **terms)
        *self._agents, self._operator = self._benches
        self._first = True
        self.finished = False

    def receive(self, messages: Messages) -> None:
        """Note a column of enrolments, announcements, offers or commitments."""
        super().receive(messages)
        self.finished = self.finished or messages.kind == "closing"

    def open_exchange(self) -> bool:
        """Everybody has enrolled, and the operator has announced its first prices."""
        return True

    def quote(self, now_s: float) -> None:
        """Pass on what the operator has announced."""
        self._announce(
            "quote",
            now_s,
            by_commodity={name: self._operator.heard[name][0] for name in ("price", "imbalance")},
            to_all={
                "step": np.array([self.rules.step]),
                "memory_slot": np.array([-1.0 if self._first else 0.0]),
                "mixing_weights": np.ones(1),
            },
            benches=self._agents,
        )
        self._first = False

    def tell_offers(self, now_s: float) -> None:
        """Tell the operator what the offers come to at its places."""
        fields = {"quantity": self._operator.own(self._sum("quantity"))}
        self._tell("offer sums", self._operator.members, fields, now_s)

    def announce_closing(self, now_s: float) -> None:
        """Announce the prices that were answered last."""
        self._announce("closing", now_s, by_commodity={"price": self._operator.heard["price"][0]})
