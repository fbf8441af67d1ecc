"""The same charge for every trade, wherever seller and buyer are."""

import numpy as np

from nashgrid.grid.feeder import FloatArray


def uniform_charges(count: int, rate_per_kwh: float) -> FloatArray:
    """A postage stamp: `rate_per_kwh` for every pair of `count` buses; nothing within a bus.

    (Baroche, Pinson, Le Goff Latimier and Ben Ahmed 2019, IEEE Transactions on Power Systems
    34(4), 2553-2564, the "unique" fee.)
    """
    if count < 1:
        raise ValueError(f"count {count} must be at least 1")
    if not 0 <= rate_per_kwh < np.inf:
        raise ValueError(f"rate_per_kwh {rate_per_kwh} must be finite and at least 0")
    return rate_per_kwh * (1.0 - np.eye(count))
