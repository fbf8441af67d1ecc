"""Sharing the savings, as an exchange of the commodity money.

The market has found the schedules; now the savings are shared by payments. Each agent, with
saving g before any payment and weight a, asks for money m:

    minimise  -a log(g + m) + price m + 1/2 stiffness (m - target)^2,   low <= g + m <= high

All m sum to zero; at the fixed point every gain g + m is the same multiple of its weight, but for
the bounds. With the bargaining weights this is Nash's (1950) solution; with ideal gains as weights
every agent asks for g + m = r ideal at price 1/r, and the price falls until the money balances,
which is that of Kalai and Smorodinsky (1975).
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation
from nashgrid.market.topics import MONEY

SMALLEST_SIZE = 1e-2
"""Who has a weight below this, where the mean is about 1, would creep at the size of its weight."""


def size_in_money(weight: Floats) -> Floats:
    """The size with which a weight takes part.

    With sizes equal to weights the curvature of every log at the solution is the same per unit of
    size.
    """
    return np.asarray(np.where(weight > 0, np.maximum(weight, SMALLEST_SIZE), 1.0))


class Player(Protocol):
    """Agents that can take a seat and speak, a row for each."""

    seats: dict[str, Participation]
    awards: dict[str, Callable[[Floats], None]]

    def say(
        self, kind: str, topic: str, receiver: int, fields: dict[str, Floats], now_s: float
    ) -> None:
        """Put one message of each into the outbox."""
        ...


class Bargainer:
    """Their parts in sharing the savings; each row sees its own saving and weight alone.

    Parameters
    ----------
    player : the agents
    saving : (n,) g, fall of their own cost before payments; may be negative [currency]
    weight : (n,) a; 0 for one that only wants to come out even
    rules : of the exchange of money
    topic : name of the exchange
    statement : what a mediator is told besides, (n, ...) by field; it then awards the weights.
        Among them "least_gain" and "most_gain", the bounds on the gain of those with a weight
    """

    def __init__(
        self,
        player: Player,
        saving: Floats,
        weight: Floats,
        rules: ExchangeRules,
        topic: str = MONEY,
        statement: Mapping[str, Floats] | None = None,
    ) -> None:
        self._player = player
        self._saving = saving[:, None]
        self._rules = rules
        self._topic = topic
        self._statement = statement or {}
        self._low = self._statement.get("least_gain", np.zeros((1, 1)))
        self._high = self._statement.get("most_gain", np.full((1, 1), np.inf))
        self._sit_down(weight[:, None])
        if statement is not None:
            player.awards[topic] = self._sit_down

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Tell the coordinator the saving to be shared, and with what weight."""
        fields = {"size": self._size, "saving": self._saving, "weight": self._weight}
        self._player.say("enrolment", topic, coordinator, {**fields, **self._statement}, now_s)

    def respond(self, price: Floats, target: Floats, step: Floats) -> Floats:
        """The money they ask for: from the positive root u = g + m of the optimality condition.

        stiffness u^2 + (price - stiffness (g + target)) u - a = 0,   stiffness = step / size
        """
        stiffness = step / self._size
        slope = price - stiffness * (self._saving + target)
        root = np.sqrt(slope**2 + 4 * stiffness * self._weight)
        # Of the two equal forms of the root, the one without cancellation.
        dear = slope > 0
        gain = np.where(
            dear,
            2 * self._weight / np.where(dear, slope + root, 1.0),
            (root - slope) / 2 / stiffness,
        )
        gain = np.clip(gain, self._low, self._high)
        return np.asarray(np.where(self._weight > 0, gain, 0.0) - self._saving)

    def _sit_down(self, weight: Floats) -> None:
        """Take the seat with (n, 1) weights."""
        self._weight = weight
        self._size = size_in_money(weight)
        seat = Participation(self._size, 1, self.respond, self._rules)
        # What leaves it even, and stands if there turns out to be nothing to share.
        seat.quantity = -self._saving
        self._player.seats[self._topic] = seat
