"""Numbers as they are handed in: of the right shape, finite, and not too small."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray


def checked_array(
    name: str,
    values: ArrayLike,
    shape: tuple[int, ...],
    *,
    least: float = -np.inf,
    finite: bool = True,
) -> FloatArray:
    """Values as floats of this shape (a scalar is repeated); ValueError names what is wrong."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(shape, float(array))
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; it must be {shape} or a number")
    wrong = np.isnan(array) | (array < least) | (finite & np.isinf(array))
    if wrong.any():
        at = tuple(int(index) for index in np.argwhere(wrong)[0])
        bound = "finite" if finite else "a number"
        bound += "" if least == -np.inf else f" and at least {least:g}"
        raise ValueError(f"{name} at {at} is {array[at]}; it must be {bound}")
    return array


def positive(name: str, value: float, unit: str) -> float:
    """A number that must be positive and finite, named in the ValueError if it is not."""
    if not 0 < value < np.inf:
        raise ValueError(f"{name} {value} {unit} must be positive and finite")
    return float(value)
