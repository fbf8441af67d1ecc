"""The message network: links with latency and loss, one event queue, a count and a log.

Delivery is reliable: every message is acknowledged, and sent again after a time-out until its
acknowledgement arrives. The receiver drops duplicates. Loss and latency therefore move the
clock and the count of transmissions, never the content or the set of messages that arrive.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nashgrid.market.links import Links
from nashgrid.market.messages import HEADER_BYTES, Floats, Integers, Messages
from nashgrid.market.randomness import keyed_uniforms
from nashgrid.market.routes import Route, Routes

LONG = 512
"""Rows of a column from which on it is counted, but its content is not logged."""


@dataclass(frozen=True)
class Transmission:
    """A column of messages on its way: when each row arrives, and how often it was sent.

    In the log, a long column is one row without fields: `count` messages between addresses -1
    unless all have the same, with the last arrival and all attempts.
    """

    messages: Messages
    arrives_s: Floats
    attempts: Integers
    bytes_each: int
    count: int = 1

    def select(self, rows: NDArray[np.bool_]) -> "Transmission":
        """Some of the rows."""
        messages = self.messages.select(rows)
        return Transmission(messages, self.arrives_s[rows], self.attempts[rows], self.bytes_each)

    def digest(self) -> "Transmission":
        """The one row that stands for a long column."""
        messages = self.messages
        ends = [
            each[:1] if (each == each[0]).all() else np.array([-1])
            for each in (messages.senders, messages.receivers)
        ]
        sent_s = messages.sent_s.max(keepdims=True)
        row = Messages(messages.kind, messages.topic, ends[0], ends[1], {}, sent_s)
        attempts = self.attempts.sum(keepdims=True)
        arrives_s = self.arrives_s.max(keepdims=True)
        return Transmission(row, arrives_s, attempts, self.bytes_each, len(messages))


@dataclass
class Traffic:
    """What a kind of message cost.

    Transmissions count resendings; of the acknowledgements only the one that ends the
    resending of a message is counted. Bytes are those of both.
    """

    messages: int = 0
    transmissions: int = 0
    bytes: int = 0


@dataclass(order=True)
class _Event:
    time_s: float
    number: int
    transmission: Transmission = field(compare=False)


class MessageNetwork:
    """Carries columns of messages over the links of a graph.

    Parameters
    ----------
    links : between addresses
    seed : of the run
    relays : addresses that many speak through. What passes between them and others is how a run
        works inside: it is neither counted nor logged. Those who speak there have a network of
        their own, which is added by `add`

    Attributes
    ----------
    step : number under which messages are logged; whoever leads the run counts it up
    log : (step, transmission) in the order of sending: enough to replay a run without long columns
    traffic : "topic/kind" -> what those messages cost
    clock_s : time of the last arrival [s]
    """

    def __init__(self, links: Links, seed: int, relays: Sequence[int] = ()) -> None:
        self._seed = seed
        self._relays = np.array(relays, dtype=np.int64)
        self._routes = Routes(links)
        self._sent_on_link = np.zeros(len(self._routes), dtype=np.int64)
        self._queue: list[_Event] = []
        self._number = 0
        self.clock_s = 0.0
        self.traffic: dict[str, Traffic] = {}
        self.log: list[tuple[int, Transmission]] = []
        self.step = 0

    def send(self, messages: Messages) -> None:
        """Put a column on the wire; its rows are due one latency (or more) after `sent_s`."""
        arrives_s, attempts = self._fate(self._routes.find(messages), messages.sent_s)
        transmission = Transmission(messages, arrives_s, attempts, messages.bytes_each)
        self._count(transmission)
        heapq.heappush(self._queue, _Event(float(arrives_s.min()), self._number, transmission))
        self._number += 1

    def deliver(self) -> Messages | None:
        """The next column in the order of (earliest arrival, number sent); None when all is quiet.

        In the rows handed over, `sent_s` is the time of arrival: the moment the receiver acts.
        """
        if not self._queue:
            return None
        transmission = heapq.heappop(self._queue).transmission
        self.clock_s = max(self.clock_s, float(transmission.arrives_s.max()))
        return transmission.messages.select(slice(None), sent_s=transmission.arrives_s)

    def add(self, traffic: Mapping[str, Traffic], transmissions: Sequence[Transmission]) -> None:
        """Count and log what those who speak through a relay have said and heard by now."""
        for name, own in traffic.items():
            kind = self.traffic.setdefault(name, Traffic())
            kind.messages += own.messages
            kind.transmissions += own.transmissions
            kind.bytes += own.bytes
        self.log += [(self.step, transmission) for transmission in transmissions]

    def hand_over(self) -> tuple[dict[str, Traffic], list[Transmission]]:
        """What was counted and logged since the last time, for `add` elsewhere."""
        handed = self.traffic, [transmission for _, transmission in self.log]
        self.traffic, self.log = {}, []
        return handed

    def totals(self) -> Mapping[str, int]:
        """Messages, transmissions and bytes over all kinds."""
        names = ("messages", "transmissions", "bytes")
        return {n: sum(getattr(t, n) for t in self.traffic.values()) for n in names}

    def _fate(self, route: Route, sent_s: Floats) -> tuple[Floats, Integers]:
        """When messages arrive [s], and how often each is sent until its sender knows."""
        if not route.left_to_chance:
            return sent_s + route.latency_s, np.ones(len(sent_s), dtype=np.int64)
        turn = self._take_turns(route.link)
        until_arrival = _geometric(self._draw("data", route, turn), 1 - route.loss)
        again = _geometric(self._draw("again", route, turn), (1 - route.loss) ** 2)
        unheard = self._draw("acknowledgement", route, turn) < route.loss
        jitter_s = -route.jitter_s * np.log1p(-self._draw("latency", route, turn))
        # A time-out of four mean delays: one round trip, and as much again for the jitter.
        time_out_s = 4 * (route.latency_s + route.jitter_s)
        arrives_s = sent_s + (until_arrival - 1) * time_out_s + (route.latency_s + jitter_s)
        return arrives_s, until_arrival + np.where(unheard, again, 0)

    def _take_turns(self, link: Integers) -> Integers:
        """How many messages the link of each row has carried before, those of earlier rows too.

        Only dice are thrown by turns: where nothing is left to chance, nobody counts.
        """
        turn = self._sent_on_link[link]
        np.add.at(self._sent_on_link, link, 1)
        if (self._sent_on_link[link] - turn > 1).any():
            order = np.argsort(link, kind="stable")
            turn[order] += np.arange(len(link)) - np.searchsorted(link[order], link[order])
        return turn

    def _draw(self, concern: str, route: Route, turn: Integers) -> Floats:
        return keyed_uniforms(self._seed, f"network {concern}", route.key, turn)

    def _count(self, transmission: Transmission) -> None:
        if len(self._relays):
            ends = transmission.messages.senders, transmission.messages.receivers
            between = ~np.logical_or(*(np.isin(each, self._relays) for each in ends))
            if not between.any():
                return
            transmission = transmission.select(between)
        messages, sent = transmission.messages, int(transmission.attempts.sum())
        kind = self.traffic.setdefault(f"{messages.topic}/{messages.kind}", Traffic())
        kind.messages += len(messages)
        kind.transmissions += sent
        kind.bytes += sent * transmission.bytes_each + len(messages) * HEADER_BYTES
        long = len(messages) > LONG
        self.log.append((self.step, transmission.digest() if long else transmission))


def _geometric(uniform: Floats, success: Floats) -> Integers:
    """Number of trials up to and including the first success, by inversion."""
    with np.errstate(divide="ignore"):
        trials = np.floor(np.log1p(-uniform) / np.log1p(-success))
    return 1 + np.where(success < 1, trials, 0).astype(np.int64)
