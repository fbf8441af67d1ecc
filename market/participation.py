"""The participants' side of an exchange: what they keep between rounds, and what they say.

    z_i = xhat_i - w_i xbar                                 plain target, from what it said last
    z_i <- sum_j weight_j z_i(j)                            mixed with its own memory
    x_i = argmin f_i(x) + dt lambda.x + (rho dt / 2) sum_k (x_k - z_ik)^2 / w_ik
    xhat_i = alpha x_i + (1 - alpha) z_i                    over-relaxed: what it says

Row i of every array belongs to participant i, and no row depends on another; the last axis runs
over its commodities. Nothing of this state ever leaves a participant but xhat and inner products
of its own residuals.

The memory holds differences only: the residuals d = xhat - z, and the past plain targets as seen
from the present target. Both vanish as the exchange converges, so single precision, where there
are many participants (`nashgrid.market.crowd_participation`), costs rounds nothing and the fixed
point no accuracy.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nashgrid.market.chunks import in_chunks
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats

Respond = Callable[[Floats, Floats, Floats], Floats]
"""(price (n, K), target z (n, K), step rho) -> quantity x (n, K): their own optimisations."""


class Participation:
    """The seats of n participants in one exchange.

    Parameters
    ----------
    size : (n, K) or (n, 1), the participants' sizes w_ik, above 0 [kW]
    commodities : K
    respond : their own optimisations
    rules : of the exchange (over-relaxation and memory)
    target : (n, K) to begin with, zero over all participants in sum; nothing by default [kW]
    """

    def __init__(
        self,
        size: Floats,
        commodities: int,
        respond: Respond,
        rules: ExchangeRules,
        target: Floats | None = None,
    ) -> None:
        shape = (len(size), commodities)
        self.quantity = np.zeros(shape)
        self._respond = respond
        self._size = size
        self._over_relaxation = rules.over_relaxation
        self._target = np.zeros(shape) if target is None else target.copy()
        self._rounds = rules.memory
        self._memory = self._room(rules.memory)

    @property
    def state_bytes(self) -> int:
        """Memory of the seats between rounds, without the last answer."""
        return self._target.nbytes + self._memory.nbytes

    def offer(self, quote: Mapping[str, Floats]) -> dict[str, Floats]:
        """The answers to a quote: the fields of an offer, (n, ...) each.

        Raises
        ------
        ValueError
            If the quote mixes more or fewer rounds than the exchange keeps, or has other
            commodities.
        """
        slot, weights = int(quote["memory_slot"][0, 0]), quote["mixing_weights"][0]
        said = len(weights), quote["imbalance"].shape[1]
        kept = self._rounds, self._target.shape[1]
        if said != kept or slot >= self._rounds:
            raise ValueError(
                f"a quote for {said[0]} rounds (slot {slot}) and {said[1]} commodities came to an "
                f"exchange that keeps {kept[0]} rounds of {kept[1]} commodities"
            )
        if slot >= 0:
            self._aim(quote["imbalance"], slot, weights)
        self.quantity = self._respond(quote["price"], self._target, quote["step"][0])
        return self._speak()

    def close(self) -> Floats:
        """The last answer, kept; the memory of the rounds is given up."""
        self.quantity = self.quantity.copy()
        self._memory = np.empty(0)
        return self.quantity

    def _room(self, rounds: int) -> NDArray[np.floating[Any]]:
        """Memory for the residuals and the past targets of so many rounds."""
        return np.zeros((2, rounds, *self._target.shape))

    def _speak(self) -> dict[str, Floats]:
        """What they say of their answers to the quote: the fields of an offer."""
        residuals, _ = self._memory
        said = np.empty_like(self._target)
        squared_norm = np.empty((len(said), 1))
        products = np.empty((len(said), 1 + len(residuals)))

        def speak(rows: slice) -> None:
            quantity, target, size = self.quantity[rows], self._target[rows], self._size[rows]
            residual = self._over_relaxation * (quantity - target)
            np.add(target, residual, out=said[rows])
            squared_norm[rows, 0] = _weighed(quantity, quantity, size)
            products[rows, -1] = _weighed(residual, residual, size)
            for number, past in enumerate(residuals):
                products[rows, number] = _weighed(past[rows], residual, size)

        in_chunks(speak, len(said))
        return {"quantity": said, "squared_norm": squared_norm, "residual_products": products}

    def _aim(self, imbalance: Floats, slot: int, weights: Floats) -> None:
        """Store the last round in a slot of the memory, and mix the next targets.

        The weights sum to one, so the mixed target is the present one plus the mixed differences.
        """
        residuals, targets = self._memory

        def mix(rows: slice) -> None:
            target = self._target[rows]
            residual = self._over_relaxation * (self.quantity[rows] - target)
            residuals[slot, rows] = residual
            targets[slot, rows] = residual - self._size[rows] * imbalance[rows]
            move = np.zeros_like(target)
            for weight, past in zip(weights, targets, strict=True):
                if weight != 0.0:
                    move += weight * past[rows]
            target += move
            for past in targets:
                past[rows] -= move

        in_chunks(mix, len(self._target))


def _weighed(one: Floats, other: Floats, size: Floats) -> Floats:
    """(n,) sum_k one_k other_k / size_k."""
    if size.shape[1] == 1:
        return np.asarray(np.einsum("nk,nk->n", one, other) / size[:, 0])
    return np.asarray(np.einsum("nk,nk,nk->n", one, other, 1 / size))
