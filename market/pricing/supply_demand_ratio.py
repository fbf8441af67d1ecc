"""Supply-demand ratio: the price falls as the community's own supply meets its demand."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.pricing.slot_inputs import share, slot_inputs


def supply_demand_ratio(
    surplus_kwh: ArrayLike,
    deficit_kwh: ArrayLike,
    retail_price: ArrayLike,
    feed_in_price: ArrayLike,
    *,
    compensation: ArrayLike = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the supply-demand-ratio prices per slot.

    With R = G / D, retail price lb, feed-in price ls, compensation c and lc = ls + c::

        R <= 1   sell = lc lb / ((lb - lc) R + lc)      buy = sell R + lb (1 - R)
        R >  1   sell = ls + c / R                      buy = ls + c

    Buyers pay what sellers and the utility receive:
    buy D = sell G + lb max(D - G, 0) - ls max(G - D, 0).

    Parameters
    ----------
    surplus_kwh, deficit_kwh : array_like
        Total surplus G of the sellers and total deficit D of the buyers per slot, kWh, >= 0.
    retail_price, feed_in_price : array_like
        The utility's prices lb and ls per slot, currency/kWh, 0 <= ls <= lb.
    compensation : array_like, optional
        c in [0, lb - ls], currency/kWh: what a seller gets above the feed-in price for energy
        used inside the community. 0, the default, is the rule of Liu et al.

    Returns
    -------
    buy_price, sell_price : ndarray
        What a buyer pays and a seller receives per kWh, of the broadcast shape (numpy scalars
        for scalars). Without buyers R is infinite: sell = ls, buy = ls + c. A slot without
        buyers and sellers takes R = 0, the retail price on both sides; nobody pays it.

    Raises
    ------
    ValueError
        If an input is not finite, a quantity is negative, ls > lb, a price is negative, c is
        outside [0, lb - ls], or the ratio is 0/0: ls + c = 0 with no surplus or with lb = 0.

    References
    ----------
    Liu, Yu, Wang, Li, Ma, Lei 2017, Energy-sharing model with price-based demand response for
    microgrids of peer-to-peer prosumers, IEEE Transactions on Power Systems 32(5).
    Zhou, Wu, Long 2018, Evaluation of peer-to-peer energy sharing mechanisms based on a
    multiagent simulation framework, Applied Energy 222 (the compensation).
    """
    surplus, deficit, retail, feed_in = slot_inputs(
        surplus_kwh, deficit_kwh, retail_price, feed_in_price
    )
    extra = np.asarray(compensation, dtype=np.float64)
    surplus, deficit, retail, feed_in, extra = np.broadcast_arrays(
        surplus, deficit, retail, feed_in, extra
    )
    _check_prices(retail, feed_in, extra)
    base = np.minimum(feed_in + extra, retail)
    short = surplus <= deficit
    ratio = share(np.minimum(surplus, deficit), deficit)  # above 1 it is not asked for
    denominator = (retail - base) * ratio + base
    undefined = short & (denominator <= 0)
    if np.any(undefined):
        raise ValueError(
            "the supply-demand ratio price is 0/0 where feed_in_price + compensation is 0 "
            f"currency/kWh and there is no surplus (or the retail price is 0): "
            f"{np.count_nonzero(undefined)} of {undefined.size} slots"
        )
    sell_short = np.divide(base * retail, denominator, out=np.zeros_like(base), where=short)
    buy_short = sell_short * ratio + retail * (1.0 - ratio)
    sell_long = feed_in + extra * share(deficit, surplus)
    buy, sell = np.where(short, buy_short, base), np.where(short, sell_short, sell_long)
    return buy[()], sell[()]


def _check_prices(
    retail: NDArray[np.float64], feed_in: NDArray[np.float64], extra: NDArray[np.float64]
) -> None:
    """Refuse the prices for which the rule has no meaning."""
    if np.any(feed_in < 0):
        raise ValueError(
            "the supply-demand ratio needs feed_in_price >= 0 currency/kWh, "
            f"got {feed_in.min():g} currency/kWh"
        )
    # One rounding unit of slack: lb - ls written by the caller need not round as ours does.
    room = (retail - feed_in) * (1.0 + 1e-12)
    if not np.all((extra >= 0) & (extra <= room)):
        raise ValueError(
            "compensation must lie in [0, retail_price - feed_in_price] = "
            f"[0, {(retail - feed_in).min():g}] currency/kWh, "
            f"got {extra.min():g} to {extra.max():g} currency/kWh"
        )
