r"""Charges per pair as tolls on a tree: what each edge on the path between two buses asks for.

The uniform charge, the charge by the number of lines and the zonal charge are all sums over the
path between seller and buyer, on the right tree. Trades are then a flow on it: with d (B,) taken at
the buses, edge e carries f_e = A_e d, and the trades that cost least pay

.. math:: \sum_e w_e |f_e| .

Prices at which nobody gains by another partner differ along an edge by y_e in [-w_e, w_e], at the
bound where power flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow


@dataclass(frozen=True, eq=False)
class Tolls:
    """Tolls on the edges of a tree that is rooted where the utility is.

    Parameters
    ----------
    rows : (E, B) 1 where a bus is behind an edge, seen from the root
    per_kwh : (E,) toll of each edge, currency/kWh, at least 0
    """

    rows: FloatArray
    per_kwh: FloatArray

    def scaled(self, factor: float) -> Tolls:
        """The same tolls times a factor."""
        return Tolls(self.rows, factor * self.per_kwh)

    def pair_charges(self) -> FloatArray:
        """(1 + B, 1 + B) charge between every two buses; the root first."""
        behind = np.hstack([np.zeros((len(self.rows), 1)), self.rows])
        apart = np.abs(behind[:, :, None] - behind[:, None, :])
        return np.asarray(np.einsum("e,eij->ij", self.per_kwh, apart))

    def paid(self, energy_kwh: ArrayLike) -> float:
        """What (T, B) energy taken at the buses pays, by the trades that pay least; currency."""
        flow = np.abs(np.asarray(energy_kwh, dtype=np.float64) @ self.rows.T)
        return float((flow @ self.per_kwh).sum())


def uniform_tolls(count: int, rate_per_kwh: float) -> Tolls:
    """The same charge between any two of `count` buses and the root: a star, half at each end."""
    return Tolls(
        np.vstack([np.ones((1, count)), np.eye(count)]), np.full(1 + count, _half(rate_per_kwh))
    )


def distance_tolls(feeder: Feeder, buses: ArrayLike, rate_per_kwh: float) -> Tolls:
    """A toll for every line of the path: `distance_charges` by power transfer, the root included.

    `rate_per_kwh` is the charge of a pair at the mean distance.
    """
    rows = LinDistFlow(feeder).downstream[:, feeder.bus_positions(buses)].toarray()
    rows = rows[rows.any(axis=1)]
    whole = Tolls(rows, np.ones(len(rows)))
    distance = whole.pair_charges()
    mean = float(distance.sum()) / (len(distance) * (len(distance) - 1))
    return whole.scaled(2 * _half(rate_per_kwh) / mean)


def zonal_tolls(
    feeder: Feeder, buses: ArrayLike, zone_of_bus: Mapping[int, str], fee_per_kwh: float
) -> Tolls:
    """The same fee for every zone that a path touches: `zonal_charges`, the root included.

    Half a fee to enter the first zone and half to leave the last, a fee between two.

    Raises
    ------
    ValueError
        If a zone is in pieces: names it.
    """
    half, at = _half(fee_per_kwh), feeder.bus_positions(buses)
    behind = LinDistFlow(feeder).downstream[:, at].toarray()
    borders, entered = [], [zone_of_bus[feeder.root_bus]]
    for line in range(feeder.line_count):
        near, far = (zone_of_bus[int(end[line])] for end in (feeder.from_bus, feeder.to_bus))
        if near != far:
            if far in entered:
                raise ValueError(f"zone {far} of feeder {feeder.name} is in pieces")
            entered.append(far)
            borders.append(behind[line])
    ends = np.vstack([np.ones((1, len(at))), np.eye(len(at))])
    between = np.array(borders).reshape(-1, len(at))
    tolls = np.concatenate([np.full(len(ends), half), np.full(len(between), 2 * half)])
    return Tolls(np.vstack([ends, between]), tolls)


def laterals(feeder: Feeder) -> dict[int, str]:
    """Zones of a feeder: the longest path from the root, and every lateral that leaves it.

    Returns the zone of every bus: "main", or "lateral" and the lateral's first bus.
    """
    before = dict(zip(feeder.to_bus.tolist(), feeder.from_bus.tolist()))
    depth = {feeder.root_bus: 0}
    for bus, parent in before.items():
        depth[bus] = depth[parent] + 1
    zone, bus = {feeder.root_bus: "main"}, max(depth, key=lambda label: (depth[label], -label))
    while bus != feeder.root_bus:
        zone[bus] = "main"
        bus = before[bus]
    for bus, parent in before.items():
        zone.setdefault(bus, f"lateral {bus}" if zone[parent] == "main" else zone[parent])
    return zone


def _half(rate_per_kwh: float) -> float:
    if not 0 <= rate_per_kwh < np.inf:
        raise ValueError(f"a rate of {rate_per_kwh} currency/kWh must be finite and at least 0")
    return rate_per_kwh / 2
