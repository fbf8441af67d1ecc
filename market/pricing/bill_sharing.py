"""Bill sharing: the community's import bill and export income, split by energy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.pricing.slot_inputs import share, slot_inputs


def bill_sharing(
    surplus_kwh: ArrayLike,
    deficit_kwh: ArrayLike,
    retail_price: ArrayLike,
    feed_in_price: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bill-sharing prices per slot.

    The import bill is shared pro rata over the kWh that buyers took, the export income over the
    kWh that sellers gave (G surplus, D deficit, lb retail, ls feed-in price)::

        buy = lb max(D - G, 0) / D        sell = ls max(G - D, 0) / G

    Energy shared inside the community is free, so a seller may earn less than the feed-in price
    and a buyer never pays more than retail: the rule is **not individually rational** for
    sellers.

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
        for scalars). The price of a side with nobody on it is 0: it has nothing to share.

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
    imported = share(np.maximum(deficit - surplus, 0.0), deficit)
    exported = share(np.maximum(surplus - deficit, 0.0), surplus)
    return retail * imported, feed_in * exported
