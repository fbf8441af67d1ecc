"""A participant's side of an exchange: what it keeps between rounds, and what it says.

    z_i = xhat_i - w_i xbar                                 plain target, from what it said last
    z_i <- sum_j weight_j z_i(j)                            mixed with its own memory
    x_i = argmin f_i(x) + dt lambda.x + (rho dt / 2) sum_k (x_k - z_ik)^2 / w_ik
    xhat_i = alpha x_i + (1 - alpha) z_i                    over-relaxed: what it says

The last axis of every array runs over the commodities of the participant. Nothing of this
state ever leaves the participant but xhat and inner products of its own residuals.
"""

from collections.abc import Callable, Mapping

import numpy as np

from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats

Respond = Callable[[Floats, Floats, Floats], Floats]
"""(price, target z, stiffness rho / w) -> quantity x: the participant's own optimisation."""


class Participation:
    """One participant's seat in one exchange.

    Parameters
    ----------
    size : (K,) the participant's size w_ik in each commodity, above 0 [kW]
    respond : its own optimisation
    rules : of the exchange (over-relaxation and memory)
    """

    def __init__(self, size: Floats, respond: Respond, rules: ExchangeRules) -> None:
        self.quantity = np.zeros_like(size)
        self._respond = respond
        self._size = size
        self._over_relaxation = rules.over_relaxation
        self._target = np.zeros_like(size)
        self._said = np.zeros_like(size)
        self._targets = np.zeros((rules.memory, *size.shape))
        self._residuals = np.zeros((rules.memory, *size.shape))

    def offer(self, quote: Mapping[str, Floats]) -> dict[str, Floats]:
        """The answer to a quote: the fields of an offer."""
        self._aim(quote["imbalance"], int(quote["memory_slot"][0]), quote["mixing_weights"])
        self.quantity = self._respond(quote["price"], self._target, quote["step"] / self._size)
        step = self._over_relaxation * (self.quantity - self._target)
        self._said = self._target + step
        products = np.append(self._residuals @ (step / self._size), step @ (step / self._size))
        return {
            "quantity": self._said,
            "squared_norm": np.array([self.quantity @ (self.quantity / self._size)]),
            "residual_products": products,
        }

    def _aim(self, imbalance: Floats, slot: int, weights: Floats) -> None:
        if slot < 0:
            return
        self._residuals[slot] = self._said - self._target
        self._targets[slot] = self._said - self._size * imbalance
        self._target = weights @ self._targets
