"""Voltage deviation index: how far the voltages of a feeder are from their reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class VoltageDeviation:
    """Per slot, (S,): the mean and largest deviation in pu of the reference, and where it is.

    `worst_position` is the position of the bus in the order of the voltages.
    """

    index: FloatArray
    largest: FloatArray
    worst_position: IntArray


def voltage_deviation(voltage_pu: ArrayLike, reference_pu: float = 1.0) -> VoltageDeviation:
    r"""Mean of the absolute deviations over the buses, slot by slot.

    .. math:: VDI = \frac1n \sum_i \frac{|V_i - V_{ref}|}{V_{ref}}

    Parameters
    ----------
    voltage_pu : (S, n)
        Voltage magnitudes.
    reference_pu : float

    Raises
    ------
    ValueError
        If the voltages are no table of positive numbers, or the reference is not positive.
    """
    voltage = np.asarray(voltage_pu, dtype=np.float64)
    if voltage.ndim != 2 or not voltage.shape[1]:
        raise ValueError(f"voltage_pu has shape {voltage.shape}; it needs slots and buses")
    wrong = np.argwhere(~(np.isfinite(voltage) & (voltage > 0)))
    if wrong.size:
        slot, bus = wrong[0]
        raise ValueError(
            f"voltage_pu at position {bus} in slot {slot} is {voltage[slot, bus]}; it must be "
            "positive"
        )
    if not 0 < reference_pu < np.inf:
        raise ValueError(f"reference_pu {reference_pu} must be positive and finite")
    deviation = np.abs(voltage - reference_pu) / reference_pu
    return VoltageDeviation(deviation.mean(axis=1), deviation.max(axis=1), deviation.argmax(axis=1))
