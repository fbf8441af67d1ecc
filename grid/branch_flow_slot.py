"""One slot of the operator's problem as a second-order cone program, its numbers as parameters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.grid.convex_concave import EXACT_GAP, cone_gap
from nashgrid.grid.dispatch_program import SOLVED, as_array
from nashgrid.grid.feeder import FloatArray, IntArray
from nashgrid.grid.incidence import incidence, placement
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_statement import stated_deviation
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.price_decomposition import FlowPoint

# Full and reduced tolerance of Clarabel; the second pair where the first is out of its reach.
_TOLERANCES = ((1e-9, 1e-7), (1e-8, 1e-6))
_GAPS = ("tol_gap_abs", "tol_gap_rel", "tol_feas")
# The rows, too, are missed by the tolerance: the dual value may be this many times that below.
_MARGIN = 10.0


@dataclass(frozen=True, eq=False)
class SlotMultipliers:
    """Multipliers of one slot's limits.

    Attributes
    ----------
    energy : float
        What one more kW upstream costs, with the exchange limit; currency/kW.
    exchange : float
        Of the exchange limit alone; positive: import, negative: export.
    voltage : (n,) array
        Currency per pu squared; positive: highest voltage, negative: lowest voltage.
    sent, received : (L,) arrays
        Of the apparent power at either end of a line, currency/kVA.
    lossless_voltage, lossless_line : (n,), (L,) arrays
        Of the highest voltage and the line limits without losses.
    """

    energy: float
    exchange: float
    voltage: FloatArray
    sent: FloatArray
    received: FloatArray
    lossless_voltage: FloatArray
    lossless_line: FloatArray


class BranchFlowSlot:
    r"""Minimise one slot's cost + f'd + k'd^2 / 2 over the branch-flow relaxation.

    For every bus j fed from i by a line with r and x, with the lines m that leave j,

    .. math::
        P - r l = d_j + \sum P_m, \quad Q - x l = q_j + \sum Q_m, \quad
        v_j = v_i - 2 (r P + x Q) + (r^2 + x^2) l, \quad l v_i \ge P^2 + Q^2

    (Farivar and Low 2013), apparent power limited at both ends of a line, and the exchange at the
    root with the losses in it. With `also_lossless` the upper voltage limit and the line limits
    also hold for LinDistFlow. Its voltage is never lower, and under reverse flow neither is its
    flow, so that nothing is won by losing more than must be (Gan, Li, Topcu and Low 2015 for the
    voltage).

    Reactive power is given but for what inverters take as the operator sets them. The program is
    per unit of the largest demand limit, not of the feeder's base: then flows are near 1, and
    Clarabel reaches its tolerance where it would stall otherwise.
    """

    def __init__(self, terms: OperatorTerms, also_lossless: bool) -> None:
        feeder = self._feeder = terms.feeder
        self._terms = terms
        largest = float(terms.demand_limit_kw.max())
        base = self._base_kva = largest if largest > 0.0 else feeder.base_kva
        self._r = feeder.resistance_pu * base / feeder.base_kva
        self._x = feeder.reactance_pu * base / feeder.base_kva

        count, buses, lines = len(terms.trading_buses), feeder.bus_count, feeder.line_count
        self.linear, self.bend = cp.Parameter(count), cp.Parameter(count, nonneg=True)
        self.reactive = cp.Parameter(buses)
        self.retail, self.feed_in = cp.Parameter(), cp.Parameter()
        self.slope = cp.Parameter(nonneg=True)
        self.loss_price = cp.Parameter(nonneg=True)
        self.exchange_limit = cp.Parameter(nonneg=True)
        self.demand, self.current = cp.Variable(count), cp.Variable(lines)
        self.flow_p, self.flow_q = cp.Variable(lines), cp.Variable(lines)
        self.squared, self.exchange = cp.Variable(buses), cp.Variable()
        taken, within = self._reactive()

        self.losses: cp.Expression = self._r @ self.current
        losses = self.losses
        self._upstream = self.exchange == cp.sum(self.demand)
        self._lowest = self.squared >= terms.lowest_voltage_pu**2
        self._highest = self.squared <= terms.highest_voltage_pu**2
        self._import = self.exchange + losses <= self.exchange_limit
        self._export = self.exchange + losses >= -self.exchange_limit
        self._ends = self._line_limits()
        self._lossless = self._lossless_limits(taken) if also_lossless else []
        self.wires = [*self._wires(taken), *within, self._upstream]
        self.constraints: list[cp.Constraint] = [
            *self.wires,
            self._lowest,
            self._highest,
            cp.abs(self.demand) <= terms.demand_limit_kw / base,
            self._import,
            self._export,
            *self._lossless,
            *self._ends,
        ]
        bill = cp.maximum(self.retail * self.exchange, self.feed_in * self.exchange)
        bill += 0.5 * cp.square(self.slope * self.exchange)
        self.cost: cp.Expression = bill + self.loss_price * losses
        self.cost += terms.slot_hours / base * stated_deviation(terms, self.squared)
        asked = self.linear @ self.demand
        asked += 0.5 * cp.sum_squares(cp.multiply(self.bend, self.demand))
        self._problem = cp.Problem(cp.Minimize(self.cost + asked), self.constraints)
        self._open = 0.0

    @property
    def base_kva(self) -> float:
        """Power that is 1 in the program; costs are in currency per kW of it."""
        return self._base_kva

    def _reactive(self) -> tuple[cp.Expression, list[cp.Constraint]]:
        """Reactive power taken at every bus, and the limits of the inverters in it."""
        inverters = self._terms.inverters
        if not len(inverters.buses):
            return self.reactive, []
        self._set = cp.Variable(len(inverters.buses))
        set_at = placement(self._feeder, inverters.buses)
        limit = inverters.limit_kvar / self._base_kva
        return self.reactive + set_at @ self._set, [cp.abs(self._set) <= limit]

    def _wires(self, taken: cp.Expression) -> list[cp.Constraint]:
        ends = incidence(self._feeder)
        net, lost = (ends.enters - ends.leaves)[ends.others], ends.enters[ends.others]
        place = placement(self._feeder, self._terms.trading_buses)[ends.others]
        r, x, current, at_start = self._r, self._x, self.current, self.squared[ends.start]
        drop = 2.0 * (cp.multiply(r, self.flow_p) + cp.multiply(x, self.flow_q))
        sides = cp.vstack([2.0 * self.flow_p, 2.0 * self.flow_q, current - at_start])
        return [
            net @ self.flow_p - lost @ cp.multiply(r, current) == place @ self.demand,
            net @ self.flow_q - lost @ cp.multiply(x, current) == taken[ends.others],
            self.squared[ends.end] == at_start - drop + cp.multiply(r**2 + x**2, current),
            self.squared[ends.root] == self._terms.root_voltage_pu**2,
            cp.SOC(current + at_start, sides, axis=0),
        ]

    def _line_limits(self) -> list[cp.Constraint]:
        limited = np.flatnonzero(np.isfinite(self._feeder.limit_kva))
        if not limited.size:
            return []
        limit = self._feeder.limit_kva[limited] / self._base_kva
        return [size <= limit for size in self.line_sizes(limited)]

    def line_sizes(self, lines: IntArray) -> list[cp.Expression]:
        """Apparent power of some lines, where it is sent and where it is received."""
        received_p = self.flow_p - cp.multiply(self._r, self.current)
        received_q = self.flow_q - cp.multiply(self._x, self.current)
        return [
            cp.norm(cp.vstack([p[lines], q[lines]]), 2, axis=0)
            for p, q in ((self.flow_p, self.flow_q), (received_p, received_q))
        ]

    def _lossless_limits(self, taken: cp.Expression) -> list[cp.Constraint]:
        terms, feeder, model = self._terms, self._feeder, LinDistFlow(self._feeder)
        squared = terms.root_voltage_pu**2 - 2.0 * self._base_kva / feeder.base_kva * (
            model.resistance_sensitivity(terms.trading_buses) @ self.demand
            + model.reactance_sensitivity() @ taken
        )
        constraints: list[cp.Constraint] = [squared <= terms.highest_voltage_pu**2]
        limited = np.flatnonzero(np.isfinite(feeder.limit_kva))
        if limited.size:
            behind = model.downstream[limited]
            at = feeder.bus_positions(terms.trading_buses)
            flows = cp.vstack([behind[:, at] @ self.demand, behind @ taken])
            limit = feeder.limit_kva[limited] / self._base_kva
            constraints.append(cp.norm(flows, 2, axis=0) <= limit)
        return constraints

    def ask(self, slot: int, linear: FloatArray, curvature: FloatArray) -> None:
        """Put the numbers of a slot, and a question, into the parameters.

        `linear` (B,) in currency/kW, `curvature` (B,) in currency/kW^2. Costs are counted in
        currency per kW of the largest demand limit, which keeps them near 1.
        """
        terms, base, hours = self._terms, self._base_kva, self._terms.slot_hours
        self.linear.value = linear
        self.bend.value = np.sqrt(base * curvature)
        self.reactive.value = terms.reactive_kvar[slot] / base
        self.retail.value = hours * terms.retail_price_per_kwh[slot]
        self.feed_in.value = hours * terms.feed_in_price_per_kwh[slot]
        self.slope.value = np.sqrt(hours * base * terms.price_slope_per_kw2h[slot])
        self.loss_price.value = hours * terms.counted_loss_price_per_kwh[slot]
        # An unlimited exchange: more than everybody can take together.
        most = 2.0 * float(terms.demand_limit_kw.sum()) + base
        self.exchange_limit.value = min(float(terms.exchange_limit_kw[slot]), most) / base

    def solve(self, slot: int, linear: FloatArray, curvature: FloatArray) -> bool:
        """Solve a slot; False if no delivery keeps the limits. Results are in the variables.

        Raises
        ------
        RuntimeError
            If the solver finds neither a delivery nor that there is none.
        """
        self.ask(slot, linear, curvature)
        for full, reduced in _TOLERANCES:
            status = self._attempt(full, reduced)
            if status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
                return False
            if status in SOLVED:
                self._open = _MARGIN * (full if status == cp.OPTIMAL else reduced)
                return True
        raise RuntimeError(f"Clarabel did not solve slot {slot} ({status})")

    def _attempt(self, full: float, reduced: float) -> str:
        settings = dict.fromkeys(_GAPS, full) | {f"reduced_{gap}": reduced for gap in _GAPS}
        with warnings.catch_warnings():
            # The status says the same.
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            try:
                self._problem.solve(solver=cp.CLARABEL, **settings)
            except cp.error.SolverError:
                return str(cp.SOLVER_ERROR)
        return str(self._problem.status)

    def bound(self) -> float:
        """The least cost less what the solver's tolerance leaves open, currency."""
        least = self._base_kva * float(as_array(self._problem.value))
        return least - self._open * max(1.0, abs(least))

    def demand_kw(self) -> FloatArray:
        """Power delivered at the trading buses, (B,)."""
        return self._base_kva * as_array(self.demand.value)

    def set_kvar(self) -> FloatArray:
        """Reactive power that inverters take as they are set, (Q,)."""
        limit = self._terms.inverters.limit_kvar
        if not limit.size:
            return limit
        return np.clip(self._base_kva * as_array(self._set.value), -limit, limit)

    def multipliers(self) -> SlotMultipliers:
        """Of the limits in the way of the last answer; the lossless ones are zero where unused."""
        lines, buses = self._feeder.line_count, self._feeder.bus_count
        limited = np.flatnonzero(np.isfinite(self._feeder.limit_kva))
        ends = np.zeros((3, lines))
        highest = np.zeros(buses)
        if self._lossless:
            highest[:] = as_array(self._lossless[0].dual_value)
        for row, constraint in enumerate([*self._ends, *self._lossless[1:]]):
            ends[row, limited] = as_array(constraint.dual_value)
        held = as_array(self._highest.dual_value) - as_array(self._lowest.dual_value)
        return SlotMultipliers(
            energy=-float(as_array(self._upstream.dual_value)),
            exchange=float(as_array(self._import.dual_value) - as_array(self._export.dual_value)),
            voltage=self._base_kva * held,
            sent=ends[0],
            received=ends[1],
            lossless_voltage=self._base_kva * highest,
            lossless_line=ends[2],
        )

    def gap(self) -> FloatArray:
        """Gap of every line's cone, (L,): `cone_gap`."""
        state = (self.flow_p, self.flow_q, self.current, self.squared)
        return cone_gap(self._feeder, FlowPoint(*(as_array(v.value) for v in state)))

    def is_exact(self) -> bool:
        """Whether all cones are closed."""
        return bool(self.gap().max(initial=0.0) <= EXACT_GAP)
