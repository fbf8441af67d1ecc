"""Charges by the electrical distance between seller and buyer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow

Distance = Literal["thevenin", "power transfer"]


def electrical_distance(
    feeder: Feeder, buses: ArrayLike, kind: Distance = "thevenin"
) -> FloatArray:
    r"""Distance of every pair of buses, (B, B).

    "thevenin": the impedance between the two, :math:`|Z_{ii} + Z_{jj} - 2 Z_{ij}|` in pu (Cuffe
    and Keane 2017, IEEE Systems Journal 11(3)); on a radial feeder the impedance of the path.
    "power transfer": :math:`\sum_l |PTDF_{l,i} - PTDF_{l,j}|`, on a radial feeder the number of
    lines on the path (Baroche et al. 2019).

    Raises
    ------
    ValueError
        If a bus is unknown, or the kind is.
    """
    at = feeder.bus_positions(buses)
    model = LinDistFlow(feeder)
    if kind == "thevenin":
        shared = (model.resistance_sensitivity() + 1j * model.reactance_sensitivity())[at][:, at]
        own = np.diag(shared)
        return np.asarray(np.abs(own[:, None] + own[None, :] - 2.0 * shared))
    if kind == "power transfer":
        behind = model.downstream[:, at].toarray()
        both = behind.T @ behind
        lines = np.diag(both)
        return np.asarray(lines[:, None] + lines[None, :] - 2.0 * both)
    raise ValueError(f"distance {kind!r} must be 'thevenin' or 'power transfer'")


def distance_charges(
    feeder: Feeder, buses: ArrayLike, rate_per_kwh: float, kind: Distance = "thevenin"
) -> FloatArray:
    """Charges in proportion to the distance, (B, B): `rate_per_kwh` at the mean distance of pairs.

    Raises
    ------
    ValueError
        As `electrical_distance`, or if the rate is negative.
    """
    if not 0 <= rate_per_kwh < np.inf:
        raise ValueError(f"rate_per_kwh {rate_per_kwh} must be finite and at least 0")
    distance = electrical_distance(feeder, buses, kind)
    pairs = distance[~np.eye(len(distance), dtype=bool)]
    mean = float(pairs.mean()) if pairs.size else 0.0
    return distance * (rate_per_kwh / mean if mean > 0 else 0.0)
