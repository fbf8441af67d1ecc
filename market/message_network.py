"""The message network: links with latency and loss, one event queue, a count and a log.

Delivery is reliable: every message is acknowledged, and sent again after a time-out until its
acknowledgement arrives. The receiver drops duplicates. Loss and latency therefore move the
clock and the count of transmissions, never the content or the set of messages that arrive.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from nashgrid.market.messages import HEADER_BYTES, Floats, Integers, Messages
from nashgrid.market.randomness import keyed_uniforms


@dataclass(frozen=True)
class Transmission:
    """A column of messages on its way: when each row arrives, and how often it was sent."""

    messages: Messages
    arrives_s: Floats
    attempts: Integers


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
    links : graph over addresses; edges carry ``latency_s`` (least delay), ``jitter_s`` (mean of
        the exponential part of the delay) and ``loss`` (probability that a transmission, or an
        acknowledgement, is lost; in [0, 1))
    seed : of the run

    Attributes
    ----------
    step : number under which messages are logged; whoever leads the run counts it up
    log : (step, transmission) in the order of sending: enough to replay the run
    traffic : "topic/kind" -> what those messages cost
    clock_s : time of the last arrival [s]
    """

    def __init__(self, links: nx.Graph, seed: int) -> None:
        self._seed = seed
        both_ways = [(a, b, d) for a, b, d in links.edges(data=True)]
        both_ways += [(b, a, d) for a, b, d in both_ways]
        keys = np.array([(a << 32) + b for a, b, _ in both_ways], dtype=np.int64)
        order = np.argsort(keys)
        self._link_keys = keys[order]
        values = np.array(
            [[d["latency_s"], d["jitter_s"], d["loss"]] for _, _, d in both_ways]
        ).reshape(-1, 3)[order]
        self._latency_s, self._jitter_s, self._loss = values.T
        if np.any(self._latency_s < 0) or np.any(self._jitter_s < 0):
            raise ValueError("latency_s and jitter_s of a link must be at least 0 s")
        if np.any((self._loss < 0) | (self._loss >= 1)):
            raise ValueError("loss of a link must lie in [0, 1)")
        self._sent_on_link = np.zeros(len(keys), dtype=np.int64)
        self._queue: list[_Event] = []
        self._number = 0
        self.clock_s = 0.0
        self.traffic: dict[str, Traffic] = {}
        self.log: list[tuple[int, Transmission]] = []
        self.step = 0

    def send(self, messages: Messages) -> None:
        """Put a column on the wire; its rows are due one latency (or more) after `sent_s`."""
        link = self._links_of(messages)
        turn = self._take_turns(link)
        until_arrival, until_acknowledged = self._attempts(link, turn)
        latency_s, jitter_s = self._latency_s[link], self._jitter_s[link]
        delay_s = latency_s.copy()
        if jitter_s.any():
            delay_s -= jitter_s * np.log1p(-self._draw("latency", link, turn))
        # A time-out of four mean delays: one round trip, and as much again for the jitter.
        arrives_s = messages.sent_s + (until_arrival - 1) * 4 * (latency_s + jitter_s) + delay_s
        transmission = Transmission(messages, arrives_s, until_acknowledged)
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

    def totals(self) -> Mapping[str, int]:
        """Messages, transmissions and bytes over all kinds."""
        names = ("messages", "transmissions", "bytes")
        return {n: sum(getattr(t, n) for t in self.traffic.values()) for n in names}

    def _attempts(self, link: Integers, turn: Integers) -> tuple[Integers, Integers]:
        """Transmissions of each message until it arrives, and until the sender knows."""
        loss = self._loss[link]
        if not loss.any():
            once = np.ones(len(link), dtype=np.int64)
            return once, once
        until_arrival = _geometric(self._draw("data", link, turn), 1 - loss)
        again = _geometric(self._draw("again", link, turn), (1 - loss) ** 2)
        unheard = self._draw("acknowledgement", link, turn) < loss
        return until_arrival, until_arrival + np.where(unheard, again, 0)

    def _take_turns(self, link: Integers) -> Integers:
        """How many messages the link of each row has carried before, those of earlier rows too."""
        turn = self._sent_on_link[link]
        np.add.at(self._sent_on_link, link, 1)
        if (self._sent_on_link[link] - turn > 1).any():
            order = np.argsort(link, kind="stable")
            turn[order] += np.arange(len(link)) - np.searchsorted(link[order], link[order])
        return turn

    def _draw(self, concern: str, link: Integers, turn: Integers) -> Floats:
        return keyed_uniforms(self._seed, f"network {concern}", self._link_keys[link], turn)

    def _links_of(self, messages: Messages) -> Integers:
        keys = (messages.senders << 32) + messages.receivers
        link = np.searchsorted(self._link_keys, keys)
        known = link < len(self._link_keys)
        known[known] = self._link_keys[link[known]] == keys[known]
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise ValueError(
                f"no link from {messages.senders[row]} to {messages.receivers[row]} "
                f"for a message of kind {messages.kind!r}"
            )
        return link

    def _count(self, transmission: Transmission) -> None:
        messages, attempts = transmission.messages, transmission.attempts
        kind = self.traffic.setdefault(f"{messages.topic}/{messages.kind}", Traffic())
        kind.messages += len(messages)
        kind.transmissions += int(attempts.sum())
        kind.bytes += int(attempts.sum()) * messages.bytes_each + len(messages) * HEADER_BYTES
        self.log.append((self.step, transmission))


def _geometric(uniform: Floats, success: Floats) -> Integers:
    """Number of trials up to and including the first success, by inversion."""
    with np.errstate(divide="ignore"):
        trials = np.floor(np.log1p(-uniform) / np.log1p(-success))
    return 1 + np.where(success < 1, trials, 0).astype(np.int64)
