"""What network charges bring in, and whether that pays for the wires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.grid.feeder import FloatArray


@dataclass(frozen=True)
class RevenueAdequacy:
    """Revenue of the operator against what it has to recover; currency.

    `ratio` is infinite where there is no cost, and 1 where there is no revenue either.
    """

    revenue: float
    cost: float

    @property
    def surplus(self) -> float:
        """Revenue less cost: negative where the wires are not paid for."""
        return self.revenue - self.cost

    @property
    def ratio(self) -> float:
        """Revenue over cost."""
        if self.cost == 0.0:
            return 1.0 if self.revenue == 0.0 else float(np.copysign(np.inf, self.revenue))
        return self.revenue / self.cost

    @property
    def is_adequate(self) -> bool:
        """Whether the revenue covers the cost."""
        return self.surplus >= 0.0


def network_revenue(charge_per_kwh: ArrayLike, energy_kwh: ArrayLike) -> FloatArray:
    """Payment of every trade, charge x energy; shapes (B, B) or (T, B, B) that go together.

    Parameters
    ----------
    charge_per_kwh : (B, B) or (T, B, B)
        From a rule of this package: sellers in the rows, buyers in the columns.
    energy_kwh : (B, B) or (T, B, B)
        What is sold from row to column, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not match, or an energy is negative or not finite.
    """
    charge = np.asarray(charge_per_kwh, dtype=np.float64)
    energy = np.asarray(energy_kwh, dtype=np.float64)
    if charge.shape[-2:] != energy.shape[-2:] or energy.ndim not in (2, 3):
        raise ValueError(
            f"energy_kwh {energy.shape} and charge_per_kwh {charge.shape} must be tables of "
            "sellers and buyers of one size"
        )
    wrong = np.argwhere(~(np.isfinite(energy) & (energy >= 0)))
    if wrong.size:
        raise ValueError(
            f"energy_kwh at {tuple(wrong[0].tolist())} is {energy[tuple(wrong[0])]}; it must be "
            ">= 0"
        )
    return np.asarray(charge * energy)


def revenue_adequacy(
    charge_per_kwh: ArrayLike,
    energy_kwh: ArrayLike,
    *,
    loss_cost: float = 0.0,
    fixed_cost: float = 0.0,
) -> RevenueAdequacy:
    """Compare what the charges bring in with losses and fixed cost.

    Raises
    ------
    ValueError
        As `network_revenue`, or if a cost is negative.
    """
    for name, value in (("loss_cost", loss_cost), ("fixed_cost", fixed_cost)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} {value} must be finite and at least 0")
    revenue = float(network_revenue(charge_per_kwh, energy_kwh).sum())
    return RevenueAdequacy(revenue, loss_cost + fixed_cost)


def scale_to_cost(charge_per_kwh: ArrayLike, energy_kwh: ArrayLike, cost: float) -> FloatArray:
    """The same charges times the factor at which these trades pay the cost.

    Raises
    ------
    ValueError
        As `network_revenue`, or if the trades pay nothing or less.
    """
    revenue = float(network_revenue(charge_per_kwh, energy_kwh).sum())
    if revenue <= 0.0:
        raise ValueError(f"the charges bring in {revenue:g}: no factor makes them pay {cost:g}")
    return np.asarray(charge_per_kwh, dtype=np.float64) * (cost / revenue)
