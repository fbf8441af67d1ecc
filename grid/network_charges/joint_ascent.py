"""Dual ascent with all limits at once, in steps as long as the schedules yield."""

from __future__ import annotations

import numpy as np

from nashgrid.grid.checked_array import checked_array
from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.network_charges.dual_ascent import LimitMultipliers
from nashgrid.grid.operator_solver import SlotInfeasible, SlotSolver
from nashgrid.grid.operator_terms import OperatorTerms

LEAST_SHARE = 0.1
"""Of the longest step, however steep the losses are."""


class JointAscent:
    r"""The price of energy at the root and the multipliers of all limits, moved together.

    Voltages of neighbouring buses rise and fall together: their rows A are nearly parallel. With
    one step a for each multiplier (`ascend`) all rows that were ever exceeded share a / ||A||^2,
    and the one that binds in the end creeps. Here the multipliers move in the metric of what they
    do, the prices :math:`\pi = \pi_0 + A'(\nu^+ - \nu^-) / \Delta` at the buses:

    .. math:: \max_{a_s \le \pi_0 \le b_s,\ \nu \ge 0} \;
        \Delta \pi_0 \sum_b d_b + \nu^+ (A d - \bar f) + \nu^- (\underline f - A d)
        - \frac{\Delta}{2 \gamma} \sum_b y_b (\pi_b - \pi'_b)^2,

    :math:`\pi'` the last prices, d what the schedules take, y by how much they yield to a price.
    The dual is solved, the least redispatch of d at the slopes :math:`\gamma / y` that keeps the
    limits. It is a step of the primal-dual method with the preconditioner :math:`A Y A' / \gamma`
    (Pock and Chambolle 2011; Liu, Xu and Yin 2021), which settles for schedules with a proximal
    term 1 / y and :math:`\gamma \le 1 - \tfrac12 \lambda_{max}(Y^{1/2} H Y^{1/2})`, H the second
    derivative of the losses' cost, for these are charged by their gradient (Condat 2013).

    Parameters
    ----------
    terms : of the operator
    yield_kw2h : (B,)
        y > 0, kW per currency/kWh, at each trading bus.

    Raises
    ------
    ValueError
        If a yield is not positive.
    """

    def __init__(self, terms: OperatorTerms, yield_kw2h: FloatArray) -> None:
        yields = checked_array("yield_kw2h", yield_kw2h, terms.shape[1:])
        if not yields.min() > 0.0:
            raise ValueError(f"yield_kw2h {yields.min():g} kW2h/currency must be positive")
        self._terms = terms
        self._slope = _share_of_losses(terms, yields) / yields
        hours = terms.slot_hours
        self._solver = SlotSolver(
            np.repeat(hours * np.diag(self._slope)[None], terms.shape[0], axis=0),
            hours * terms.feed_in_price_per_kwh,
            hours * terms.retail_price_per_kwh,
            terms.limits,
            np.full(terms.shape[1], np.inf),
        )

    def step(
        self, energy_price_per_kwh: FloatArray, multipliers: LimitMultipliers, demand_kw: FloatArray
    ) -> tuple[FloatArray, LimitMultipliers]:
        """The next energy price (S,) and multipliers, after schedules that take (S, B).

        Raises
        ------
        ValueError
            If no delivery at the trading buses, of whatever power, keeps the limits of a slot.
        """
        terms = self._terms
        demand, hours = checked_array("demand_kw", demand_kw, terms.shape), terms.slot_hours
        pressure = (multipliers.upper - multipliers.lower) @ terms.limits.rows / hours
        price = energy_price_per_kwh[:, None] + pressure
        try:
            found = self._solver.solve(-hours * (price + self._slope * demand))
        except SlotInfeasible as error:
            raise ValueError(
                f"no delivery keeps the limits of feeder {terms.feeder.name} in slot {error.slot}"
            ) from None
        rows = found.row_multipliers
        moved = LimitMultipliers(np.maximum(rows, 0.0), np.maximum(-rows, 0.0))
        return found.energy_price / hours, moved


def _share_of_losses(terms: OperatorTerms, yields: FloatArray) -> float:
    """gamma of `JointAscent`."""
    root = np.sqrt(yields)
    steepest = float(terms.loss_price_per_kwh.max())
    curvature = steepest * root[:, None] * terms.quadratic.loss_curvature * root
    return max(LEAST_SHARE, 1.0 - float(np.linalg.eigvalsh(curvature)[-1]) / 2)
