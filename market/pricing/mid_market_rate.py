"""Mid-market rate: inside the community energy costs the mean of retail and feed-in price."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.pricing.slot_inputs import share, slot_inputs


def mid_market_rate(
    surplus_kwh: ArrayLike,
    deficit_kwh: ArrayLike,
    retail_price: ArrayLike,
    feed_in_price: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mid-market prices per slot.

    With G the surplus, D the deficit, lb the retail and ls the feed-in price, and
    mid = (lb + ls) / 2::

        G = D   buy = mid                              sell = mid
        G > D   buy = mid                              sell = (D mid + (G - D) ls) / G
        G < D   buy = (G mid + (D - G) lb) / D         sell = mid

    The side that is short gets the mid price; the other shares what the utility pays or asks
    for the rest, so buy D = sell G + lb max(D - G, 0) - ls max(G - D, 0).

    Parameters
    ----------
    surplus_kwh, deficit_kwh : array_like
        Total surplus G of the sellers and total deficit D of the buyers per slot, kWh, >= 0.
    retail_price, feed_in_price : array_like
        The utility's prices lb and ls per slot, currency/kWh, ls <= lb; they may be negative.

    Returns
    -------
    buy_price, sell_price : ndarray
        What a buyer pays and a seller receives per kWh, of the broadcast shape (numpy scalars
        for scalars). Where a side is empty its price is what the formula quotes to a first,
        vanishingly small, member: mid when the other side is there, mid too in an empty slot.

    Raises
    ------
    ValueError
        If an input is not finite, a quantity is negative or ls > lb.

    References
    ----------
    Long, Wu, Zhang, Thomas, Jenkins 2017, Peer-to-peer energy trading in a community microgrid,
    IEEE Power & Energy Society General Meeting.
    """
    surplus, deficit, retail, feed_in = slot_inputs(
        surplus_kwh, deficit_kwh, retail_price, feed_in_price
    )
    mid = (retail + feed_in) / 2.0
    exported = share(np.maximum(surplus - deficit, 0.0), surplus)
    imported = share(np.maximum(deficit - surplus, 0.0), deficit)
    return mid + imported * (retail - mid), mid + exported * (feed_in - mid)
