"""Central optimal power flow of one period on LinDistFlow: dispatch and locational prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow

_TIGHT = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
# A line carries (P, Q) within a regular 12-gon inscribed in its circle of apparent power: face c
# is a1 P + a2 Q <= limit, its normal at an angle of 15 + 30 c degrees.
_FACE_ANGLES = np.deg2rad(15.0 + 30.0 * np.arange(12))
_FACE_ACTIVE = np.cos(_FACE_ANGLES) / np.cos(np.deg2rad(15.0))
_FACE_REACTIVE = np.sin(_FACE_ANGLES) / np.cos(np.deg2rad(15.0))


@dataclass(frozen=True)
class Generator:
    """A source of power at a bus, cost = linear g + quadratic g^2 per hour, g in kW."""

    bus: int
    linear_cost_per_kwh: float
    highest_kw: float
    lowest_kw: float = 0.0
    quadratic_cost_per_kw2h: float = 0.0
    lowest_kvar: float = 0.0
    highest_kvar: float = 0.0


@dataclass(frozen=True, eq=False)
class LocationalPrice:
    """Price at every bus (n,), and the parts that add up to it; currency/kWh or /kvarh.

    Attributes
    ----------
    total : multiplier of the power balance of the bus.
    energy : the price at the root.
    congestion, voltage : what the line and the voltage limits add.
    """

    total: FloatArray
    energy: FloatArray
    congestion: FloatArray
    voltage: FloatArray


@dataclass(frozen=True, eq=False)
class OptimalPowerFlow:
    """Least-cost dispatch of one period.

    Attributes
    ----------
    cost_per_hour : float
    generation_kw, generation_kvar : (G,) arrays
    voltage_squared : (n,) array, pu
    flow_kw, flow_kvar : (L,) arrays, away from the root
    active_price, reactive_price : LocationalPrice
    """

    cost_per_hour: float
    generation_kw: FloatArray
    generation_kvar: FloatArray
    voltage_squared: FloatArray
    flow_kw: FloatArray
    flow_kvar: FloatArray
    active_price: LocationalPrice
    reactive_price: LocationalPrice


def optimal_power_flow(
    feeder: Feeder,
    generators: Sequence[Generator],
    *,
    load_kw: ArrayLike | None = None,
    load_kvar: ArrayLike | None = None,
    lowest_voltage_pu: float = 0.95,
    highest_voltage_pu: float = 1.05,
    root_voltage_pu: float = 1.0,
    extra_cost: Callable[[cp.Variable], cp.Expression] | None = None,
) -> OptimalPowerFlow:
    r"""Minimise the cost of generation subject to LinDistFlow, voltage and line limits.

    For every bus i fed by line l, with children's lines m,

    .. math::
        \lambda_i: \; P_l + g_i = d_i + \sum_m P_m, \quad
        v_i = v_{parent} - 2 (r_l P_l + x_l Q_l) / S_{base},

    the same for Q, v within its limits, and (P_l, Q_l) in a 12-gon inscribed in the line's limit.
    The price is the multiplier lambda of the balance, and apart from it

    .. math::
        \lambda_i = \lambda_0 + \sum_j 2 R_{ij} (\mu^{min}_j - \mu^{max}_j) / S_{base}
        + \sum_{l \in path(i)} \sum_c \eta_{lc} a_{1c},

    the reactive price likewise with X and a_2 (Papavasiliou 2018).

    Parameters
    ----------
    load_kw, load_kvar : (n,)
        Demand at every bus; the feeder's own if not given.
    extra_cost : callable
        A further convex cost per hour of the generation (G,) in kW.

    Raises
    ------
    ValueError
        If a generator stands at an unknown bus, or no dispatch keeps the limits.
    """
    program = _Program(
        feeder,
        generators,
        feeder.load_kw if load_kw is None else np.asarray(load_kw, dtype=np.float64),
        feeder.load_kvar if load_kvar is None else np.asarray(load_kvar, dtype=np.float64),
    )
    root = program.v[feeder.bus_positions(feeder.root_bus)] == root_voltage_pu**2
    lowest, highest = program.v >= lowest_voltage_pu**2, program.v <= highest_voltage_pu**2
    cost = program.cost if extra_cost is None else program.cost + extra_cost(program.p)
    problem = cp.Problem(cp.Minimize(cost), [*program.constraints(), root, lowest, highest])
    problem.solve(solver=cp.CLARABEL, **_TIGHT)
    if problem.status != cp.OPTIMAL:
        raise ValueError(f"no dispatch keeps the limits of feeder {feeder.name}: {problem.status}")

    model = LinDistFlow(feeder)
    pressure = 2.0 / feeder.base_kva * (_array(lowest.dual_value) - _array(highest.dual_value))
    pressure_p = model.resistance_sensitivity() @ pressure
    pressure_q = model.reactance_sensitivity() @ pressure
    return OptimalPowerFlow(
        cost_per_hour=float(_array(problem.value)),
        generation_kw=_array(program.p.value),
        generation_kvar=_array(program.q.value),
        voltage_squared=_array(program.v.value),
        flow_kw=_array(program.flow_p.value),
        flow_kvar=_array(program.flow_q.value),
        active_price=program.price(program.balance_p, _FACE_ACTIVE, pressure_p),
        reactive_price=program.price(program.balance_q, _FACE_REACTIVE, pressure_q),
    )


class _Program:
    """Variables, balances, line limits and cost of the optimal power flow."""

    def __init__(
        self,
        feeder: Feeder,
        generators: Sequence[Generator],
        load_kw: FloatArray,
        load_kvar: FloatArray,
    ) -> None:
        self.feeder, self.generators = feeder, generators
        self.p, self.q = cp.Variable(len(generators)), cp.Variable(len(generators))
        self.flow_p, self.flow_q = cp.Variable(feeder.line_count), cp.Variable(feeder.line_count)
        self.v = cp.Variable(feeder.bus_count)

        placed = np.zeros((feeder.bus_count, len(generators)))
        placed[feeder.bus_positions([g.bus for g in generators]), range(len(generators))] = 1.0
        self.start = feeder.bus_positions(feeder.from_bus)
        self.end = feeder.bus_positions(feeder.to_bus)
        outflow = np.zeros((feeder.bus_count, feeder.line_count))
        outflow[self.start, range(feeder.line_count)] = 1.0
        outflow[self.end, range(feeder.line_count)] = -1.0
        self.balance_p = load_kw + outflow @ self.flow_p - placed @ self.p == 0
        self.balance_q = load_kvar + outflow @ self.flow_q - placed @ self.q == 0

        limited = np.flatnonzero(np.isfinite(feeder.limit_kva))
        self.limited = limited
        self.faces = [
            a1 * self.flow_p[limited] + a2 * self.flow_q[limited] <= feeder.limit_kva[limited]
            for a1, a2 in zip(_FACE_ACTIVE, _FACE_REACTIVE)
            if limited.size
        ]

    def _of_each(self, name: str) -> FloatArray:
        return np.array([getattr(g, name) for g in self.generators], dtype=np.float64)

    @property
    def cost(self) -> cp.Expression:
        """Generation cost per hour."""
        linear = self._of_each("linear_cost_per_kwh") @ self.p
        cost: cp.Expression = linear + self._of_each("quadratic_cost_per_kw2h") @ self.p**2
        return cost

    def constraints(self) -> list[cp.Constraint]:
        """Balances, voltage drops, line limits and generator limits."""
        feeder = self.feeder
        drop = cp.multiply(feeder.resistance_pu, self.flow_p)
        drop += cp.multiply(feeder.reactance_pu, self.flow_q)
        return [
            self.balance_p,
            self.balance_q,
            self.v[self.end] == self.v[self.start] - 2.0 * drop / feeder.base_kva,
            *self.faces,
            self.p >= self._of_each("lowest_kw"),
            self.p <= self._of_each("highest_kw"),
            self.q >= self._of_each("lowest_kvar"),
            self.q <= self._of_each("highest_kvar"),
        ]

    def price(
        self, balance: cp.Constraint, face_slope: FloatArray, voltage: FloatArray
    ) -> LocationalPrice:
        """The price of a balance, and its parts from the multipliers of the limits alone."""
        feeder = self.feeder
        total = _array(balance.dual_value)
        of_line = np.zeros(feeder.line_count)
        for slope, face in zip(face_slope, self.faces):
            of_line[self.limited] += slope * _array(face.dual_value)
        return LocationalPrice(
            total=total,
            energy=np.full(feeder.bus_count, total[feeder.bus_positions(feeder.root_bus)[0]]),
            congestion=np.asarray(LinDistFlow(feeder).downstream.T @ of_line),
            voltage=voltage,
        )


def _array(value: object) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
