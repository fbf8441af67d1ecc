"""What the prices of an operator's clearing are made of: energy, losses, lines, voltages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_bound import OperatorMultipliers
from nashgrid.grid.operator_terms import OperatorTerms

LINDISTFLOW = "lindistflow"


@dataclass(frozen=True, eq=False)
class PriceParts:
    """Parts of the price at every trading bus, (T, B), currency/kWh.

    Attributes
    ----------
    energy : price upstream, with the multiplier of the exchange limit; the same at all buses.
    loss : what the losses cost that one more kW causes.
    congestion : what the limits of the lines on the way to the bus add.
    voltage : what the voltage limits add, and deviations where they count.
    remainder : the price less its parts: how far the price is from one at which the operator
        would choose that delivery, or the multiplier of the bus's own demand limit.
    notes : how the model of the wires answered, slot by slot.
    """

    energy: FloatArray
    loss: FloatArray
    congestion: FloatArray
    voltage: FloatArray
    remainder: FloatArray
    notes: tuple[str, ...]

    @property
    def total(self) -> FloatArray:
        """Sum of the four parts, (T, B)."""
        return self.energy + self.loss + self.congestion + self.voltage


def nearness(terms: OperatorTerms, price_per_kwh: FloatArray) -> FloatArray:
    """Weight k of the proximal term that keeps an answer near a demand, (B,), currency/kW^2.

    dt x price level / demand limit. Where the price supports the demand, the answer to the price
    is the demand whatever k is.
    """
    level = max(
        float(np.abs(price_per_kwh).mean()), float(np.abs(terms.retail_price_per_kwh).mean())
    )
    weight: FloatArray = (
        terms.slot_hours * max(level, 1e-6) / np.maximum(terms.demand_limit_kw, 1e-3)
    )
    return weight


def parts_of_price(
    terms: OperatorTerms, multipliers: OperatorMultipliers, price_per_kwh: FloatArray
) -> PriceParts:
    r"""Explain a price (T, B) by the multipliers of the answer (d, q) to it.

    .. math::
        \lambda_b = \underbrace{\pi + \tfrac{\epsilon}{\Delta}}_{energy}
        + \underbrace{c \tfrac{2}{S} \sum_j R_{bj} d_j}_{loss}
        + \underbrace{\tfrac1\Delta \sum_l \mu_l \cos\theta_l T_{lb}}_{congestion}
        + \underbrace{\tfrac1\Delta \tfrac2S \sum_j R_{jb}
        (\nu_j - \tfrac12 \Delta u (v_j - 1))}_{voltage},

    c what losses count, u what deviations do, l the rows of lines in `OperatorLimits`.
    """
    hours, trading = terms.slot_hours, terms.shape[1]
    limits, rows = terms.limits, multipliers.rows
    upstream = multipliers.energy_price_per_kwh + rows[:, 0] / hours
    upstream += terms.price_slope_per_kw2h * multipliers.reference[:, :trading].sum(axis=1)
    along, at_buses = limits.line_rows, limits.bus_rows
    deviation = terms.quadratic.deviation_gradient(multipliers.reference)
    of_decision = {
        "loss": terms.quadratic.loss_gradient(multipliers.reference),
        "congestion": rows[:, along] @ limits.rows[along],
        "voltage": rows[:, at_buses] @ limits.rows[at_buses] + deviation,
    }
    parts = {"energy": np.tile(upstream[:, None], (1, trading))}
    parts |= {name: values[:, :trading] / hours for name, values in of_decision.items()}
    notes = (LINDISTFLOW,) * terms.shape[0]
    return PriceParts(**parts, remainder=price_per_kwh - sum(parts.values()), notes=notes)
