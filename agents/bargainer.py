"""Nash bargaining over the savings, as an exchange of the commodity money.

Nash (1950) in two steps: the market has found the schedules of least total cost; now the savings
are shared by payments. Each agent, with saving g before any payment and bargaining weight a, asks
for money m:

    minimise  -a log(g + m) + price m + 1/2 stiffness (m - target)^2

All m sum to zero; at the fixed point every gain g + m is the same multiple of its weight.
"""

from typing import Protocol

import numpy as np

from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation

MONEY = "money"


class Player(Protocol):
    """An agent that can take a seat and speak."""

    seats: dict[str, Participation]

    def say(
        self, kind: str, topic: str, receiver: int, fields: dict[str, Floats], now_s: float
    ) -> None:
        """Put one message into the outbox."""
        ...


class Bargainer:
    """An agent's part in sharing the savings.

    Parameters
    ----------
    player : the agent
    saving : g, fall of its own cost before payments; may be negative [currency]
    weight : a; 0 for one that only wants to come out even
    rules : of the exchange of money
    """

    def __init__(self, player: Player, saving: float, weight: float, rules: ExchangeRules) -> None:
        self._player = player
        self._saving = saving
        self._weight = weight
        # The curvature of its log at the solution is the same for all, per unit of weight.
        self._size = np.array([weight if weight > 0 else 1.0])
        player.seats[MONEY] = Participation(self._size, self.respond, rules)
        # What leaves it even, and stands if there turns out to be nothing to share.
        player.seats[MONEY].quantity = np.array([-saving])

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Tell the coordinator the saving to be shared, and with what weight."""
        fields = {
            "size": self._size,
            "saving": np.array([self._saving]),
            "weight": np.array([self._weight]),
        }
        self._player.say("enrolment", topic, coordinator, fields, now_s)

    def respond(self, price: Floats, target: Floats, stiffness: Floats) -> Floats:
        """The money it asks for: from the positive root u = g + m of the optimality condition.

        stiffness u^2 + (price - stiffness (g + target)) u - a = 0
        """
        if self._weight == 0:
            return np.full_like(price, -self._saving)
        slope = price - stiffness * (self._saving + target)
        root = np.sqrt(slope**2 + 4 * stiffness * self._weight)
        # Of the two equal forms of the root, the one without cancellation.
        if slope[0] > 0:
            gain = 2 * self._weight / (slope + root)
        else:
            gain = (root - slope) / (2 * stiffness)
        return np.asarray(gain - self._saving)
