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
from nashgrid.market.topics import MONEY


class Player(Protocol):
    """Agents that can take a seat and speak, a row for each."""

    seats: dict[str, Participation]

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
    """

    def __init__(
        self, player: Player, saving: Floats, weight: Floats, rules: ExchangeRules
    ) -> None:
        self._player = player
        self._saving = saving[:, None]
        self._weight = weight[:, None]
        # The curvature of its log at the solution is the same for all, per unit of weight.
        self._size = np.where(self._weight > 0, self._weight, 1.0)
        player.seats[MONEY] = Participation(self._size, 1, self.respond, rules)
        # What leaves it even, and stands if there turns out to be nothing to share.
        player.seats[MONEY].quantity = -self._saving

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Tell the coordinator the saving to be shared, and with what weight."""
        fields = {"size": self._size, "saving": self._saving, "weight": self._weight}
        self._player.say("enrolment", topic, coordinator, fields, now_s)

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
        return np.asarray(np.where(self._weight > 0, gain, 0.0) - self._saving)
