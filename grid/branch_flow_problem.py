"""The operator's problem on the branch-flow model: the same questions as LinDistFlow answers."""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.branch_flow_feasibility import find_lossy_relaxations
from nashgrid.grid.branch_flow_price_parts import branch_flow_parts
from nashgrid.grid.branch_flow_slot import BranchFlowSlot
from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_feasibility import Relaxation, find_relaxations
from nashgrid.grid.operator_price_parts import PriceParts, nearness
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.power_flow import ACPowerFlow, ac_power_flow

EXACT = "branch flow, exact"
REPAIRED = "branch flow, highest voltage and lines kept without losses too"
CHECKED = "branch flow, cones open where losses are free, limits kept in AC"
INEXACT = "branch flow, not exact, limits broken in AC"

_KEPT_KW, _KEPT_PU = 1e-2, 1e-6
_NEARER, _MOST_STEPS, _SETTLED_KW = 1000.0, 12, 1e-3


@dataclass(frozen=True, eq=False)
class BranchFlowAnswer:
    """What the operator delivers, and how far the relaxation can be trusted.

    Attributes
    ----------
    demand_kw : (S, B) array
    gap : (S, L) array
        l v - P^2 - Q^2 of every line, relative to the largest P^2 + Q^2 of the slot.
    notes : tuple of str
        Per slot: `EXACT`, `REPAIRED`, `CHECKED` or `INEXACT`.
    bound : float
        Least cost of the relaxation without repair, less the solver's tolerance; currency. No
        delivery that keeps the limits in AC costs less.
    """

    demand_kw: FloatArray
    gap: FloatArray
    notes: tuple[str, ...]
    bound: float


