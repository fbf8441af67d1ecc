"""A lower bound of the operator's least cost, valid for any multipliers (weak duality)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.operator_terms import OperatorTerms


@dataclass(frozen=True, eq=False)
class OperatorMultipliers:
    """Multipliers of the operator's limits, and the point at which its losses are linearised.

    Signs: positive where the upper side binds. Any values give a valid bound.

    Attributes
    ----------
    reference_kw : (S, B) array
        Delivery at which the losses are linearised.
    energy_price_per_kwh : (S,) array
        Price of the exchange upstream, between feed-in and retail price.
    exchange : (S,) array
        Currency/kW; positive: import limit, negative: export limit.
    line : (S, L) array
        Currency/kW; positive: limit on the flow away from the root, negative: towards it.
    voltage : (S, n) array
        Currency per pu squared; positive: lowest voltage, negative: highest voltage.
    """

    reference_kw: FloatArray
    energy_price_per_kwh: FloatArray
    exchange: FloatArray
    line: FloatArray
    voltage: FloatArray


def operator_dual_bound(
    terms: OperatorTerms, linear: FloatArray, multipliers: OperatorMultipliers
) -> float:
    r"""Lower bound of min over the feasible d of cost(d) + linear.d, currency.

    With max(b D, a D) >= pi D for any price pi in [a, b], the quadratics of losses, deviations
    and sloping price replaced by their tangent at a reference delivery r
    (d'Qd/2 >= r'Qr/2 + (Qr)'(d - r); what deviations have besides, q'd, stays as it is),
    and multipliers y of the limits lower <= A d <= upper, a lower bound for every d in the box
    |d| <= dmax is

    .. math::
        const - r'Qr/2 - y_+'upper + y_-'lower - \sum_b |g_b| dmax_b, \quad
        g = linear + q + dt \, \pi + Q r + A'y.

    Prices are clipped to [a, b], and a multiplier of a limit that does not exist counts as 0, so
    the bound holds whatever is handed in. It is tight at the multipliers of a minimiser.
    """
    limits, dt = terms.limits, terms.slot_hours
    price = np.clip(
        multipliers.energy_price_per_kwh, terms.feed_in_price_per_kwh, terms.retail_price_per_kwh
    )
    signed = np.hstack(
        [
            multipliers.exchange[:, None],
            multipliers.line[:, limits.lines],
            multipliers.voltage[:, limits.buses] / limits.volt_scale,
        ]
    )
    towards_upper = np.where(np.isfinite(limits.upper), np.maximum(signed, 0.0), 0.0)
    towards_lower = np.where(np.isfinite(limits.lower), np.maximum(-signed, 0.0), 0.0)
    upper = np.where(np.isfinite(limits.upper), limits.upper, 0.0)
    lower = np.where(np.isfinite(limits.lower), limits.lower, 0.0)

    reference = multipliers.reference_kw
    curved = terms.marginal_loss_cost(reference) + terms.marginal_slope_cost(reference)
    deviation = terms.marginal_deviation_cost(reference)
    gradient = linear + dt * price[:, None] + curved + deviation
    gradient += (towards_upper - towards_lower) @ limits.rows
    nothing = np.zeros_like(reference)
    constant = terms.loss_cost(nothing).sum() + terms.beyond_money(nothing).sum()
    at_rest = terms.marginal_deviation_cost(nothing)
    constant -= 0.5 * np.sum(reference * (curved + deviation - at_rest))
    limit_part = np.sum(towards_lower * lower) - np.sum(towards_upper * upper)
    return float(constant + limit_part - np.sum(np.abs(gradient) * terms.demand_limit_kw))
