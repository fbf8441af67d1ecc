"""Losses in proportion to what is taken or delivered, wherever that is."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray
from nashgrid.grid.loss_allocation.checks import checked_losses, checked_power


def pro_rata_losses(power_kw: ArrayLike, losses_kw: ArrayLike) -> FloatArray:
    r"""Share the losses by the size of every power, consumption and generation alike.

    .. math:: L_i = L \frac{|p_i|}{\sum_j |p_j|}

    (Conejo, Arroyo, Alguacil and Guijarro 2002, IEEE Transactions on Power Systems 17(3), with
    one rate for both sides). In equal parts where nobody takes anything.

    Parameters
    ----------
    power_kw : (S, N)
        What each of N participants takes from the wires (negative: delivers).
    losses_kw : (S,)
        The losses of each slot.

    Returns
    -------
    (S, N), kW; every row sums to the losses of its slot.

    Raises
    ------
    ValueError
        If a shape or value is wrong.
    """
    power = checked_power(power_kw)
    losses = checked_losses(losses_kw, len(power))
    return share_by(np.abs(power), losses)


def share_by(weights: FloatArray, amount: FloatArray) -> FloatArray:
    """Amounts (S,) shared in proportion to weights (S, N) >= 0; equally where all are zero."""
    total = weights.sum(axis=1, keepdims=True)
    equal = np.full_like(weights, 1.0 / max(weights.shape[1], 1))
    share = np.where(total > 0, weights / np.where(total > 0, total, 1.0), equal)
    return np.asarray(share * amount[:, None])