class BranchFlowProblem(OperatorTerms):
    """The terms of an operator, answered by second-order cone programs; see `OperatorTerms`.

    Differences to `OperatorProblem`: losses and voltages are those of the branch flow instead of
    estimates at 1 pu; a line's limit holds for its apparent power at both ends; and the exchange
    limit counts the losses. `cost` and `violation` of a delivery are by AC power flow.
    """

    _slots: dict[bool, BranchFlowSlot]

    def answer(self, linear: ArrayLike, curvature: ArrayLike) -> BranchFlowAnswer:
        """Minimise cost + linear.d + curvature.d^2/2 over what the wires can carry.

        Slot by slot; where a cone stays open the slot is solved again with the upper voltage limit
        and the line limits on LinDistFlow as well.

        Parameters
        ----------
        linear : (S, B)
            Currency/kW.
        curvature : (B,) or scalar
            Currency/kW^2, at least 0.

        Raises
        ------
        ValueError
            If no delivery keeps the limits (the worst is named), or an input is bad.
        """
        slopes = checked_array("linear", linear, self.shape)
        bends = checked_array("curvature", curvature, self.shape[1:], least=0.0)
        demand, gap = np.empty(self.shape), np.empty((self.shape[0], self.feeder.line_count))
        reactive = np.empty((self.shape[0], len(self.inverters.buses)))
        notes, bound = [], 0.0
        for slot, slope in enumerate(slopes):
            program, note, least = self._solve(slot, slope, bends)
            demand[slot], gap[slot] = program.demand_kw(), program.gap()
            reactive[slot] = program.set_kvar()
            notes.append(note)
            bound += least
        return BranchFlowAnswer(demand, gap, self._checked(notes, demand, reactive), bound)

    def _solve(
        self, slot: int, linear: FloatArray, curvature: FloatArray
    ) -> tuple[BranchFlowSlot, str, float]:
        """The program with the answer of a slot, how exact it is, and what it costs at least."""
        relaxed = self._program(also_lossless=False)
        if not relaxed.solve(slot, linear, curvature):
            raise ValueError(self._refusal(slot))
        least = relaxed.bound()
        if relaxed.is_exact():
            return relaxed, EXACT, least
        repaired = self._program(also_lossless=True)
        if not repaired.solve(slot, linear, curvature):
            return relaxed, INEXACT, least
        return repaired, REPAIRED if repaired.is_exact() else INEXACT, least

    def best_response(self, linear: ArrayLike) -> BranchFlowAnswer:
        """Minimise cost + linear.d over what the wires can carry: `answer` without curvature."""
        return self.answer(linear, 0.0)

    def least_cost(self, linear: ArrayLike) -> float:
        """Lower bound of cost + linear.d over all deliveries that keep the limits, currency."""
        return self.best_response(linear).bound

    def statement(self) -> DeliveryStatement:
        """The relaxation of all slots in CVXPY: no delivery that keeps the limits costs less."""
        nothing = np.zeros(self.shape[1])
        programs = [BranchFlowSlot(self, also_lossless=False) for _ in range(self.shape[0])]
        for slot, program in enumerate(programs):
            program.ask(slot, nothing, nothing)
        base = programs[0].base_kva
        return DeliveryStatement(
            base * cp.vstack([program.demand for program in programs]),
            base * cp.sum([program.cost for program in programs]),
            [constraint for program in programs for constraint in program.constraints],
        )

    def price_parts(self, demand_kw: ArrayLike, price_per_kwh: ArrayLike) -> PriceParts:
        """What a price at which this delivery is made consists of; all (S, B).

        The multipliers are those of the answer to the price, kept near the delivery; sensitivities
        are those of AC power flow at that answer.

        Raises
        ------
        ValueError
            As `answer`.
        """
        demand = checked_array("demand_kw", demand_kw, self.shape)
        price = checked_array("price_per_kwh", price_per_kwh, self.shape)
        near = nearness(self, price)
        linear = -self.slot_hours * price - near * demand
        multipliers, notes, answer = [], [], np.empty(self.shape)
        reactive = np.empty((self.shape[0], len(self.inverters.buses)))
        for slot, slope in enumerate(linear):
            program, note, _ = self._solve(slot, slope, near)
            multipliers.append(program.multipliers())
            notes.append(note)
            answer[slot], reactive[slot] = program.demand_kw(), program.set_kvar()
        checked = self._checked(notes, answer, reactive)
        return branch_flow_parts(self, answer, self.bus_kvar(reactive), multipliers, price, checked)

    def _settled_kvar(self, demand_kw: FloatArray) -> FloatArray:
        r"""Set points (S, Q) that serve a delivery D best on branch flow.

        The method of multipliers, :math:`y \leftarrow y + k (d - D)` with d the answer to
        y.d + k |d - D|^2 / 2: a delivery that breaks limits by what an exchange tolerates leaves
        the program no room, but this always some. Losses are so flat about their least that the
        last digits of q depend on all numbers of the program; those follow from D alone.
        """
        own = self._losses_alone(2.0 * np.abs(demand_kw).max(axis=0))
        near = _NEARER * nearness(own, np.ones(self.shape))
        found = np.empty((self.shape[0], len(self.inverters.buses)))
        for slot, asked in enumerate(demand_kw):
            price = np.zeros(len(asked))
            for _ in range(_MOST_STEPS):
                program, _, _ = own._solve(slot, price - near * asked, near)
                missed = program.demand_kw() - asked
                if np.abs(missed).max() <= _SETTLED_KW:
                    break
                price += near * missed
            found[slot] = program.set_kvar()
        return found

    def _losses_alone(self, demand_limit_kw: FloatArray) -> BranchFlowProblem:
        """The same wires where energy costs nothing, and losses enough to close the cones.

        For a delivery that is given, only the ratio of losses to deviations matters.
        """
        counts = self.priorities.deviation_per_pu2h > 0.0
        return BranchFlowProblem(
            self.feeder,
            trading_buses=self.trading_buses,
            reactive_kvar=self.reactive_kvar,
            slot_hours=self.slot_hours,
            retail_price_per_kwh=0.0,
            feed_in_price_per_kwh=0.0,
            loss_price_per_kwh=self.loss_price_per_kwh if counts else 1.0,
            demand_limit_kw=demand_limit_kw,
            exchange_limit_kw=self.exchange_limit_kw,
            lowest_voltage_pu=self.lowest_voltage_pu,
            highest_voltage_pu=self.highest_voltage_pu,
            root_voltage_pu=self.root_voltage_pu,
            priorities=self.priorities,
            inverters=self.inverters,
        )

    def ac(self, demand_kw: ArrayLike) -> ACPowerFlow:
        """AC power flow of a delivery."""
        return self._ac(demand_kw, self.reactive_at(demand_kw))

    def _ac(self, demand_kw: ArrayLike, bus_kvar: FloatArray) -> ACPowerFlow:
        power = self.bus_power_kw(demand_kw)
        return ac_power_flow(self.feeder, power, bus_kvar, self.root_voltage_pu)

    def losses_kw(self, demand_kw: ArrayLike) -> FloatArray:
        """AC losses per slot, (S,), kW."""
        return self.ac(demand_kw).losses_kw

    def voltage_squared(self, demand_kw: ArrayLike) -> FloatArray:
        """Squared voltages of a delivery in AC, (S, n), pu^2."""
        squared: FloatArray = self.ac(demand_kw).voltage_pu ** 2
        return squared

    def violation(self, demand_kw: ArrayLike) -> tuple[float, float]:
        """Largest violation of a power limit (kW or kVA) and of a voltage limit (pu), in AC."""
        demand = checked_array("demand_kw", demand_kw, self.shape)
        over_kw, over_pu = self._beyond(demand, self.reactive_at(demand))
        box = np.max(np.abs(demand) - self.demand_limit_kw, initial=0.0)
        return max(float(over_kw.max()), float(box)), float(over_pu.max())

    def _beyond(self, demand_kw: FloatArray, bus_kvar: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far the wires are beyond their limits in AC, per slot: kW or kVA, and pu."""
        ac = self._ac(demand_kw, bus_kvar)
        exchange = np.abs(demand_kw.sum(axis=1) + ac.losses_kw) - self.exchange_limit_kw
        line = np.max(ac.line_kva - self.feeder.limit_kva, axis=1)
        low = self.lowest_voltage_pu - ac.voltage_pu.min(axis=1)
        high = ac.voltage_pu.max(axis=1) - self.highest_voltage_pu
        return np.maximum(np.maximum(exchange, line), 0.0), np.maximum(np.maximum(low, high), 0.0)

    def _checked(
        self, notes: list[str], demand_kw: FloatArray, set_kvar: FloatArray
    ) -> tuple[str, ...]:
        """The notes of a delivery, those of open cones after a look at the AC power flow."""
        if INEXACT not in notes:
            return tuple(notes)
        over_kw, over_pu = self._beyond(demand_kw, self.bus_kvar(set_kvar))
        kept = (over_kw <= _KEPT_KW) & (over_pu <= _KEPT_PU)
        return tuple(CHECKED if note == INEXACT and ok else note for note, ok in zip(notes, kept))

    def infeasibility(self, lowest_kw: ArrayLike, highest_kw: ArrayLike) -> tuple[Relaxation, ...]:
        """Limits that no delivery within the given ranges (S, B) can keep, worst first.

        Those that LinDistFlow cannot keep either, and those that losses leave no room for.
        """
        lowest = checked_array("lowest_kw", lowest_kw, self.shape)
        highest = checked_array("highest_kw", highest_kw, self.shape)
        lossless = find_relaxations(self, lowest, highest)
        nothing = np.zeros((self.shape[0], len(self.inverters.buses)))
        kw, pu = self._beyond(np.clip(0.0, lowest, highest), self.bus_kvar(nothing))
        doubtful = np.flatnonzero((kw > 0.0) | (pu > 0.0)).tolist()
        lossy = find_lossy_relaxations(self, lowest, highest, doubtful)
        known = {item.slot for item in lossy}
        found = [*lossy, *(item for item in lossless if item.slot not in known)]
        # The solver's last digits do not say which of two slots is worse.
        return tuple(sorted(found, key=lambda item: (-round(item.severity_kw, 3), item.slot)))

    def _program(self, also_lossless: bool) -> BranchFlowSlot:
        if not hasattr(self, "_slots"):
            self._slots = {}
        if also_lossless not in self._slots:
            self._slots[also_lossless] = BranchFlowSlot(self, also_lossless)
        return self._slots[also_lossless]

    def _refusal(self, slot: int) -> str:
        everything = np.broadcast_to(self.demand_limit_kw, self.shape)
        found = [
            item for item in find_relaxations(self, -everything, everything) if item.slot == slot
        ]
        reason = str(found[0]) if found else f"slot {slot}: LinDistFlow has one, branch flow none"
        return f"no delivery through feeder {self.feeder.name} keeps every limit: {reason}"
