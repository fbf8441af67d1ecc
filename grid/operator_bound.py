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
    reference : (S, B + Q) array
        Decision (d, q) at which the losses are linearised, kW and kvar.
    energy_price_per_kwh : (S,) array
        Price of the exchange upstream, between feed-in and retail price.
    rows : (S, M) array
        Of the rows of `OperatorLimits`, currency/kW.
    """

    reference: FloatArray
    energy_price_per_kwh: FloatArray
    rows: FloatArray


def operator_dual_bound(
    terms: OperatorTerms, linear: FloatArray, multipliers: OperatorMultipliers
) -> float:
    r"""Lower bound of min over the feasible (d, q) of cost + linear.d, currency.

    With max(b D, a D) >= pi D for any price pi in [a, b], the quadratics of losses, deviations
    and sloping price replaced by their tangent at a reference decision r
    (x'Hx/2 >= r'Hr/2 + (Hr)'(x - r); what is linear in x besides, h'x, stays as it is),
    and multipliers y of the limits lower <= A x <= upper, a lower bound for every x = (d, q) in
    the box |x| <= xmax is

    .. math::
        const - r'Hr/2 - y_+'upper + y_-'lower - \sum_c |g_c| xmax_c, \quad
        g = linear + h + dt \, \pi A_1 + H r + A'y,

    A_1 the row of the exchange.
    Prices are clipped to [a, b], and a multiplier of a limit that does not exist counts as 0, so
    the bound holds whatever is handed in. It is tight at the multipliers of a minimiser.
    """
    limits, dt = terms.limits, terms.slot_hours
    price = np.clip(
        multipliers.energy_price_per_kwh, terms.feed_in_price_per_kwh, terms.retail_price_per_kwh
    )
    signed = multipliers.rows
    towards_upper = np.where(np.isfinite(limits.upper), np.maximum(signed, 0.0), 0.0)
    towards_lower = np.where(np.isfinite(limits.lower), np.maximum(-signed, 0.0), 0.0)
    upper = np.where(np.isfinite(limits.upper), limits.upper, 0.0)
    lower = np.where(np.isfinite(limits.lower), limits.lower, 0.0)

    reference, nothing = multipliers.reference, np.zeros_like(multipliers.reference)
    quadratic = terms.quadratic
    marginal, at_rest = quadratic.gradient(reference), quadratic.gradient(nothing)
    gradient = dt * price[:, None] * limits.rows[0] + marginal
    gradient[:, : terms.shape[1]] += linear
    gradient += (towards_upper - towards_lower) @ limits.rows
    constant = quadratic.at_rest() - 0.5 * np.sum(reference * (marginal - at_rest))
    limit_part = np.sum(towards_lower * lower) - np.sum(towards_upper * upper)
    return float(constant + limit_part - np.sum(np.abs(gradient) * terms.decision_limit))
