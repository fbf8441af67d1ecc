"""What every sharing price starts from: checked quantities and tariffs, one entry per slot."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class SlotInputs(NamedTuple):
    """Quantities and tariffs of the slots, broadcast to one shape."""

    surplus_kwh: NDArray[np.float64]
    deficit_kwh: NDArray[np.float64]
    retail_price: NDArray[np.float64]
    feed_in_price: NDArray[np.float64]


def slot_inputs(
    surplus_kwh: ArrayLike,
    deficit_kwh: ArrayLike,
    retail_price: ArrayLike,
    feed_in_price: ArrayLike,
) -> SlotInputs:
    """Check the four inputs of a sharing price and broadcast them to one shape.

    Parameters
    ----------
    surplus_kwh, deficit_kwh : array_like
        Total surplus G of the sellers and total deficit D of the buyers per slot, kWh, >= 0.
    retail_price, feed_in_price : array_like
        The utility's prices lb and ls per slot, currency/kWh, ls <= lb.

    Returns
    -------
    SlotInputs
        The four arrays, all of the broadcast shape.

    Raises
    ------
    ValueError
        If an entry is not finite, a quantity is negative, a feed-in price exceeds the retail
        price of its slot, or the shapes do not broadcast.
    """
    named = {
        "surplus_kwh": surplus_kwh,
        "deficit_kwh": deficit_kwh,
        "retail_price": retail_price,
        "feed_in_price": feed_in_price,
    }
    arrays = [np.asarray(value, dtype=np.float64) for value in named.values()]
    for name, array in zip(named, arrays, strict=True):
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    for name, array in zip(list(named)[:2], arrays[:2], strict=True):
        if np.any(array < 0):
            raise ValueError(f"{name} must be >= 0 kWh, got {array.min():g} kWh")
    inputs = SlotInputs(*np.broadcast_arrays(*arrays))
    wrong = inputs.feed_in_price > inputs.retail_price
    if np.any(wrong):
        raise ValueError(
            f"feed_in_price {inputs.feed_in_price[wrong][0]:g} currency/kWh exceeds "
            f"retail_price {inputs.retail_price[wrong][0]:g} currency/kWh"
        )
    return inputs


def share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part / whole, and 0 where the whole is 0 (nobody is there to share)."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
