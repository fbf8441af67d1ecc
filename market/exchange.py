"""The coordinator's side of an exchange: prices from imbalances.

    xbar_k = sum_i xhat_ik / W_k ;  lambda_k += rho xbar_k

Excess demand raises the price. The fixed point is the competitive equilibrium, which has the
least total cost; lambda is its price. This is the sharing form of ADMM (Boyd et al. 2011,
section 7.3) in sizes instead of counts, over-relaxed and accelerated.

The acceleration is decentralised. The residual of the fixed-point map, measured by rho / w_ik on
the targets and by W_k / rho on the prices, obeys

    <r_a, r_b> = rho sum_i sum_k d_ik(a) d_ik(b) / w_ik,      d_i = xhat_i - z_i,

because sum_i z_ik = 0 in every round: the terms of the prices and of the mean imbalance cancel.
So every participant adds up products of its own d alone, and the coordinator sums them.
"""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.anderson import mixing_weights
from nashgrid.market.messages import Floats

# The step changes where one residual has been _BALANCED times the other for _PATIENCE rounds, by
# _LARGEST_CHANGE at most, and ends up within _FURTHEST of where it began.
_BALANCED = 5.0
_PATIENCE = 15
_LARGEST_CHANGE = 10.0
_FURTHEST = 1e4
_SMALLEST_TRADE = 1e-4  # share of the sizes


@dataclass(frozen=True)
class ExchangeRules:
    """How an exchange proceeds.

    Parameters
    ----------
    step : rho, what one unit of relative imbalance adds to the price [currency/kWh]
    tolerance : bound on the relative primal and dual residuals
    maximum_rounds : the exchange gives up after so many
    over_relaxation : alpha, in (0, 2)
    memory : past rounds kept for the acceleration; 1 means none
    """

    step: float
    tolerance: float
    maximum_rounds: int = 1000
    over_relaxation: float = 1.6
    memory: int = 15


@dataclass(frozen=True)
class OfferSums:
    """What the coordinator learns in a round: sums over the participants, nothing else.

    Parameters
    ----------
    quantity : (K,) sum of what was said [kW]
    squared_norm : sum of x^2 / w [kW]
    residual_products : (memory + 1,) products of this round's residual with each memory slot,
        and with itself [kW]
    """

    quantity: Floats
    squared_norm: float
    residual_products: Floats


@dataclass(frozen=True)
class RoundRecord:
    """How far an exchange is after a round."""

    round: int
    primal_residual: float
    dual_residual: float
    restarted: bool


