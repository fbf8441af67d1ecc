"""The operator's objective as a quadratic of its decision, without the price upstream."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from nashgrid.grid.feeder import FloatArray, IntArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_limits import voltage_drop
from nashgrid.grid.priorities import deviation_pu2

if TYPE_CHECKING:
    from nashgrid.grid.operator_terms import OperatorTerms


class OperatorQuadratic:
    r"""What `OperatorTerms` counts, in the decision x = (d, q), slot by slot:

    .. math::
        const + h'x + \tfrac12 x'Hx = dt \, [\tfrac12 m D^2 + c \, loss(x) + u \, deviation(x)]

    Losses have no product of active and reactive flows in them; deviations do.

    Parameters
    ----------
    loss_price_per_kwh : (S,) c
    """

    def __init__(self, terms: OperatorTerms, loss_price_per_kwh: FloatArray) -> None:
        self._terms, self._loss_price = terms, loss_price_per_kwh
        self._model = LinDistFlow(terms.feeder)

    @cached_property
    def drop(self) -> FloatArray:
        """Fall of the squared voltages by x, (n, B + Q), pu^2/kW."""
        return voltage_drop(self._model, self._terms.trading_buses, self._terms.inverters)

    @cached_property
    def loss_curvature(self) -> FloatArray:
        """Second derivative of the losses by x, kW/kW^2: 2 R / S_base at the buses of each."""
        terms = self._terms
        return np.asarray(
            block_diag(
                self._resistance(terms.trading_buses, terms.trading_buses),
                self._resistance(terms.inverters.buses, terms.inverters.buses),
            )
        )

    @cached_property
    def _loss_slope(self) -> FloatArray:
        """Derivative of the losses by q at x = 0, from the fixed reactive flow, (S, Q)."""
        terms = self._terms
        between = self._resistance(terms.feeder.buses, terms.inverters.buses)
        return np.asarray(terms.reactive_kvar @ between)

    def _resistance(self, rows: IntArray, columns: IntArray) -> FloatArray:
        feeder = self._terms.feeder
        sensitivity = self._model.resistance_sensitivity(columns)
        return 2.0 * sensitivity[feeder.bus_positions(rows)] / feeder.base_kva

    @cached_property
    def _deviation_curvature(self) -> FloatArray:
        """Second derivative of what deviations count per hour by x, currency/(kW^2 h)."""
        return 0.5 * self._terms.priorities.deviation_per_pu2h * self.drop.T @ self.drop

    @property
    def _at_no_load(self) -> FloatArray:
        """Squared voltages at x = 0, (S, n)."""
        terms = self._terms
        nothing = np.zeros_like(terms.reactive_kvar)
        return self._model.voltage_squared(nothing, terms.reactive_kvar, terms.root_voltage_pu)

    def at_rest(self) -> float:
        """Its value at x = 0, all slots together, currency."""
        terms, nothing = self._terms, np.zeros_like(self._terms.reactive_kvar)
        losses = self._model.losses_kw(nothing, terms.reactive_kvar)
        count = self._loss_price * losses
        if terms.priorities.deviation_per_pu2h > 0.0:
            off = deviation_pu2(self._at_no_load)
            count = count + terms.priorities.deviation_per_pu2h * off
        return terms.slot_hours * float(np.sum(count))

    def hessian(self, slot: int) -> FloatArray:
        """H of a slot, (B + Q, B + Q), currency/kW^2."""
        terms, exchange_row = self._terms, self._terms.limits.rows[0]
        losses = self._loss_price[slot] * self.loss_curvature
        sloping = terms.price_slope_per_kw2h[slot] * np.outer(exchange_row, exchange_row)
        return np.asarray(terms.slot_hours * (losses + self._deviation_curvature + sloping))

    def gradient(self, decision: FloatArray) -> FloatArray:
        """h + H x, (S, B + Q), currency/kW."""
        slope = self.slope_gradient(decision)
        return self.loss_gradient(decision) + slope + self.deviation_gradient(decision)

    def loss_gradient(self, decision: FloatArray) -> FloatArray:
        """Of what the losses count, (S, B + Q), currency/kW."""
        marginal = decision @ self.loss_curvature
        marginal[:, self._terms.shape[1] :] += self._loss_slope
        return np.asarray(self._terms.slot_hours * self._loss_price[:, None] * marginal)

    def deviation_gradient(self, decision: FloatArray) -> FloatArray:
        """Of what deviations count, (S, B + Q), currency/kW."""
        terms = self._terms
        if terms.priorities.deviation_per_pu2h == 0.0:
            return np.zeros(decision.shape)
        price = terms.deviation_price(self._at_no_load - decision @ self.drop.T)
        return -terms.slot_hours * price @ self.drop

    def slope_gradient(self, decision: FloatArray) -> FloatArray:
        """Of dt m D^2 / 2, (S, B + Q), currency/kW."""
        terms, exchange_row = self._terms, self._terms.limits.rows[0]
        slope = terms.slot_hours * terms.price_slope_per_kw2h * (decision @ exchange_row)
        return np.asarray(slope[:, None] * exchange_row)
