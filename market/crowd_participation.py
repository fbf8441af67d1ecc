"""The seats of many participants in one exchange: the same arithmetic, compiled.

Row by row each pass reads and writes everything once, while numpy would go over all rows once per
operation. What a participant keeps of its past rounds stands together, in single precision.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nashgrid.market.chunks import in_chunks
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation, Respond

ROWS_AT_ONCE = 8192
RESIDUAL, PAST = 0, 1


class CrowdParticipation(Participation):
    """The seats of many participants, each of one size for all its commodities.

    Parameters
    ----------
    size : (n, 1) the participants' sizes w_i, above 0 [kW]
    commodities : K
    respond : their own optimisations
    rules : of the exchange (over-relaxation and memory)
    """

    def __init__(
        self, size: Floats, commodities: int, respond: Respond, rules: ExchangeRules
    ) -> None:
        super().__init__(size, commodities, respond, rules)
        self._size = np.ascontiguousarray(size[:, 0])

    def _room(self, rounds: int) -> NDArray[np.floating[Any]]:
        rows, commodities = self._target.shape
        return np.zeros((rows, 2, rounds, commodities), dtype=np.float32)

    def _aim(self, imbalance: Floats, slot: int, weights: Floats) -> None:
        own = imbalance.strides[0] != 0
        imbalance = np.ascontiguousarray(imbalance if own else imbalance[:1])
        weights = weights.astype(np.float32)

        def mix(rows: slice) -> None:
            _mix(
                self.quantity, self._target, self._size, self._memory, imbalance, int(own), slot,
                weights, self._over_relaxation, rows.start, rows.stop,
            )  # fmt: skip

        in_chunks(mix, len(self._target), ROWS_AT_ONCE)

    def _speak(self) -> dict[str, Floats]:
        said = np.empty_like(self._target)
        squared_norm = np.empty((len(said), 1))
        products = np.empty((len(said), 1 + self._memory.shape[2]))

        def speak(rows: slice) -> None:
            _speak(
                self.quantity, self._target, self._size, self._memory, self._over_relaxation, said,
                squared_norm, products, rows.start, rows.stop,
            )  # fmt: skip

        in_chunks(speak, len(said), ROWS_AT_ONCE)
        return {"quantity": said, "squared_norm": squared_norm, "residual_products": products}


def mix_rows(
    quantity: Floats, target: Floats, size: Floats, memory: NDArray[np.float32],
    imbalance: Floats, own: int, slot: int, weights: NDArray[np.float32],
    over_relaxation: float, start: int, stop: int,
) -> None:  # fmt: skip
    """Store the last round of the rows start .. stop - 1, and mix their next targets."""
    rounds, commodities = memory.shape[2:]
    move = np.empty(commodities, np.float32)
    for row in range(start, stop):
        share = imbalance[row * own]
        for k in range(commodities):
            residual = over_relaxation * (quantity[row, k] - target[row, k])
            memory[row, RESIDUAL, slot, k] = residual
            memory[row, PAST, slot, k] = residual - size[row] * share[k]
            move[k] = 0.0
        for number in range(rounds):
            if weights[number] != 0.0:
                for k in range(commodities):
                    move[k] += weights[number] * memory[row, PAST, number, k]
        for k in range(commodities):
            target[row, k] += move[k]
        for number in range(rounds):
            for k in range(commodities):
                memory[row, PAST, number, k] -= move[k]


def speak_rows(
    quantity: Floats, target: Floats, size: Floats, memory: NDArray[np.float32],
    over_relaxation: float, said: Floats, squared_norm: Floats, products: Floats,
    start: int, stop: int,
) -> None:  # fmt: skip
    """What the rows start .. stop - 1 say, and their own products of residuals."""
    rounds, commodities = memory.shape[2:]
    residual = np.empty(commodities, np.float32)
    for row in range(start, stop):
        norm, product = 0.0, 0.0
        for k in range(commodities):
            away = over_relaxation * (quantity[row, k] - target[row, k])
            said[row, k] = target[row, k] + away
            residual[k] = away
            norm += quantity[row, k] * quantity[row, k]
            product += away * away
        squared_norm[row, 0] = norm / size[row]
        products[row, rounds] = product / size[row]
        for number in range(rounds):
            along = np.float32(0.0)
            for k in range(commodities):
                along += residual[k] * memory[row, RESIDUAL, number, k]
            products[row, number] = along / size[row]


# Sums over a row's commodities may be added in lanes; a row stays the same wherever it stands.
_compiled: Any = njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
_mix, _speak = _compiled(mix_rows), _compiled(speak_rows)
