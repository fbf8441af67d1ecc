"""Routes: which links a column of messages takes, found once for columns that come again."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nashgrid.market.links import Links
from nashgrid.market.messages import Floats, Integers, Messages

REMEMBERED = 256
"""Routes that are kept; an exchange has a few, and those of a jittery network differ every time."""


@dataclass(frozen=True)
class Route:
    """The links of the messages of a column, row by row, with their properties.

    Parameters
    ----------
    senders, receivers : (n,) addresses
    link : (n,) numbers of the links, each direction with one of its own
    key : (n,) what a link is called when its dice are thrown
    latency_s, jitter_s, loss : (n,) see `nashgrid.market.links`
    """

    senders: Integers
    receivers: Integers
    link: Integers
    key: Integers
    latency_s: Floats
    jitter_s: Floats
    loss: Floats

    @cached_property
    def left_to_chance(self) -> bool:
        """Whether anything about a delivery is."""
        return bool(self.jitter_s.any() or self.loss.any())

    def is_of(self, messages: Messages) -> bool:
        """Whether it is the route of a column."""
        ends = (messages.senders, self.senders), (messages.receivers, self.receivers)
        return all(np.array_equal(*pair) for pair in ends)


class Routes:
    """All routes over the links of a graph.

    Parameters
    ----------
    links : between addresses, good for both directions
    """

    def __init__(self, links: Links) -> None:
        there, back = (links.one << 32) + links.other, (links.other << 32) + links.one
        keys = np.concatenate([there, back])
        order = np.argsort(keys)
        self._keys = keys[order]
        self._latency_s, self._jitter_s, self._loss = (
            np.tile(values, 2)[order] for values in (links.latency_s, links.jitter_s, links.loss)
        )
        self._known: dict[tuple[int, int, int], Route] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, messages: Messages) -> Route:
        """The route of a column of at least one message.

        Raises
        ------
        ValueError
            If two addresses are not linked; names them.
        """
        name = len(messages), int(messages.senders[0]), int(messages.receivers[0])
        route = self._known.get(name)
        if route is None or not route.is_of(messages):
            route = self._look_up(messages)
            if len(self._known) == REMEMBERED:
                self._known.clear()
            self._known[name] = route
        return route

    def _look_up(self, messages: Messages) -> Route:
        senders, receivers = messages.senders, messages.receivers
        key = (senders << 32) + receivers
        link = np.searchsorted(self._keys, key)
        known = link < len(self._keys)
        known[known] = self._keys[link[known]] == key[known]
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise ValueError(
                f"no link from {senders[row]} to {receivers[row]} "
                f"for a message of kind {messages.kind!r}"
            )
        values = (table[link] for table in (self._latency_s, self._jitter_s, self._loss))
        return Route(senders, receivers, link, key, *values)
