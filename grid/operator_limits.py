"""What the wires can carry, condensed: linear limits on the power delivered at some buses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nashgrid.grid.feeder import Feeder, FloatArray, IntArray
from nashgrid.grid.inverters import Inverters
from nashgrid.grid.lindistflow import LinDistFlow

FACETS = 24
"""Sides of the polygon in which a line carries active and reactive power; even."""


@dataclass(frozen=True, eq=False)
class OperatorLimits:
    r"""Limits ``lower[s] <= rows @ x[s] <= upper[s]`` on the decision x = (d, q), slot by slot.

    d (S, B) is the power in kW at the trading buses, q (S, Q) the reactive power in kvar that the
    operator sets, p the fixed reactive power at all buses. The rows are, in this order: the
    exchange at the root (sum of d); the flows of the lines; the voltage drop of each bus,

    .. math:: v_0^2 - 2 X p / S_{base} - v_{max}^2 \le 2 (R d + X q) / S_{base}
              \le v_0^2 - 2 X p / S_{base} - v_{min}^2,

    each divided by its largest coefficient, so that every row is in kW. Rows that nothing moves
    are left out. Where the reactive flow Q of a line is fixed, one row says
    |P| <= sqrt(limit^2 - Q^2). Where inverters move it, (P, Q) stays within the regular polygon of
    `FACETS` sides inscribed in the circle of the limit, with a corner at Q = 0:

    .. math:: |P \cos\theta_k + Q \sin\theta_k| \le limit \cos(\pi / K), \quad
              \theta_k = (2 k + 1) \pi / K, \quad k < K / 2,

    which gives away at most 1 - cos(pi / K) = 0.9 % of the limit.

    Attributes
    ----------
    rows : (M, B + Q) array
    lower, upper : (S, M) arrays, kW
    lines : int array
        Positions in `feeder.lines` of the line of each row of lines.
    angles : array
        theta of each row of lines, 0 where its reactive flow is fixed.
    buses : int array
        Positions in `feeder.buses` of the buses whose voltage has a row.
    volt_scale : array
        Per bus in `buses`: kW of row per pu squared.
    """

    rows: FloatArray
    lower: FloatArray
    upper: FloatArray
    lines: IntArray
    angles: FloatArray
    buses: IntArray
    volt_scale: FloatArray

    @property
    def line_rows(self) -> slice:
        """Rows of the lines in `lines`."""
        return slice(1, 1 + len(self.lines))

    @property
    def bus_rows(self) -> slice:
        """Rows of the buses in `buses`."""
        return slice(1 + len(self.lines), None)


def condense_limits(
    feeder: Feeder,
    trading_buses: IntArray,
    inverters: Inverters,
    reactive_kvar: FloatArray,
    *,
    root_voltage_pu: float,
    lowest_voltage_pu: float,
    highest_voltage_pu: float,
    exchange_limit_kw: FloatArray,
) -> OperatorLimits:
    """Build the limits; raise ValueError where the fixed reactive flow alone breaks one."""
    model = LinDistFlow(feeder)
    slots, trading = len(reactive_kvar), len(trading_buses)
    flows = _flow_limits(model, trading_buses, inverters, reactive_kvar)

    drop_rows = voltage_drop(model, trading_buses, inverters)
    at_no_load = model.voltage_squared(np.zeros_like(reactive_kvar), reactive_kvar, root_voltage_pu)
    low = at_no_load - highest_voltage_pu**2
    high = at_no_load - lowest_voltage_pu**2
    moved: NDArray[np.bool_] = (drop_rows != 0.0).any(axis=1)
    _check_voltage(feeder, at_no_load[:, ~moved], ~moved, lowest_voltage_pu, highest_voltage_pu)
    buses = np.flatnonzero(moved)
    volt_scale = 1.0 / drop_rows[buses].max(axis=1)

    exchange_row = np.zeros((1, drop_rows.shape[1]))
    exchange_row[:, :trading] = 1.0
    exchange_kw = exchange_limit_kw[:, None]
    return OperatorLimits(
        rows=np.vstack([exchange_row, flows.rows, drop_rows[buses] * volt_scale[:, None]]),
        lower=np.hstack([-exchange_kw, flows.lower, low[:, buses] * volt_scale]).reshape(slots, -1),
        upper=np.hstack([exchange_kw, flows.upper, high[:, buses] * volt_scale]).reshape(slots, -1),
        lines=flows.lines,
        angles=flows.angles,
        buses=buses,
        volt_scale=volt_scale,
    )


def voltage_drop(model: LinDistFlow, trading_buses: IntArray, inverters: Inverters) -> FloatArray:
    """Fall of the squared voltages by (d, q), (n, B + Q): 2 R / S_base, 2 X / S_base; pu^2/kW."""
    resistance = model.resistance_sensitivity(trading_buses)
    reactance = model.reactance_sensitivity(inverters.buses)
    return 2.0 * np.hstack([resistance, reactance]) / model.feeder.base_kva


@dataclass(frozen=True, eq=False)
class _FlowLimits:
    """The rows of the lines, see `OperatorLimits`."""

    rows: FloatArray
    lower: FloatArray
    upper: FloatArray
    lines: IntArray
    angles: FloatArray


def _flow_limits(
    model: LinDistFlow, trading_buses: IntArray, inverters: Inverters, reactive_kvar: FloatArray
) -> _FlowLimits:
    feeder = model.feeder
    active = model.downstream[:, feeder.bus_positions(trading_buses)]
    set_here = model.downstream[:, feeder.bus_positions(inverters.buses)]
    settable = set_here @ inverters.limit_kvar > 0.0
    in_polygon = settable & np.isfinite(feeder.limit_kva)
    carrying = active.sum(axis=1) > 0
    plain, round_ones = np.flatnonzero(carrying & ~in_polygon), np.flatnonzero(in_polygon)

    fixed_kvar = model.flows(reactive_kvar)
    room = _active_limits(feeder, np.where(settable, 0.0, fixed_kvar))[:, plain]
    facet = (2.0 * np.arange(FACETS // 2) + 1.0) * np.pi / FACETS
    polygons = np.repeat(round_ones, len(facet))
    lines = np.concatenate([plain, polygons])
    angles = np.concatenate([np.zeros(len(plain)), np.tile(facet, len(round_ones))])
    # The inverters do not enter the rows of fixed reactive flow: sin 0 = 0.
    rows = sparse.hstack(
        [
            sparse.diags_array(np.cos(angles)) @ active[lines],
            sparse.diags_array(np.sin(angles)) @ set_here[lines],
        ]
    ).toarray()
    shift = fixed_kvar[:, polygons] * np.sin(angles[len(plain) :])
    reach = feeder.limit_kva[polygons] * np.cos(np.pi / FACETS)
    return _FlowLimits(
        rows, np.hstack([-room, -reach - shift]), np.hstack([room, reach - shift]), lines, angles
    )


def _active_limits(feeder: Feeder, flow_kvar: FloatArray) -> FloatArray:
    over = np.argwhere(np.abs(flow_kvar) > feeder.limit_kva)
    if over.size:
        slot, line = over[0]
        raise ValueError(
            f"line {feeder.lines[line]}, slot {slot}: the reactive flow of "
            f"{abs(flow_kvar[slot, line]):.6g} kvar alone exceeds the limit of "
            f"{feeder.limit_kva[line]:.6g} kVA, which must give way by at least "
            f"{abs(flow_kvar[slot, line]) - feeder.limit_kva[line]:.4g} kVA"
        )
    unlimited = np.isinf(feeder.limit_kva)
    finite = np.where(unlimited, 0.0, feeder.limit_kva)
    room = np.sqrt(np.maximum(finite**2 - flow_kvar**2, 0.0))
    return np.where(unlimited, np.inf, room)


def _check_voltage(
    feeder: Feeder,
    squared: FloatArray,
    fixed: NDArray[np.bool_],
    lowest_pu: float,
    highest_pu: float,
) -> None:
    """Refuse voltages outside the limits at the `fixed` buses, which no trade moves."""
    voltage = np.sqrt(np.maximum(squared, 0.0))
    missed = np.maximum(lowest_pu - voltage, voltage - highest_pu)
    if missed.max(initial=0.0) > 0.0:
        slot, at = np.argwhere(missed > 0.0)[0]
        found = voltage[slot, at]
        limit = lowest_pu if found < lowest_pu else highest_pu
        raise ValueError(
            f"bus {feeder.buses[fixed][at]}, slot {slot}: the voltage of {found:.6g} pu is outside "
            f"its limits and no trade can change it; the limit of {limit:.6g} pu must give way by "
            f"{missed[slot, at]:.4g} pu"
        )
