"""The private problem of a distribution system operator (DSO): its answer to prices, with proof."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.branch_statement import state_branch_problem
from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_bound import OperatorMultipliers, operator_dual_bound
from nashgrid.grid.operator_feasibility import Relaxation, find_relaxations
from nashgrid.grid.operator_price_parts import PriceParts, nearness, parts_of_price
from nashgrid.grid.operator_solver import SlotInfeasible, SlotSolutions, SlotSolver
from nashgrid.grid.operator_sparse_solver import SparseSlotSolver
from nashgrid.grid.operator_terms import OperatorTerms

DENSE_BUSES = 400
"""With more trading buses the sparse solver takes over: the first dense answer would take seconds,
growing with the cube of the buses. It knows no inverters; with them all answers are dense."""

_Solver = SlotSolver | SparseSlotSolver


@dataclass(frozen=True, eq=False)
class OperatorAnswer:
    """What the operator delivers at each trading bus, kW (S, B), and its multipliers."""

    demand_kw: FloatArray
    multipliers: OperatorMultipliers


class OperatorProblem(OperatorTerms):
    """The terms of an operator, and its least-cost answers to prices; see `OperatorTerms`.

    Workspaces are kept from one answer to the next: answers to prices that moved a little, with
    the same curvature, are quick. An instance is therefore not to be shared between threads.
    """

    _warm: tuple[FloatArray, _Solver] | None = None

    def answer(self, linear: ArrayLike, curvature: ArrayLike) -> OperatorAnswer:
        """Minimise cost + linear.d + curvature.d^2/2 over what the wires can carry.

        Parameters
        ----------
        linear : (S, B)
            Currency/kW.
        curvature : (B,) or scalar
            Currency/kW^2, positive.

        Raises
        ------
        ValueError
            If no delivery keeps the limits (the worst is named), or an input is bad.
        """
        slopes = checked_array("linear", linear, self.shape)
        bends = checked_array("curvature", curvature, self.shape[1:])
        if not bends.min() > 0.0:
            raise ValueError(
                f"curvature {bends.min():g} must be positive; `best_response` needs none"
            )
        if self._warm is None or not np.array_equal(self._warm[0], bends):
            self._warm = bends.copy(), self._solver(bends)
        return self._answered(self._solve(self._warm[1], slopes))

    def best_response(self, linear: ArrayLike) -> OperatorAnswer:
        """Minimise cost + linear.d over what the wires can carry (no curvature).

        The minimum need not be unique, and the problem is linear where losses are free: Clarabel
        finds a point in the middle of the optimal ones. `dual_bound` tells how good it is.

        Raises
        ------
        ValueError
            As `answer`.
        """
        slopes = checked_array("linear", linear, self.shape)
        solver = self._solver(np.zeros(self.shape[1]), active_set=False)
        return self._answered(self._solve(solver, slopes))

    def dual_bound(self, linear: ArrayLike, multipliers: OperatorMultipliers) -> float:
        """Lower bound of the least cost + linear.d, for any multipliers: `operator_dual_bound`."""
        slopes = checked_array("linear", linear, self.shape)
        return operator_dual_bound(self, slopes, multipliers)

    def least_cost(self, linear: ArrayLike) -> float:
        """Lower bound of cost + linear.d over all deliveries, proved by a best response's duals."""
        return self.dual_bound(linear, self.best_response(linear).multipliers)

    def price_parts(self, demand_kw: ArrayLike, price_per_kwh: ArrayLike) -> PriceParts:
        """What a price at which this delivery is made consists of; all (S, B).

        The multipliers are those of the answer to the price, kept near the delivery.

        Raises
        ------
        ValueError
            As `answer`.
        """
        demand = checked_array("demand_kw", demand_kw, self.shape)
        price = checked_array("price_per_kwh", price_per_kwh, self.shape)
        near = nearness(self, price)
        answer = self.answer(-self.slot_hours * price - near * demand, near)
        return parts_of_price(self, answer.multipliers, price)

    def infeasibility(self, lowest_kw: ArrayLike, highest_kw: ArrayLike) -> tuple[Relaxation, ...]:
        """Limits that no delivery within the given ranges (S, B) can keep, worst first."""
        lowest = checked_array("lowest_kw", lowest_kw, self.shape)
        highest = checked_array("highest_kw", highest_kw, self.shape)
        crossed = np.argwhere(lowest > highest)
        if crossed.size:
            slot, bus = crossed[0]
            raise ValueError(
                f"slot {slot}, bus {self.trading_buses[bus]}: lowest_kw {lowest[slot, bus]:g} is "
                f"above highest_kw {highest[slot, bus]:g}"
            )
        return find_relaxations(self, lowest, highest)

    def statement(self) -> DeliveryStatement:
        """The same problem in CVXPY, line by line; `state_operator_problem` has it condensed."""
        return state_branch_problem(self)

    @cached_property
    def _at_rest(self) -> FloatArray:
        """Derivative of the objective where nothing is delivered, (S, B + Q), currency/kW."""
        return self.quadratic.gradient(np.zeros((self.shape[0], len(self.decision_limit))))

    def _solver(self, curvature: FloatArray, active_set: bool = True) -> _Solver:
        if self.shape[1] > DENSE_BUSES and not len(self.inverters.buses):
            return SparseSlotSolver(self, curvature)
        asked = np.append(curvature, np.zeros(len(self.inverters.buses)))
        return SlotSolver(
            np.array([self.quadratic.hessian(slot) for slot in range(self.shape[0])])
            + np.diag(asked),
            self.slot_hours * self.feed_in_price_per_kwh,
            self.slot_hours * self.retail_price_per_kwh,
            self.limits,
            self.decision_limit,
            active_set,
        )

    def _solve(self, solver: _Solver, linear: FloatArray) -> SlotSolutions:
        try:
            own = np.zeros((self.shape[0], len(self.inverters.buses)))
            return solver.solve(np.hstack([linear, own]) + self._at_rest)
        except SlotInfeasible as error:
            everything = np.broadcast_to(self.demand_limit_kw, self.shape)
            worst = find_relaxations(self, -everything, everything)
            where = str(worst[0]) if worst else f"slot {error.slot}, by less than a watt"
            raise ValueError(
                f"no delivery within the demand limits keeps every limit: {where}"
            ) from None

    def _answered(self, solutions: SlotSolutions) -> OperatorAnswer:
        multipliers = OperatorMultipliers(
            reference=solutions.decision,
            energy_price_per_kwh=solutions.energy_price / self.slot_hours,
            rows=solutions.row_multipliers,
        )
        return OperatorAnswer(solutions.decision[:, : self.shape[1]], multipliers)
