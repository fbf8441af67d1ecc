"""What the wires can carry, condensed: linear limits on the power delivered at some buses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nashgrid.grid.feeder import Feeder, FloatArray, IntArray
from nashgrid.grid.lindistflow import LinDistFlow


@dataclass(frozen=True, eq=False)
class OperatorLimits:
    r"""Limits ``lower[s] <= rows @ d[s] <= upper[s]`` on the power d (S, B) in kW, slot by slot.

    The rows are, in this order: the exchange at the root (sum of d); the flow of each line
    (|P| <= sqrt(limit^2 - Q^2), exact because Q is fixed); the voltage drop of each bus,

    .. math:: v_0^2 - 2 X q / S_{base} - v_{max}^2 \le 2 R d / S_{base}
              \le v_0^2 - 2 X q / S_{base} - v_{min}^2,

    each divided by its largest coefficient, so that every row is in kW. Rows that no trading bus
    can move are left out.

    Attributes
    ----------
    rows : (M, B) array
    lower, upper : (S, M) arrays, kW
    lines : int array
        Positions in `feeder.lines` of the lines that have a row.
    buses : int array
        Positions in `feeder.buses` of the buses whose voltage has a row.
    volt_scale : array
        Per bus in `buses`: kW of row per pu squared.
    """

    rows: FloatArray
    lower: FloatArray
    upper: FloatArray
    lines: IntArray
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
    reactive_kvar: FloatArray,
    *,
    root_voltage_pu: float,
    lowest_voltage_pu: float,
    highest_voltage_pu: float,
    exchange_limit_kw: FloatArray,
) -> OperatorLimits:
    """Build the limits; raise ValueError where the fixed reactive flow alone breaks one."""
    model = LinDistFlow(feeder)
    columns = feeder.bus_positions(trading_buses)
    slots = len(reactive_kvar)

    flow_rows = model.downstream[:, columns].toarray()
    flow_limit = _active_limits(feeder, model.flows(reactive_kvar))
    lines = np.flatnonzero(flow_rows.any(axis=1))

    drop_rows = 2.0 * model.resistance_sensitivity(trading_buses) / feeder.base_kva
    at_no_load = model.voltage_squared(np.zeros_like(reactive_kvar), reactive_kvar, root_voltage_pu)
    low = at_no_load - highest_voltage_pu**2
    high = at_no_load - lowest_voltage_pu**2
    moved: NDArray[np.bool_] = (drop_rows != 0.0).any(axis=1)
    _check_voltage(feeder, at_no_load[:, ~moved], ~moved, lowest_voltage_pu, highest_voltage_pu)
    buses = np.flatnonzero(moved)
    volt_scale = 1.0 / drop_rows[buses].max(axis=1)

    exchange_kw = exchange_limit_kw[:, None]
    flow_limit = flow_limit[:, lines]
    return OperatorLimits(
        rows=np.vstack(
            [np.ones((1, len(columns))), flow_rows[lines], drop_rows[buses] * volt_scale[:, None]]
        ),
        lower=np.hstack([-exchange_kw, -flow_limit, low[:, buses] * volt_scale]).reshape(slots, -1),
        upper=np.hstack([exchange_kw, flow_limit, high[:, buses] * volt_scale]).reshape(slots, -1),
        lines=lines,
        buses=buses,
        volt_scale=volt_scale,
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
