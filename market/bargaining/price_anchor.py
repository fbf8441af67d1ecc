"""Bargaining whose payments are anchored at prices: nobody gains less than at these prices."""

import numpy as np

from nashgrid.market.bargaining.price_band import PriceBand
from nashgrid.market.bargaining.problem import Floats


def price_gains(
    saving: Floats, bill: Floats, alone_kw: Floats, agreed_kw: Floats, price: Floats, hours: float
) -> Floats:
    """(n,) what each gains by paying its old bill, and the price for its deviation from then.

    ::

        h_i = saving_i - bill_i - dt sum_t lambda_it (p_it - p0_it)

    At least 0 where p is the best schedule at these prices and p0 is a possible one.

    Parameters
    ----------
    saving : (n,) fall of own cost before payments, the bill alone among the costs [currency]
    bill : (n,) what each paid alone [currency]
    alone_kw, agreed_kw, price : (n, T) p0, p [kW] and lambda at each one's place [currency/kWh]
    hours : dt [h]
    """
    return np.asarray(saving - bill - hours * (price * (agreed_kw - alone_kw)).sum(axis=1))


def anchored_gains(gain_at_prices: Floats, surplus: float) -> Floats:
    """(n,) Kalai-Smorodinsky gains above those at the prices.

    ::

        least_i = h_i,  ideal_i = S - sum_{j != i} h_j,  gain_i = max(r ideal_i, h_i),  sum = S

    What the h_i leave of the surplus S is what the players bargain for.
    """
    least = np.maximum(gain_at_prices, 0.0)
    # Prices of a negotiation that ends within a tolerance may promise a little more than there is.
    least *= min(1.0, surplus / least.sum()) if least.sum() > 0 else 1.0
    return PriceBand(least, np.full(len(least), surplus), surplus).kalai_smorodinsky()
