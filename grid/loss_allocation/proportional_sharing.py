"""Losses traced upstream: every line's losses belong to those whose power flows through it."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.loss_allocation.checks import checked_flows, checked_losses
from nashgrid.grid.loss_allocation.pro_rata import pro_rata_losses

_NO_FLOW_KW = 1e-12


def proportional_sharing_losses(
    feeder: Feeder, power_kw: ArrayLike, reactive_kvar: ArrayLike, losses_kw: ArrayLike
) -> FloatArray:
    r"""Trace flows from where power enters to where it is taken (Bialek 1996, IEE Proceedings 143).

    At every bus what flows in mixes perfectly, so that each outflow is made of the inflows in
    their proportions. The losses of a line, r (P^2 + Q^2) / S, go to the loads at the far ends of
    what flows through it in proportion to the power each gets from it (tracing losses to loads;
    the root counts as a load where the feeder exports). Line losses are rescaled to `losses_kw`.

    Parameters
    ----------
    power_kw, reactive_kvar : (S, n)
        What every bus of the feeder takes. Tracing follows active power; the root's own entry is
        not used, it takes or gives the balance.
    losses_kw : (S,)
        The losses to be shared, by any model.

    Returns
    -------
    (S, n), kW, never negative; every row sums to the losses of its slot.

    Raises
    ------
    ValueError
        If a shape or value is wrong.
    """
    power, reactive = checked_flows(feeder, power_kw, reactive_kvar)
    losses = checked_losses(losses_kw, len(power))
    model = LinDistFlow(feeder)
    flow = model.flows(power)
    lost = (flow**2 + model.flows(reactive) ** 2) * feeder.resistance_pu / feeder.base_kva
    shares = np.array([_trace(feeder, p, f, lo) for p, f, lo in zip(power, flow, lost)])
    total = shares.sum(axis=1)
    scaled = shares * (losses / np.where(total > 0, total, 1.0))[:, None]
    return np.where((total > 0)[:, None], scaled, pro_rata_losses(power, losses))


def _trace(feeder: Feeder, power: FloatArray, flow: FloatArray, lost: FloatArray) -> FloatArray:
    """Line losses carried along the flows until a load takes them, (n,)."""
    near, far = feeder.bus_positions(feeder.from_bus), feeder.bus_positions(feeder.to_bus)
    root = int(feeder.bus_positions(feeder.root_bus)[0])
    taken = np.maximum(power, 0.0)
    # The root takes what is exported; what others deliver enters the wires and carries no losses.
    taken[root] = max(-float(flow[near == root].sum()), 0.0)
    source = np.where(flow >= 0, near, far)
    target = np.where(flow >= 0, far, near)
    size = np.abs(flow)
    leaving = taken + np.bincount(source, weights=size, minlength=feeder.bus_count)
    carried = np.zeros(feeder.bus_count)
    share = np.zeros(feeder.bus_count)
    outgoing: list[list[int]] = [[] for _ in range(feeder.bus_count)]
    waiting = np.zeros(feeder.bus_count, dtype=np.int64)
    for line in range(feeder.line_count):
        outgoing[source[line]].append(line)
        waiting[target[line]] += 1
    # A tree whose lines have directions has no cycle: every bus has its turn once all that flows
    # into it is known.
    ready = np.flatnonzero(waiting == 0).tolist()
    while ready:
        bus = ready.pop()
        through = leaving[bus] if leaving[bus] > _NO_FLOW_KW else np.inf
        share[bus] = carried[bus] * taken[bus] / through
        for line in outgoing[bus]:
            passed = carried[bus] * size[line] / through
            carried[target[line]] += passed + lost[line]
            waiting[target[line]] -= 1
            if waiting[target[line]] == 0:
                ready.append(int(target[line]))
    return share