class Exchange:
    """Prices, residuals and mixing weights of one exchange, from sums of offers.

    Parameters
    ----------
    rules : how it proceeds
    total_size : (K,) sum of the participants' sizes W_k [kW]
    price : (K,) opening price [currency/kWh]
    """

    def __init__(self, rules: ExchangeRules, total_size: Floats, price: Floats) -> None:
        self.rules = rules
        self.step = rules.step
        self.price = price.copy()
        self.imbalance = np.zeros_like(price)
        self.memory_slot = -1
        self.weights = np.zeros(rules.memory)
        self.records: list[RoundRecord] = []
        self.clearing_price = price.copy()
        self._total_size = total_size
        self._prices = np.zeros((rules.memory, len(price)))
        self._gram = np.zeros((rules.memory, rules.memory))
        self._kept: list[int] = []
        self._best: int | None = None
        self._milestone, self._patience = np.inf, _PATIENCE

    @property
    def converged(self) -> bool:
        """Whether the last round met the tolerance."""
        if not self.records:
            return False
        last = self.records[-1]
        return max(last.primal_residual, last.dual_residual) <= self.rules.tolerance

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do: converged, or out of rounds."""
        return self.converged or len(self.records) >= self.rules.maximum_rounds

    def close(self, sums: OfferSums) -> None:
        """End a round: residuals, the next price and the weights of the next targets."""
        self.imbalance = sums.quantity / self._total_size
        self.clearing_price = self.price + self.step * self.imbalance
        primal, dual = self._residuals(sums)
        if not np.isfinite(primal + dual):
            raise ValueError(
                f"an offer of round {len(self.records) + 1} is not finite: "
                f"primal residual {primal}, dual residual {dual}"
            )
        restarted = self._remember(sums.residual_products) or self._balance(primal, dual)
        self.price = self.weights @ self._prices
        self.records.append(RoundRecord(len(self.records) + 1, primal, dual, restarted))

    def _residuals(self, sums: OfferSums) -> tuple[float, float]:
        rules, total = self.rules, self._total_size
        moved = float(total @ self.imbalance**2)
        # Where nobody has a reason to trade, a share of the sizes is the measure of a quantity.
        norm = max(sums.squared_norm, _SMALLEST_TRADE**2 * float(total.sum()))
        primal = np.sqrt(moved / norm) / rules.over_relaxation
        drift = max(float(sums.residual_products[-1]) - moved, 0.0)
        # Where prices vanish (wires that do not bind) the step is the measure of a price.
        price = float(total @ self.clearing_price**2)
        scale = np.sqrt(max(price, rules.step**2 * float(total.sum())))
        return float(primal), float(self.step * np.sqrt(drift) / scale)

    def _remember(self, products: Floats) -> bool:
        """Store the round in the memory and choose the weights; True when it starts afresh."""
        slot = self._free_slot()
        self.memory_slot = slot
        self._gram[slot], self._gram[:, slot] = products[:-1], products[:-1]
        self._gram[slot, slot] = products[-1]
        self._prices[slot] = self.clearing_price
        self._kept.append(slot)
        best = slot if self._best is None else self._best
        # Twice the best residual, in squares: the acceleration has led astray. Everyone goes
        # back to the best state and takes its plain step from there.
        restart = self._gram[slot, slot] > 4 * self._gram[best, best]
        if restart and self.records and self.records[-1].restarted:
            # The best state did not reproduce its residual: participants whose answers depend on
            # earlier ones are not there any more. What they say now is what there is.
            self._kept, best = [slot], slot
        elif restart:
            self._kept = [best]
        elif self._gram[slot, slot] <= self._gram[best, best]:
            best = slot
        self._best = best
        self.weights = np.zeros(self.rules.memory)
        self.weights[self._kept] = mixing_weights(self._gram[np.ix_(self._kept, self._kept)])
        return bool(restart)

    def _balance(self, primal: float, dual: float) -> bool:
        """Change the step where the residuals drift apart; True when it did.

        A price that has far to go against a small imbalance creeps at the pace of the step, and
        no acceleration sees it, for its residual does not change. The memory is measured in the
        old step, so it starts afresh.
        """
        worst, ratio = max(primal, dual), max(primal, 1e-300) / max(dual, 1e-300)
        if worst < self._milestone / 2:
            self._milestone, self._patience = worst, _PATIENCE
        self._patience -= 1
        if self._patience > 0 or 1 / _BALANCED < ratio < _BALANCED:
            return False
        self._milestone, self._patience = worst, _PATIENCE
        step = self.step * np.clip(np.sqrt(ratio), 1 / _LARGEST_CHANGE, _LARGEST_CHANGE)
        # Where no schedules balance the price has no end; the participants' solvers have one.
        step = float(np.clip(step, self.rules.step / _FURTHEST, self.rules.step * _FURTHEST))
        if step == self.step:
            return False
        self.step = step
        self.weights = np.zeros(self.rules.memory)
        self.weights[self.memory_slot] = 1.0
        self._kept, self._best = [], None
        return True

    def _free_slot(self) -> int:
        """An empty memory slot, or that of the oldest round that is not the best."""
        if len(self._kept) < self.rules.memory:
            return min(set(range(self.rules.memory)) - set(self._kept))
        oldest = next((slot for slot in self._kept if slot != self._best), self._kept[0])
        self._kept.remove(oldest)
        return oldest
