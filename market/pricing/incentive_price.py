"""Incentive price: energy shared inside costs feed-in plus a share of the spread to retail."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.pricing.slot_inputs import share, slot_inputs


def incentive_price(
    surplus_kwh: ArrayLike,
    deficit_kwh: ArrayLike,
    retail_price: ArrayLike,
    feed_in_price: ArrayLike,
    *,
    spread_share: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the incentive prices per slot (reconstructed; see the note).

    One price for all energy shared inside, with G the surplus, D the deficit, lb the retail and
    ls the feed-in price, and theta the sellers' share of the spread::

        price = ls + theta (lb - ls)
        G >= D   buy = price                              sell = (D price + (G - D) ls) / G
        G <  D   buy = (G price + (D - G) lb) / D         sell = price

    theta = 1/2 is the mid-market rate. The side that is long shares what the utility pays or asks
    for the rest, so buy D = sell G + lb max(D - G, 0) - ls max(G - D, 0).

    Parameters
    ----------
    surplus_kwh, deficit_kwh : array_like
        Total surplus G of the sellers and total deficit D of the buyers per slot, kWh, >= 0.
    retail_price, feed_in_price : array_like
        The utility's prices lb and ls per slot, currency/kWh, ls <= lb; they may be negative.
    spread_share : float
        theta in [0, 1]: 0 leaves the whole spread to the buyers, 1 to the sellers.

    Returns
    -------
    buy_price, sell_price : ndarray
        What a buyer pays and a seller receives per kWh, of the broadcast shape (numpy scalars
        for scalars). Where a side is empty its price is what a first, vanishingly small, member
        would see.

    Raises
    ------
    ValueError
        If theta is outside [0, 1], an input is not finite, a quantity is negative or ls > lb.

    Notes
    -----
    The rule is described in the literature as a price set between the tariffs as an incentive;
    what happens to the energy exchanged with the utility is our reading, after the mid-market
    rate.
    """
    if not 0 <= spread_share <= 1:
        raise ValueError(f"spread_share must lie in [0, 1], got {spread_share:g}")
    surplus, deficit, retail, feed_in = slot_inputs(
        surplus_kwh, deficit_kwh, retail_price, feed_in_price
    )
    inside = feed_in + spread_share * (retail - feed_in)
    exported = share(np.maximum(surplus - deficit, 0.0), surplus)
    imported = share(np.maximum(deficit - surplus, 0.0), deficit)
    return inside + imported * (retail - inside), inside + exported * (feed_in - inside)
