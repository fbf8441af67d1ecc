"""Incentive by proportion: the savings go to those who trade, by the energy they trade."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.pricing.slot_inputs import share


def incentive_proportional(
    cost_before: ArrayLike, own_cost: ArrayLike, energy_kwh: ArrayLike, surplus: float
) -> NDArray[np.float64]:
    """Return the payments that share the savings by energy traded (reconstructed; see the note).

    With C0 the cost with the utility alone, C the own cost before payments, y the energy traded
    and S the savings of all::

        gain_i = S y_i / sum y        payment_i = C0_i - C_i - gain_i

    Nobody loses as long as S >= 0. Where nobody trades there is nothing to share by, and everybody
    comes out even.

    Parameters
    ----------
    cost_before, own_cost : (n,) array_like
        C0 and C [currency].
    energy_kwh : (n,) array_like
        y >= 0, bought and sold [kWh].
    surplus : float
        S [currency].

    Returns
    -------
    (n,) array
        What each pays [currency]; negative amounts are received.

    Raises
    ------
    ValueError
        If an energy is negative or a number is not finite.

    Notes
    -----
    A one-pass rule, without iteration: how the literature's incentive mechanisms divide the
    savings among those who made them is reconstructed here, not copied.
    """
    before, own, energy = (np.asarray(v, float) for v in (cost_before, own_cost, energy_kwh))
    if not all(np.isfinite(values).all() for values in (before, own, energy, surplus)):
        raise ValueError("costs, energy and surplus must be finite")
    if (energy < 0).any():
        raise ValueError(f"energy_kwh must be >= 0 kWh, got {energy.min():g} kWh")
    whole = np.broadcast_to(energy.sum(), energy.shape)
    return np.asarray(before - own - surplus * share(energy, whole))
