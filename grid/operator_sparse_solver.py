"""The operator's problem of large feeders, sparse: flows and voltages as variables."""

from __future__ import annotations

import clarabel
import numpy as np
from scipy import sparse

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.incidence import incidence, placement
from nashgrid.grid.interior_point import SOLVED
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_solver import SlotInfeasible, SlotSolutions
from nashgrid.grid.operator_terms import OperatorTerms

_TOLERANCE = 1e-9


class SparseSlotSolver:
    r"""The same question as `SlotSolver` answers, in the branch form of Baran and Wu (1989).

    With the flow P of every line, the squared voltage v of every bus, the exchange D and its bill
    t beside the delivery d as variables,

    .. math::
        \min\; t + \tfrac12 m D^2 + f'd + \tfrac12 d'Kd + \sum_l c \, r_l P_l^2 / S_{base},
        \quad t \ge b D, \quad t \ge a D,

    subject to balances, voltage drops and bounds: every row has a handful of entries, where the
    condensed form is dense. For each slot one quadratic program by Clarabel, in units of
    `scale_kw` so that all variables are near 1.
    """

    def __init__(self, terms: OperatorTerms, curvature: FloatArray) -> None:
        self._terms = terms
        self._scale_kw = max(float(terms.demand_limit_kw.max()), 1e-3)
        feeder = self._feeder = terms.feeder
        self._buses, self._lines = len(terms.trading_buses), feeder.line_count
        self._at_no_load = LinDistFlow(feeder).voltage_squared(
            np.zeros_like(terms.reactive_kvar), terms.reactive_kvar, terms.root_voltage_pu
        )
        self._rows, self._equalities = self._wires()
        self._curvature = curvature
        self._solvers: dict[int, clarabel.DefaultSolver] = {}

    def solve(self, linear: FloatArray) -> SlotSolutions:
        """Minimise for linear terms f (S, B); raise SlotInfeasible where there is no d at all."""
        slots = len(linear)
        solutions = SlotSolutions(
            decision=np.empty((slots, self._buses)),
            row_multipliers=np.empty((slots, len(self._terms.limits.rows))),
            energy_price=np.empty(slots),
        )
        for slot in range(slots):
            self._solve_slot(slot, linear[slot], solutions)
        return solutions

    def _wires(self) -> tuple[sparse.csc_array, int]:
        """All rows of A z <= or = b over z = (d, P, u, D, t), and how many are equalities.

        u is the squared voltage less what it would be without active power, of all buses. Every
        bus but the root has its balance, every line its drop; then the root, and D.
        """
        terms, feeder, lines = self._terms, self._feeder, self._lines
        ends = incidence(feeder)
        others, net = ends.others, ends.enters - ends.leaves
        place = placement(feeder, terms.trading_buses)
        slope = 2.0 * self._scale_kw / feeder.base_kva
        drop = sparse.diags_array(slope * feeder.resistance_pu)
        bus = sparse.csr_array(np.ones((1, 1)))
        pick = sparse.csr_array(([1.0], ([0], [ends.root])), shape=(1, feeder.bus_count))
        sum_of_d = sparse.csr_array(np.ones((1, self._buses)))
        blocks: list[list[sparse.sparray | None]] = [
            [-place[others], net[others], None, None, None],
            [None, drop, net.T.tocsr(), None, None],
            [None, None, pick, None, None],
            [-sum_of_d, None, None, bus, None],
            # Inequalities: the bill, then the bounds of d, P, u and D on either side.
            [None, None, None, bus, -bus],
            [None, None, None, bus, -bus],
        ]
        for sign in (1.0, -1.0):
            for at_block, width in enumerate((self._buses, lines, feeder.bus_count, 1)):
                row: list[sparse.sparray | None] = [None] * 5
                row[at_block] = sparse.diags_array(np.full(width, sign))
                blocks.append(row)
        equalities = len(others) + lines + 2
        return sparse.csc_array(sparse.block_array(blocks, format="csc")), equalities

    def _bounds(self, slot: int) -> tuple[FloatArray, FloatArray]:
        """Highest and lowest (d, P, u, D) of a slot, infinite where there is no limit."""
        terms, limits, scale = self._terms, self._terms.limits, self._scale_kw
        flow_high = np.full(self._lines, np.inf)
        flow_high[limits.lines] = limits.upper[slot, limits.line_rows] / scale
        exchange = np.array([terms.exchange_limit_kw[slot] / scale])
        box = terms.demand_limit_kw / scale
        free = np.ones(self._feeder.bus_count, dtype=bool)
        free[limits.buses] = False
        u_high = terms.highest_voltage_pu**2 - self._at_no_load[slot]
        u_low = terms.lowest_voltage_pu**2 - self._at_no_load[slot]
        u_high, u_low = np.where(free, np.inf, u_high), np.where(free, -np.inf, u_low)
        high = np.concatenate([box, flow_high, u_high, exchange])
        low = np.concatenate([-box, -flow_high, u_low, -exchange])
        return high, low

    def _set_up(self, slot: int) -> tuple[sparse.csc_array, sparse.csc_array, FloatArray]:
        """Quadratic term, rows and right sides of a slot; prices are the caller's linear term."""
        terms, scale = self._terms, self._scale_kw
        loss = terms.slot_hours * terms.counted_loss_price_per_kwh[slot] / self._feeder.base_kva
        deviation = 0.5 * terms.slot_hours * terms.priorities.deviation_per_pu2h
        quadratic = np.concatenate(
            [
                scale**2 * self._curvature,
                2.0 * scale**2 * loss * self._feeder.resistance_pu,
                np.full(self._feeder.bus_count, deviation),
                [scale**2 * terms.slot_hours * terms.price_slope_per_kw2h[slot], 0.0],
            ]
        )
        rows = self._rows.copy()
        bill = self._equalities
        hours = terms.slot_hours * scale
        for row, price in enumerate(
            (terms.retail_price_per_kwh[slot], terms.feed_in_price_per_kwh[slot])
        ):
            rows[bill + row, rows.shape[1] - 2] = hours * price
        high, low = self._bounds(slot)
        right = np.concatenate([np.zeros(self._equalities + 2), high, -low])
        return sparse.csc_array(sparse.diags_array(quadratic)), rows, right

    def _solve_slot(self, slot: int, linear: FloatArray, solutions: SlotSolutions) -> None:
        terms, limits, scale = self._terms, self._terms.limits, self._scale_kw
        quadratic, rows, right = self._set_up(slot)
        target = np.zeros(rows.shape[1])
        target[: self._buses], target[-1] = scale * linear, 1.0
        kept = np.isfinite(right)
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
        answer = clarabel.DefaultSolver(
            sparse.csc_matrix(quadratic),
            target,
            sparse.csc_matrix(rows[np.flatnonzero(kept)]),
            right[kept],
            [
                clarabel.ZeroConeT(self._equalities),
                clarabel.NonnegativeConeT(int(kept.sum()) - self._equalities),
            ],
            settings,
        ).solve()
        if answer.status == clarabel.SolverStatus.PrimalInfeasible:
            raise SlotInfeasible(slot)
        if answer.status not in SOLVED:
            raise RuntimeError(f"Clarabel did not solve slot {slot} ({answer.status})")
        multipliers = np.zeros(len(right))
        multipliers[kept] = answer.z
        bill = multipliers[self._equalities : self._equalities + 2]
        high, low = np.split(multipliers[self._equalities + 2 :], 2)
        signed = high - low
        flow = signed[self._buses : self._buses + self._lines]
        # A voltage at its lowest binds on the low side of u, on the upper side of the drop.
        drop = -signed[self._buses + self._lines : -1]
        solutions.decision[slot] = scale * np.array(answer.x[: self._buses])
        solutions.row_multipliers[slot] = np.concatenate(
            [
                signed[-1:] / scale,
                flow[limits.lines] / scale,
                drop[limits.buses] / limits.volt_scale,
            ]
        )
        prices = np.array([terms.retail_price_per_kwh[slot], terms.feed_in_price_per_kwh[slot]])
        solutions.energy_price[slot] = terms.slot_hours * float(bill @ prices)
