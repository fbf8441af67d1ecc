"""The parts of a locational price, from the sensitivities of the flows at the optimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.incidence import incidence
from nashgrid.grid.locational_price import LocationalPrice


@dataclass(frozen=True, eq=False)
class FlowPoint:
    """A state in pu: sending-end flows and squared current (L,), squared voltage (n,).

    The current is zero in LinDistFlow, which has no losses.
    """

    flow_p: FloatArray
    flow_q: FloatArray
    current: FloatArray
    squared: FloatArray


@dataclass(frozen=True, eq=False)
class LimitPressure:
    """What one more pu of a state costs through the limits that bind; currency/h per pu.

    `flow_p`, `flow_q`, `current` (L,) through the line limits, `squared` (n,) through the voltage.
    """

    flow_p: FloatArray
    flow_q: FloatArray
    current: FloatArray
    squared: FloatArray


def decompose_prices(
    feeder: Feeder,
    point: FlowPoint,
    pressure: LimitPressure,
    active_price: FloatArray,
    reactive_price: FloatArray,
    lossy: bool,
) -> tuple[LocationalPrice, LocationalPrice]:
    r"""Split prices (n,), the multipliers of the balances, into parts found apart from them.

    DistFlow, linearised at the point: with z = (P, Q, l, v) and the demand (p, q) at the buses,
    J dz = (dp, dq, 0), so that for any quantity g'z the sensitivities are the solution of
    J'y = g. With p_0, q_0 the power taken at the root and c_0, c_0' its prices,

    .. math::
        \lambda_i = c_0 + \Big(c_0 \big(\tfrac{\partial p_0}{\partial p_i} - 1\big)
        + c_0' \tfrac{\partial q_0}{\partial p_i}\Big)
        + \sum_l \mu_l \tfrac{\partial S_l}{\partial p_i}
        + \sum_j (w^{hi}_j - w^{lo}_j) \tfrac{\partial v_j}{\partial p_i}

    are energy, loss, congestion and voltage; the reactive price likewise. Not lossy: l = 0.
    """
    lines, buses = feeder.line_count, feeder.bus_count
    root = feeder.bus_positions(feeder.root_bus)[0]
    at_root = feeder.bus_positions(feeder.from_bus) == root
    none, at_all = np.zeros(lines), np.zeros(buses)
    wanted = np.column_stack(
        [
            np.concatenate([at_root, none, none, at_all]),
            np.concatenate([none, at_root, none, at_all]),
            np.concatenate([pressure.flow_p, pressure.flow_q, pressure.current, at_all]),
            np.concatenate([none, none, none, pressure.squared]),
        ]
    )
    answer = splu(_jacobian(feeder, point, lossy).T.tocsc()).solve(wanted)
    others = np.flatnonzero(np.arange(buses) != root)
    base = feeder.base_kva
    prices = []
    for at, total, own in ((0, active_price, 0), (len(others), reactive_price, 1)):
        parts = np.zeros((buses, 4))
        parts[others] = answer[at : at + len(others)]
        parts[root, own] = 1.0
        upstream = parts[:, 0] * active_price[root] + parts[:, 1] * reactive_price[root]
        prices.append(
            LocationalPrice(
                total=total,
                energy=np.full(buses, total[root]),
                loss=upstream - total[root],
                congestion=parts[:, 2] / base,
                voltage=parts[:, 3] / base,
            )
        )
    return prices[0], prices[1]


def _jacobian(feeder: Feeder, point: FlowPoint, lossy: bool) -> sparse.csc_array:
    """Rows: active and reactive balance of all buses but the root, drops, root voltage, current."""
    ends = incidence(feeder)
    enters, leaves = ends.enters[ends.others], ends.leaves[ends.others]
    begins = sparse.csr_array(ends.leaves.T)
    drops = sparse.csr_array(ends.enters.T) - begins
    r = sparse.diags_array(feeder.resistance_pu)
    x = sparse.diags_array(feeder.reactance_pu)
    net = enters - leaves
    voltage_at_start = sparse.diags_array(
        point.squared[ends.start] if lossy else np.ones(feeder.line_count)
    )
    share = 1.0 if lossy else 0.0
    root = sparse.csr_array(([1.0], ([0], [ends.root])), shape=(1, feeder.bus_count))
    blocks: list[list[sparse.sparray | None]] = [
        [net, None, -(enters @ r), None],
        [None, net, -(enters @ x), None],
        [2.0 * r, 2.0 * x, -(r @ r + x @ x), drops],
        [None, None, None, root],
        [
            sparse.diags_array(-2.0 * share * point.flow_p),
            sparse.diags_array(-2.0 * share * point.flow_q),
            voltage_at_start,
            sparse.diags_array(share * point.current) @ begins,
        ],
    ]
    return sparse.csc_array(sparse.block_array(blocks, format="csc"))
