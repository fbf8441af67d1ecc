"""What the prices of an operator's clearing are made of: energy, losses, lines, voltages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_terms import checked_array


@dataclass(frozen=True, eq=False)
class PriceParts:
    """Parts of the price at every trading bus, (T, B), currency/kWh.

    Attributes
    ----------
    energy : price upstream, with the multiplier of the exchange limit; the same at all buses.
    loss : what the losses cost that one more kW causes.
    congestion : what the limits of the lines on the way to the bus add.
    voltage : what the voltage limits add.
    remainder : the price less its parts: how far the price is from one at which the operator
        would choose that delivery, or the multiplier of the bus's own demand limit.
    """

    energy: FloatArray
    loss: FloatArray
    congestion: FloatArray
    voltage: FloatArray
    remainder: FloatArray

    @property
    def total(self) -> FloatArray:
        """Sum of the four parts, (T, B)."""
        return self.energy + self.loss + self.congestion + self.voltage


def price_parts(
    problem: OperatorProblem, demand_kw: ArrayLike, price_per_kwh: ArrayLike
) -> PriceParts:
    r"""Explain the price at which an operator delivers a demand.

    The multipliers are those of the operator's answer to the price, kept near the demand by a
    proximal term, min cost(x) - dt price.x + sum k (x - d)^2 / 2 with k = dt x price level /
    demand limit. Where the price supports the demand, x = d whatever k is. The parts are

    .. math::
        \lambda_b = \underbrace{\pi + \tfrac{\epsilon}{\Delta}}_{energy}
        + \underbrace{c \tfrac{2}{S} \sum_j R_{bj} d_j}_{loss}
        + \underbrace{\tfrac1\Delta \sum_l \mu_l T_{lb}}_{congestion}
        + \underbrace{\tfrac1\Delta \tfrac2S \sum_j R_{jb} \nu_j}_{voltage}.

    Parameters
    ----------
    problem : OperatorProblem
    demand_kw : (T, B)
        What the operator delivers at the trading buses.
    price_per_kwh : (T, B)
        The prices of the clearing, currency/kWh.

    Raises
    ------
    ValueError
        If a shape or value is wrong.
    """
    demand = checked_array("demand_kw", demand_kw, problem.shape)
    price = checked_array("price_per_kwh", price_per_kwh, problem.shape)
    hours = problem.slot_hours
    level = max(float(np.abs(price).mean()), float(np.abs(problem.retail_price_per_kwh).mean()))
    nearness = hours * max(level, 1e-6) / np.maximum(problem.demand_limit_kw, 1e-3)
    answer = problem.answer(-hours * price - nearness * demand, nearness)

    feeder, multipliers = problem.feeder, answer.multipliers
    model, at = LinDistFlow(feeder), feeder.bus_positions(problem.trading_buses)
    behind = model.downstream[:, at].toarray()
    drop = 2.0 * model.resistance_sensitivity(problem.trading_buses) / feeder.base_kva
    upstream = multipliers.energy_price_per_kwh + multipliers.exchange / hours
    upstream += problem.price_slope_per_kw2h * answer.demand_kw.sum(axis=1)
    parts = {
        "energy": np.tile(upstream[:, None], (1, problem.shape[1])),
        "loss": problem.marginal_loss_cost(answer.demand_kw) / hours,
        "congestion": multipliers.line @ behind / hours,
        "voltage": multipliers.voltage @ drop / hours,
    }
    return PriceParts(**parts, remainder=price - sum(parts.values()))
