"""Charges by the zones of the feeder that a trade passes through."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow


def zonal_charges(
    feeder: Feeder,
    buses: ArrayLike,
    zone_of_bus: Mapping[int, str],
    fee_per_kwh: Mapping[str, float],
) -> FloatArray:
    """A trade pays the fee of every zone that its path touches, (B, B) (Baroche et al. 2019).

    Within a bus nothing is paid.

    Parameters
    ----------
    buses : (B,) labels
    zone_of_bus : mapping
        Zone of every bus of the feeder.
    fee_per_kwh : mapping
        Fee of every zone, at least 0.

    Raises
    ------
    ValueError
        Names a bus without zone, a zone without fee, or a negative fee.
    """
    at = feeder.bus_positions(buses)
    for bus in feeder.buses.tolist():
        if bus not in zone_of_bus:
            raise ValueError(f"bus {bus} of feeder {feeder.name} has no zone")
        if zone_of_bus[bus] not in fee_per_kwh:
            raise ValueError(f"zone {zone_of_bus[bus]} of bus {bus} has no fee")
    for zone, fee in fee_per_kwh.items():
        if not 0 <= fee < np.inf:
            raise ValueError(f"the fee {fee} of zone {zone} must be finite and at least 0")

    behind = LinDistFlow(feeder).downstream[:, at].toarray().astype(bool)
    used = behind[:, :, None] != behind[:, None, :]
    near, far = feeder.bus_positions(feeder.from_bus), feeder.bus_positions(feeder.to_bus)
    zones = np.array([zone_of_bus[bus] for bus in feeder.buses.tolist()])
    charges = np.zeros((len(at), len(at)))
    for zone, fee in fee_per_kwh.items():
        inside = zones == zone
        touching = inside[near] | inside[far]
        charges += fee * used[touching].any(axis=0)
    return charges
