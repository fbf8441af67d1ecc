"""Whether branch flow can carry what participants need, and if not, which limit is in the way."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import cvxpy as cp
import numpy as np

from nashgrid.grid.branch_flow_slot import BranchFlowSlot
from nashgrid.grid.dispatch_program import SOLVED, as_array
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_feasibility import Relaxation
from nashgrid.grid.operator_terms import OperatorTerms

# Of the largest demand limit: less than that is the solver's.
_TOLERANCE = 1e-6


def find_lossy_relaxations(
    terms: OperatorTerms, lowest_kw: FloatArray, highest_kw: FloatArray, slots: Sequence[int]
) -> list[Relaxation]:
    """Limits that no delivery between `lowest_kw` and `highest_kw` (S, B) can keep with its losses.

    As `find_relaxations`, on the branch-flow relaxation: by it limits must give way by no more than
    in AC, and by as much where its cones are closed.

    Parameters
    ----------
    slots : to look at
    """
    if not len(slots):
        return []
    program = _RelaxedSlot(terms)
    return [found for at in slots for found in program.least(at, lowest_kw[at], highest_kw[at])]


class _RelaxedSlot:
    """The branch flow of a slot with limits that give way, as little as they can.

    What they give is counted as power: squared voltages by the power at the bus that moves one
    most, as without losses.
    """

    def __init__(self, terms: OperatorTerms) -> None:
        self._terms, self._slot = terms, BranchFlowSlot(terms, also_lossless=False)
        slot, feeder, base = self._slot, terms.feeder, self._slot.base_kva
        buses, places = feeder.bus_count, len(terms.trading_buses)
        self._limited = np.flatnonzero(np.isfinite(feeder.limit_kva))
        self._lowest, self._highest = cp.Parameter(places), cp.Parameter(places)
        self._low, self._high = cp.Variable(buses, nonneg=True), cp.Variable(buses, nonneg=True)
        self._line = cp.Variable(max(len(self._limited), 1), nonneg=True)
        self._exchange = cp.Variable(nonneg=True)
        constraints = [
            *slot.wires,
            slot.demand >= self._lowest,
            slot.demand <= self._highest,
            slot.squared >= terms.lowest_voltage_pu**2 - self._low,
            slot.squared <= terms.highest_voltage_pu**2 + self._high,
            cp.abs(slot.exchange + slot.losses) <= slot.exchange_limit + self._exchange,
        ]
        if len(self._limited):
            limit = feeder.limit_kva[self._limited] / base + self._line
            constraints += [size <= limit for size in slot.line_sizes(self._limited)]
        scale = terms.limits.volt_scale
        self._per_squared = float(scale.min()) if len(scale) else base
        voltages = self._per_squared / base * cp.sum(self._low + self._high)
        given = voltages + cp.sum(self._line) + self._exchange
        self._problem = cp.Problem(cp.Minimize(given), constraints)

    def least(self, at: int, lowest_kw: FloatArray, highest_kw: FloatArray) -> list[Relaxation]:
        """What has to give way in a slot."""
        slot, base = self._slot, self._slot.base_kva
        nothing = np.zeros(len(lowest_kw))
        slot.ask(at, nothing, nothing)
        self._lowest.value, self._highest.value = lowest_kw / base, highest_kw / base
        with warnings.catch_warnings():
            # The status says the same.
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            self._problem.solve(solver=cp.CLARABEL)
        if self._problem.status not in SOLVED:
            raise RuntimeError(f"the feasibility of slot {at} was not found out")
        found = [*self._voltages(at), *self._lines(at), *self._upstream(at)]
        return [item for item in found if item.severity_kw > _TOLERANCE * base]

    def _voltages(self, at: int) -> list[Relaxation]:
        terms, found = self._terms, []
        low, high = as_array(self._low.value), as_array(self._high.value)
        for bus, under, over in zip(terms.feeder.buses.tolist(), low, high, strict=True):
            least, most = terms.lowest_voltage_pu, terms.highest_voltage_pu
            lower = least - float(np.sqrt(max(least**2 - under, 0.0)))
            higher = float(np.sqrt(most**2 + over)) - most
            power = self._per_squared * under, self._per_squared * over
            found += [
                Relaxation(at, "lowest voltage", str(bus), least, lower, "pu", power[0]),
                Relaxation(at, "highest voltage", str(bus), most, higher, "pu", power[1]),
            ]
        return found

    def _lines(self, at: int) -> list[Relaxation]:
        feeder, given = self._terms.feeder, self._slot.base_kva * as_array(self._line.value)
        return [
            Relaxation(
                at, "line", str(feeder.lines[line]), float(feeder.limit_kva[line]), kva, "kVA", kva
            )
            for line, kva in zip(self._limited.tolist(), given.tolist())
        ]

    def _upstream(self, at: int) -> list[Relaxation]:
        terms, given = self._terms, self._slot.base_kva * float(as_array(self._exchange.value))
        bound, root = float(terms.exchange_limit_kw[at]), str(terms.feeder.root_bus)
        return [Relaxation(at, "exchange", root, bound, given, "kW", given)]
