"""Inverters whose reactive power the operator sets, and how it sets them for a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.feeder import Feeder, FloatArray, IntArray
from nashgrid.grid.interior_point import solve_by_interior_point

if TYPE_CHECKING:
    from nashgrid.grid.operator_terms import OperatorTerms

_BROKEN = 1e4
"""What a kW beyond a limit counts, as a multiple of the price of a kWh in the slot: more than the
multipliers of all limits together, so that limits are kept where they can be (exact penalty)."""
_LEAST_PRICE = 1e-6


@dataclass(frozen=True, eq=False)
class Inverters:
    """Reactive power that the operator may set at some buses, in every slot.

    Parameters
    ----------
    buses : (Q,) labels
    limit_kvar : (Q,) most that those at a bus take or give together, whatever their active power
    """

    buses: IntArray
    limit_kvar: FloatArray

    def check(self, feeder: Feeder) -> None:
        """Refuse buses that the feeder lacks or that come twice, and limits without a meaning.

        Raises
        ------
        ValueError
            Names the bus, or the limit.
        """
        feeder.bus_positions(self.buses)
        if len(set(self.buses.tolist())) < len(self.buses):
            raise ValueError(f"a bus with inverters is there twice: {self.buses.tolist()}")
        checked_array("limit_kvar", self.limit_kvar, self.buses.shape, least=0.0)


NO_INVERTERS = Inverters(np.zeros(0, dtype=np.int64), np.zeros(0))


def settle_inverters(terms: OperatorTerms, demand_kw: FloatArray) -> FloatArray:
    r"""Reactive power (S, Q) [kvar] that serves a delivery d (S, B) best.

    In each slot

    .. math::
        \min_{q, t \ge 0} \; objective(d, q) + M t \quad \text{s.t.} \quad
        lower - t \le A_d d + A_q q \le upper + t, \quad |q| \le q_{max}:

    the least losses (and deviations of voltage, where they count) among what keeps the limits.
    """
    count, buses = len(terms.inverters.buses), terms.shape[1]
    limits, box = terms.limits, terms.inverters.limit_kvar
    rows, moved = limits.rows[:, buses:], demand_kw @ limits.rows[:, :buses].T
    own = np.flatnonzero(rows.any(axis=1))
    still = np.hstack([demand_kw, np.zeros((len(demand_kw), count))])
    linear = terms.marginal_cost(still)[:, buses:]
    unit = terms.slot_hours * np.maximum(np.abs(terms.retail_price_per_kwh), _LEAST_PRICE)
    # |row q + moved - t| as two rows, with the slack t as the last column.
    sides = np.vstack([np.c_[rows[own], -np.ones(len(own))], np.c_[-rows[own], -np.ones(len(own))]])
    reactive = np.empty((len(demand_kw), count))
    for slot in range(len(demand_kw)):
        hessian = np.zeros((count + 1, count + 1))
        hessian[:count, :count] = terms.hessian(slot)[buses:, buses:] / unit[slot]
        room = np.concatenate(
            [
                limits.upper[slot, own] - moved[slot, own],
                moved[slot, own] - limits.lower[slot, own],
            ]
        )
        found = solve_by_interior_point(
            hessian,
            np.append(linear[slot] / unit[slot], _BROKEN),
            sides,
            np.concatenate([-box, [0.0], np.full(len(room), -np.inf)]),
            np.concatenate([box, [np.inf], room]),
        )
        if found is None:
            raise RuntimeError(f"slot {slot}: no set points of inverters within their limits")
        reactive[slot] = np.clip(found[0][:count], -box, box)
    return reactive
