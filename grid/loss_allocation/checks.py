"""Checks that all rules share."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import Feeder, FloatArray


def checked_power(power: ArrayLike, name: str = "power_kw") -> FloatArray:
    """Power (S, N) as floats; ValueError names what is wrong."""
    array = np.asarray(power, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}; it needs slots and participants")
    wrong = np.argwhere(~np.isfinite(array))
    if wrong.size:
        slot, at = wrong[0]
        raise ValueError(f"{name} of participant {at} in slot {slot} is {array[slot, at]}")
    return array


def checked_losses(losses_kw: ArrayLike, slots: int) -> FloatArray:
    """Losses (S,) >= 0 as floats; ValueError names what is wrong."""
    array = np.asarray(losses_kw, dtype=np.float64)
    if array.shape != (slots,):
        raise ValueError(f"losses_kw has shape {array.shape}; it must be ({slots},)")
    wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if wrong.size:
        raise ValueError(f"losses_kw in slot {wrong[0]} is {array[wrong[0]]}; it must be >= 0")
    return array


def checked_flows(
    feeder: Feeder, power_kw: ArrayLike, reactive_kvar: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Active and reactive power (S, n) at all buses of a feeder; ValueError names what is wrong."""
    power, reactive = checked_power(power_kw), checked_power(reactive_kvar, "reactive_kvar")
    if power.shape[1] != feeder.bus_count or reactive.shape != power.shape:
        raise ValueError(
            f"power_kw {power.shape} and reactive_kvar {reactive.shape} must both have one column "
            f"for each of the {feeder.bus_count} buses of feeder {feeder.name}"
        )
    return power, reactive
