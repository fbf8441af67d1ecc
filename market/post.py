"""The post: carries what lies in the outboxes, until all is quiet."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from nashgrid.market.message_network import LONG, MessageNetwork
from nashgrid.market.messages import Integers, Messages, join


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
    slow : those of them who work elsewhere; their outboxes are asked for once all is quiet, so
        that they work side by side
    """

    def __init__(
        self,
        network: MessageNetwork,
        correspondents: Mapping[int, Correspondent],
        slow: Sequence[Correspondent] = (),
    ) -> None:
        self.network = network
        self._everybody = list(dict.fromkeys(correspondents.values()))
        self._slow = {id(one) for one in slow}
        number = {id(one): index for index, one in enumerate(self._everybody)}
        self._index = np.full(1 + max(correspondents), -1)
        addresses = np.fromiter(correspondents, np.int64, len(correspondents))
        self._index[addresses] = [number[id(one)] for one in correspondents.values()]

    def carry(self) -> None:
        """Send everything in the outboxes and deliver until no message is under way.

        Raises
        ------
        ValueError
            If nobody answers at the address of a message; names it.
        """
        self._send(self._everybody)
        at_work: dict[int, Correspondent] = {}
        while (column := self.network.deliver()) is not None or at_work:
            if column is None:
                self._send([at_work[number] for number in sorted(at_work)])
                at_work.clear()
                continue
            index = self._whose(column.receivers)
            receivers = index[:1] if (index == index[0]).all() else np.unique(index)
            for number in receivers:
                mine = column if len(receivers) == 1 else column.select(index == number)
                self._everybody[number].receive(mine)
                if id(self._everybody[number]) in self._slow:
                    at_work[int(number)] = self._everybody[number]
            self._send([self._everybody[n] for n in receivers if int(n) not in at_work])

    def _whose(self, addresses: Integers) -> Integers:
        """Which correspondent answers at each address."""
        within = np.minimum(addresses, len(self._index) - 1)
        index = np.where(addresses == within, self._index[within], -1)
        if (index < 0).any():
            raise ValueError(f"nobody answers at address {addresses[np.argmin(index)]}")
        return index

    def _send(self, senders: Sequence[Correspondent]) -> None:
        """Empty the outboxes; messages of one form said at one time travel as one column.

        Long columns travel as they are: to join them would only copy them.
        """
        alike: dict[tuple[object, ...], list[Messages]] = {}
        for sender in senders:
            for messages in sender.outbox:
                if len(messages) > LONG:
                    self.network.send(messages)
                    continue
                alike.setdefault(messages.form, []).append(messages)
            sender.outbox.clear()
        for columns in alike.values():
            self.network.send(join(columns))
