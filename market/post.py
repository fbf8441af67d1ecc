"""The post: carries what lies in the outboxes, until all is quiet."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Messages


class Correspondent(Protocol):
    """Whoever has an inbox and an outbox."""

    outbox: list[Messages]

    def receive(self, messages: Messages) -> None:
        """React to a column of messages."""
        ...


class Post:
    """Moves messages between correspondents over a network.

    Parameters
    ----------
    network : decides when, and after how many attempts, a message arrives
    correspondents : address -> who answers there; several addresses may share one
    """

    def __init__(
        self, network: MessageNetwork, correspondents: Mapping[int, Correspondent]
    ) -> None:
        self.network = network
        self._everybody = list(dict.fromkeys(correspondents.values()))
        number = {id(one): index for index, one in enumerate(self._everybody)}
        self._index = np.full(1 + max(correspondents), -1)
        for address, one in correspondents.items():
            self._index[address] = number[id(one)]

    def carry(self) -> None:
        """Send everything in the outboxes and deliver until no message is under way."""
        self._collect()
        while (column := self.network.deliver()) is not None:
            index = self._index[column.receivers]
            for number in np.unique(index):
                receiver = self._everybody[number]
                receiver.receive(column.select(np.flatnonzero(index == number)))
                self._empty(receiver)

    def _collect(self) -> None:
        for one in self._everybody:
            self._empty(one)

    def _empty(self, one: Correspondent) -> None:
        for column in one.outbox:
            self.network.send(column)
        one.outbox.clear()
