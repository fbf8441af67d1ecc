"""Charges that rise where the wires are overloaded and fall where they are not: dual ascent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_terms import OperatorTerms


@dataclass(frozen=True, eq=False)
class LimitMultipliers:
    """Multipliers of the limits of `OperatorLimits`, (S, M), >= 0, currency/kW.

    One for each direction: of a line away from the root (`upper`) and towards it (`lower`), of the
    lowest voltage (`upper`, for a voltage drop) and the highest.
    """

    upper: FloatArray
    lower: FloatArray


def no_multipliers(terms: OperatorTerms) -> LimitMultipliers:
    """Where the ascent begins: nothing is charged but losses."""
    shape = terms.limits.upper.shape
    return LimitMultipliers(np.zeros(shape), np.zeros(shape))


def ascend(
    terms: OperatorTerms, multipliers: LimitMultipliers, demand_kw: ArrayLike, step: ArrayLike
) -> LimitMultipliers:
    r"""Move the multipliers with what the schedules overload.

    .. math::
        \nu^+_l \leftarrow \max(0, \nu^+_l + a (f_l - \bar f_l)), \quad
        \nu^-_l \leftarrow \max(0, \nu^-_l + a (-f_l - \bar f_l)),

    likewise for the exchange at the root and for voltages, all in kW (`OperatorLimits`). Agents
    whose schedules jump with the price make this oscillate; with a proximal term k / 2 (d - d')^2
    towards their last schedule, and a ||A||^2 < k for the limits' rows A, it settles at the
    locational prices.

    Parameters
    ----------
    demand_kw : (S, B)
        What the schedules take at the trading buses.
    step : float or (S, 1)
        a, currency/kW per kW.

    Raises
    ------
    ValueError
        If a shape or value is wrong.
    """
    steps = np.asarray(step, dtype=np.float64)
    if not ((steps > 0) & np.isfinite(steps)).all():
        raise ValueError(f"step {step!r} currency/kW per kW must be positive and finite")
    limits = terms.limits
    value = checked_array("demand_kw", demand_kw, terms.shape) @ limits.rows.T
    return LimitMultipliers(
        np.maximum(0.0, multipliers.upper + steps * (value - limits.upper)),
        np.maximum(0.0, multipliers.lower + steps * (limits.lower - value)),
    )


def bus_charges(
    terms: OperatorTerms, multipliers: LimitMultipliers, demand_kw: ArrayLike
) -> FloatArray:
    r"""What a kWh taken at each trading bus pays for the wires, (S, B), currency/kWh.

    .. math::
        \tfrac1\Delta \sum_l T_{lb} (\nu^+_l - \nu^-_l) + c \frac{\partial loss}{\partial d_b}

    with the voltages' multipliers beside the lines'; who delivers is paid it. A trade from i to j
    pays the difference (`price_difference_charges`), so that counter-flow is paid.
    """
    pressure = (multipliers.upper - multipliers.lower) @ terms.limits.rows
    charges = pressure + terms.quadratic.loss_gradient(np.asarray(demand_kw, dtype=np.float64))
    return np.asarray(charges / terms.slot_hours)
