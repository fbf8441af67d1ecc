"""Charges as the difference of locational prices between buyer and seller."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray


def price_difference_charges(price_per_kwh: ArrayLike) -> FloatArray:
    r"""Charge of a trade from bus i to bus j, :math:`\lambda_j - \lambda_i`, (T, B, B).

    A negative charge is paid to the trade: it relieves the wires. Trades that clear at these
    charges pay the operator the merchandising surplus of the same prices. A schedule that is
    fixed has no such prices: they need bids for changing it (`OperatorProblem` with curvature).

    Parameters
    ----------
    price_per_kwh : (T, B)
        Locational prices, the loss part among them or not.

    Raises
    ------
    ValueError
        If the prices are no table of finite numbers.
    """
    price = np.asarray(price_per_kwh, dtype=np.float64)
    if price.ndim != 2:
        raise ValueError(f"price_per_kwh has shape {price.shape}; it needs slots and buses")
    wrong = np.argwhere(~np.isfinite(price))
    if wrong.size:
        slot, bus = wrong[0]
        raise ValueError(f"price_per_kwh of bus {bus} in slot {slot} is {price[slot, bus]}")
    return np.asarray(price[:, None, :] - price[:, :, None])
