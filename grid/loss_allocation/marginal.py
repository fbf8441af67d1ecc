"""Losses by what one more kW at the bus would lose, rescaled to the losses there are."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.loss_allocation.checks import checked_flows, checked_losses
from nashgrid.grid.loss_allocation.pro_rata import pro_rata_losses


def marginal_losses(
    feeder: Feeder, power_kw: ArrayLike, reactive_kvar: ArrayLike, losses_kw: ArrayLike
) -> FloatArray:
    r"""Share the losses by marginal losses times power (Mutale et al. 2000, IEE Proceedings 147).

    .. math::
        m_i = \frac{\partial L}{\partial p_i} p_i + \frac{\partial L}{\partial q_i} q_i, \quad
        L_i = m_i \frac{L}{\sum_j m_j}

    with the derivatives of LinDistFlow's losses. They are quadratic, so that the unscaled sum is
    twice the losses. A bus whose power relieves the wires is paid: its share is negative. Where
    the marginal terms cancel (their sum is below 1e-9 of their sizes), shares are pro rata.

    Parameters
    ----------
    power_kw, reactive_kvar : (S, n)
        What every bus of the feeder takes.
    losses_kw : (S,)
        The losses to be shared, by any model.

    Returns
    -------
    (S, n), kW; every row sums to the losses of its slot.

    Raises
    ------
    ValueError
        If a shape or value is wrong.
    """
    power, reactive = checked_flows(feeder, power_kw, reactive_kvar)
    losses = checked_losses(losses_kw, len(power))
    term = marginal_terms(feeder, power, reactive)
    total, size = term.sum(axis=1), np.abs(term).sum(axis=1)
    plain = total > 1e-9 * size
    scaled = term * (losses / np.where(plain, total, 1.0))[:, None]
    return np.where(plain[:, None], scaled, pro_rata_losses(power, losses))


def marginal_terms(feeder: Feeder, power_kw: FloatArray, reactive_kvar: FloatArray) -> FloatArray:
    """Marginal losses times power, active and reactive together, (S, n), kW."""
    model = LinDistFlow(feeder)
    per_unit = 2.0 * feeder.resistance_pu / feeder.base_kva
    terms = np.zeros_like(power_kw)
    for power in (power_kw, reactive_kvar):
        marginal = np.asarray((model.downstream.T @ (per_unit * model.flows(power)).T).T)
        terms += marginal * power
    return terms
