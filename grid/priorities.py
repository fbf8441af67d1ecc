"""What an operator minimises beside money: losses beyond their price, and voltages off nominal."""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.grid.feeder import FloatArray

NOMINAL_PU = 1.0


@dataclass(frozen=True)
class Priorities:
    """Prices of what nobody pays for; both at least 0, and 0 for an operator that saves money.

    Parameters
    ----------
    loss_per_kwh : float
        What a lost kWh counts on top of its price, currency/kWh.
    deviation_per_pu2h : float
        What an hour counts in which the squared deviations of all buses sum to 1 pu^2,
        currency/(pu^2 h).

    Raises
    ------
    ValueError
        If one is negative.
    """

    loss_per_kwh: float = 0.0
    deviation_per_pu2h: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0.0:
                raise ValueError(f"priorities: {name} = {value} must be at least 0")


def deviation_pu2(voltage_squared: FloatArray) -> FloatArray:
    r"""Sum over the buses of the squared deviation, (S,), pu^2, from squared voltages (S, n).

    .. math:: \sum_j \left(\tfrac12 (V_j^2 - 1)\right)^2 \approx \sum_j (V_j - 1)^2,

    convex in the squared voltages, which the models of the wires are linear in.
    """
    total: FloatArray = (0.25 * (voltage_squared - NOMINAL_PU**2) ** 2).sum(axis=1)
    return total
