"""Losses by the Shapley value: what each adds, over all orders in which they might come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.loss_allocation.checks import checked_flows
from nashgrid.grid.power_flow import ac_power_flow

EXACT_UP_TO = 12
"""Participants for whom all 2^N coalitions are solved."""
_BATCH = 4096

Losses = Callable[[FloatArray, FloatArray], FloatArray]
"""(S, n) active and reactive power taken -> (S,) losses, kW."""


@dataclass(frozen=True, eq=False)
class ShapleyLosses:
    """Shares of one slot, kW, in the order of the buses, and how they were found.

    Attributes
    ----------
    share_kw : (N,) array, sums to the losses
    standard_error_kw : (N,) array; zero where the shares are exact
    orders : number of orders sampled, 0 where all coalitions were counted
    """

    share_kw: FloatArray
    standard_error_kw: FloatArray
    orders: int


def shapley_losses(
    feeder: Feeder,
    buses: ArrayLike,
    power_kw: ArrayLike,
    reactive_kvar: ArrayLike,
    *,
    losses: Losses | None = None,
    orders: int = 200,
    seed: int = 0,
    root_voltage_pu: float = 1.0,
) -> ShapleyLosses:
    r"""Share the losses of one slot among the powers at some buses (Shapley 1953).

    .. math::
        L_i = \sum_{C \not\ni i} \frac{|C|! (N - |C| - 1)!}{N!} (L(C \cup i) - L(C)),

    L(C) being the losses when only the members of C take their power; everybody else's stays as
    it is, and what is lost without any member is shared equally. Exact for up to 12 buses; beyond,
    the mean over random orders, each of which shares out the losses in full.

    Parameters
    ----------
    buses : (N,) labels
        Who shares.
    power_kw, reactive_kvar : (n,)
        What every bus of the feeder takes.
    losses : callable
        AC power flow if not given.
    orders, seed : int
        How many orders are sampled, for more than 12 buses.

    Raises
    ------
    ValueError
        If a shape or value is wrong, or the power flow of a coalition does not converge.
    """
    power, reactive = checked_flows(
        feeder, np.atleast_2d(np.asarray(power_kw)), np.atleast_2d(np.asarray(reactive_kvar))
    )
    at = feeder.bus_positions(buses)
    if len(set(at.tolist())) < len(at) or not len(at):
        raise ValueError(f"buses {np.asarray(buses).tolist()} must be different, at least one")
    if orders < 2:
        raise ValueError(f"orders {orders} must be at least 2")

    def ac_losses(active: FloatArray, reactive_power: FloatArray) -> FloatArray:
        return ac_power_flow(feeder, active, reactive_power, root_voltage_pu).losses_kw

    def value(members: FloatArray) -> FloatArray:
        present = np.ones((len(members), feeder.bus_count))
        present[:, at] = members
        return (losses or ac_losses)(present * power[0], present * reactive[0])

    if len(at) <= EXACT_UP_TO:
        return ShapleyLosses(_all_coalitions(value, len(at)), np.zeros(len(at)), 0)
    return _sampled(value, len(at), orders, seed)


def _all_coalitions(value: Callable[[FloatArray], FloatArray], count: int) -> FloatArray:
    code = np.arange(2**count)
    members = (code[:, None] >> np.arange(count) & 1).astype(np.float64)
    worth = value(members)
    size = members.sum(axis=1).astype(np.int64)
    weight = np.array(
        [1.0 / (count * math.comb(count - 1, n)) if n < count else 0.0 for n in range(count + 1)]
    )
    share = np.full(count, worth[0] / count)
    for one in range(count):
        without = code[members[:, one] == 0]
        gain = worth[without | 1 << one] - worth[without]
        share[one] += weight[size[without]] @ gain
    return share


def _sampled(
    value: Callable[[FloatArray], FloatArray], count: int, orders: int, seed: int
) -> ShapleyLosses:
    rng = np.random.default_rng(seed)
    added = np.zeros((orders, count))
    per_batch = max(_BATCH // (count + 1), 1)
    for first in range(0, orders, per_batch):
        batch = range(first, min(first + per_batch, orders))
        order = np.array([rng.permutation(count) for _ in batch])
        # Along an order, its first k members are present.
        rank = np.argsort(order, axis=1)
        members = (rank[:, None, :] < np.arange(count + 1)[None, :, None]).astype(np.float64)
        worth = value(members.reshape(-1, count)).reshape(len(order), count + 1)
        steps = np.diff(worth, axis=1)
        added[first : first + len(order)] = (
            np.take_along_axis(steps, rank, axis=1) + worth[:, :1] / count
        )
    error = added.std(axis=0, ddof=1) / math.sqrt(orders)
    return ShapleyLosses(added.mean(axis=0), error, orders)
