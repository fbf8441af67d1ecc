"""LinDistFlow: flows, voltages and losses of a radial feeder, linear in the power taken."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from nashgrid.grid.feeder import Feeder, FloatArray


class LinDistFlow:
    r"""The LinDistFlow model of a feeder (Baran and Wu 1989).

    With T the downstream incidence, p and q the power taken at the buses (kW, kvar; negative:
    delivered to the grid), r and x the line impedances (pu), S_base in kVA:

    .. math::
        P = T p, \quad Q = T q, \quad
        v^2 = v_0^2 - 2 (R p + X q) / S_{base}, \quad
        loss = \sum_l r_l (P_l^2 + Q_l^2) / S_{base},

    where R = T' diag(r) T and X = T' diag(x) T: R_ij is the resistance of the path that the buses
    i and j share. Losses are an estimate at a voltage of 1 pu and do not feed back on the flows.

    Power arrays are (S, n) or (n,), S slots, buses in the order of `feeder.buses`.
    """

    def __init__(self, feeder: Feeder) -> None:
        self.feeder = feeder

    @cached_property
    def downstream(self) -> sparse.csr_array:
        """Incidence T, (L, n): 1 where the bus lies behind the line."""
        feeder = self.feeder
        at_end = feeder.bus_positions(feeder.to_bus)
        at_start = feeder.bus_positions(feeder.from_bus)
        feeding_line = np.full(feeder.bus_count, -1)
        feeding_line[at_end] = np.arange(feeder.line_count)
        line_before = feeding_line[at_start]
        # All buses climb towards the root together, one line per step.
        bus, line = at_end, np.arange(feeder.line_count)
        rows, columns = [line], [bus]
        while line.size:
            above = line_before[line]
            bus, line = bus[above >= 0], above[above >= 0]
            rows.append(line)
            columns.append(bus)
        row, column = np.concatenate(rows), np.concatenate(columns)
        shape = (feeder.line_count, feeder.bus_count)
        return sparse.csr_array((np.ones(len(row)), (row, column)), shape=shape)

    def resistance_sensitivity(self, buses: ArrayLike | None = None) -> FloatArray:
        """R in pu, (n, B): columns for the given bus labels, or all."""
        return self._sensitivity(self.feeder.resistance_pu, buses)

    def reactance_sensitivity(self, buses: ArrayLike | None = None) -> FloatArray:
        """X in pu, (n, B): columns for the given bus labels, or all."""
        return self._sensitivity(self.feeder.reactance_pu, buses)

    def _sensitivity(self, impedance_pu: FloatArray, buses: ArrayLike | None) -> FloatArray:
        labels = self.feeder.buses if buses is None else buses
        columns = self.downstream[:, self.feeder.bus_positions(labels)]
        weighted = sparse.diags_array(impedance_pu) @ columns
        return np.asarray((self.downstream.T @ weighted).todense(), dtype=np.float64)

    def flows(self, power: ArrayLike) -> FloatArray:
        """Flow of each line away from the root, (S, L) or (L,), in the unit of `power`."""
        return np.asarray((self.downstream @ np.asarray(power, dtype=np.float64).T).T)

    def voltage_squared(
        self, power_kw: ArrayLike, reactive_kvar: ArrayLike, root_voltage_pu: float = 1.0
    ) -> FloatArray:
        """Squared voltage magnitudes, pu, in the shape of `power_kw`."""
        feeder = self.feeder
        drop_of_line = feeder.resistance_pu * self.flows(power_kw)
        drop_of_line = drop_of_line + feeder.reactance_pu * self.flows(reactive_kvar)
        drop = np.asarray((self.downstream.T @ drop_of_line.T).T)
        return root_voltage_pu**2 - 2.0 * drop / feeder.base_kva

    def losses_kw(self, power_kw: ArrayLike, reactive_kvar: ArrayLike) -> FloatArray:
        """Quadratic estimate of the losses, kW, (S,) or a scalar array."""
        squared = self.flows(power_kw) ** 2 + self.flows(reactive_kvar) ** 2
        return np.asarray(squared @ self.feeder.resistance_pu / self.feeder.base_kva)
