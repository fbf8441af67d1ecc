"""The operator's problem solved slot by slot with DAQP, its workspaces kept warm."""

from __future__ import annotations

from dataclasses import dataclass

import daqp
import numpy as np

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.interior_point import solve_by_interior_point
from nashgrid.grid.operator_limits import OperatorLimits

# In units of the kW rows, since every slot's Hessian is scaled to a largest diagonal of 1.
_PRIMAL_TOLERANCE_KW = 1e-9
_OPTIMAL, _INFEASIBLE = 1, -1
# DAQP's own choice, proximal steps, where some of the decision costs nothing.
_PROXIMAL = -1e-6


class SlotInfeasible(Exception):
    """No power within the box keeps the limits of this slot."""

    def __init__(self, slot: int) -> None:
        super().__init__(f"slot {slot} has no feasible point")
        self.slot = slot


@dataclass(frozen=True, eq=False)
class SlotSolutions:
    """Minimisers x (S, C), row multipliers (S, M), and the energy price (S,), per slot."""

    decision: FloatArray
    row_multipliers: FloatArray
    energy_price: FloatArray


class SlotSolver:
    r"""Minimise, for every slot s, a strictly convex quadratic with one kink over the limits:

    .. math:: \max(b_s D, a_s D) + f_s'x + x'H_s x / 2, \quad D = A_1 x, \quad a_s \le b_s,

    A_1 the first row of the limits, a sum of some of the x.

    On D >= 0 the price is b, on D <= 0 it is a: two quadratic programs, one of which holds the
    minimiser. The multiplier of D >= 0 (D <= 0) tells which, for it moves the price at D = 0 away
    from b (a), and the minimiser of one side is that of both while the price stays in [a, b]. The
    side taken last time is tried first, and each side keeps a DAQP workspace with its active set.
    Without `active_set` Clarabel solves each slot afresh, and the quadratic need not be strict.
    """

    def __init__(
        self,
        hessian: FloatArray,
        price_low: FloatArray,
        price_high: FloatArray,
        limits: OperatorLimits,
        box: FloatArray,
        active_set: bool = True,
    ) -> None:
        largest = np.einsum("sbb->sb", hessian).max(axis=1)
        self._scale = 1.0 / np.where(active_set, largest, 1.0)
        self._active_set = active_set
        self._hessian = hessian * self._scale[:, None, None]
        self._price_low, self._price_high = price_low, price_high
        self._limits = limits
        self._box = box
        strict = bool(np.einsum("scc->sc", hessian).min() > 0.0)
        self._settings = {
            "primal_tol": _PRIMAL_TOLERANCE_KW,
            "eps_prox": 0.0 if strict else _PROXIMAL,
        }
        self._importing = np.ones(len(hessian), dtype=bool)
        self._models: dict[tuple[int, bool], daqp.Model] = {}
        # DAQP keeps pointers to what it was given, so the arrays must outlive the call.
        self._bounds: dict[tuple[int, bool], tuple[FloatArray, FloatArray]] = {}

    def solve(self, linear: FloatArray) -> SlotSolutions:
        """Minimise for linear terms f (S, C); raise SlotInfeasible where there is no x at all."""
        slots = len(linear)
        solutions = SlotSolutions(
            decision=np.empty(linear.shape),
            row_multipliers=np.empty((slots, len(self._limits.rows))),
            energy_price=np.empty(slots),
        )
        for slot in range(slots):
            self._solve_slot(slot, linear[slot], solutions)
        return solutions

    def _solve_slot(self, slot: int, linear: FloatArray, solutions: SlotSolutions) -> None:
        first = bool(self._importing[slot])
        kink = self._price_high[slot] - self._price_low[slot]
        found = None
        for importing in (first, not first):
            answer = self._solve_side(slot, importing, linear)
            if answer is None:
                continue
            found = answer
            self._importing[slot] = importing
            exchange = answer[1][0]
            if kink == 0.0 or ((exchange >= -kink) if importing else (exchange <= kink)):
                break
        if found is None:
            raise SlotInfeasible(slot)
        decision, multipliers = found
        importing = bool(self._importing[slot])
        # The multiplier of the kink belongs to the price, what is left to the exchange limit.
        exchange = multipliers[0]
        kept = min(exchange, 0.0) if importing else max(exchange, 0.0)
        kept = float(np.clip(kept, -kink, kink))
        price = self._price_high[slot] if importing else self._price_low[slot]
        multipliers[0] -= kept
        solutions.decision[slot] = decision
        solutions.row_multipliers[slot] = multipliers
        solutions.energy_price[slot] = price + kept

    def _solve_side(
        self, slot: int, importing: bool, linear: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        price = self._price_high[slot] if importing else self._price_low[slot]
        scaled = (linear + price * self._limits.rows[0]) * self._scale[slot]
        if not self._active_set:
            return self._by_interior_point(slot, importing, scaled)
        key = slot, importing
        flag = _INFEASIBLE
        if key in self._models:
            self._models[key].update(f=scaled)
            decision, _, flag, info = self._models[key].solve()
        if flag != _OPTIMAL:
            # Anything but an optimum is asked again from a cold start before it is believed.
            self._models[key] = self._set_up(slot, importing, scaled)
            decision, _, flag, info = self._models[key].solve()
        if flag == _INFEASIBLE:
            del self._models[key]
            return None
        if flag != _OPTIMAL:
            del self._models[key]
            return self._by_interior_point(slot, importing, scaled)
        return decision, info["lam"][len(decision) :] / self._scale[slot]

    def _by_interior_point(
        self, slot: int, importing: bool, scaled: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        lower, upper = self._sides(slot, importing)
        found = solve_by_interior_point(
            self._hessian[slot], scaled, self._limits.rows, lower, upper
        )
        if found is None:
            return None
        decision, multipliers = found
        return decision, multipliers[len(decision) :] / self._scale[slot]

    def _set_up(self, slot: int, importing: bool, scaled: FloatArray) -> daqp.Model:
        lower, upper = self._sides(slot, importing)
        self._bounds[slot, importing] = lower, upper
        model = daqp.Model()
        model.settings = self._settings
        model.setup(self._hessian[slot], scaled, self._limits.rows, upper, lower)
        return model

    def _sides(self, slot: int, importing: bool) -> tuple[FloatArray, FloatArray]:
        """Bounds of (x, rows x) in a slot, on one side of the kink."""
        limits = self._limits
        lower = np.concatenate([-self._box, limits.lower[slot]])
        upper = np.concatenate([self._box, limits.upper[slot]])
        if self._price_high[slot] > self._price_low[slot]:
            (lower if importing else upper)[len(self._box)] = 0.0
        return lower, upper
