"""The utility's problem where its price slopes with the power that the community takes."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.utility_supply import SupplyAnswer, power_limits_not_kept
from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class SlopingSupply:
    """Deliver d at cost dt (a d + b d^2 / 2), |d| <= limit: as a price taker it asks for a + b d.

    The market maker of a Cournot market; slots are independent.

    Parameters
    ----------
    price_per_kwh : (T,) a, where nothing is delivered [currency/kWh]
    slope_per_kw2h : (T,) b, at least 0 [currency/kW2h]
    limit_kw : of the transformer [kW]
    slot_hours : dt [h]
    """

    price_per_kwh: Floats
    slope_per_kw2h: Floats
    limit_kw: float
    slot_hours: float

    def answer(self, linear: Floats, curvature: Floats) -> SupplyAnswer:
        """argmin cost(d) + linear d + 1/2 curvature d^2, in closed form; all (T, 1)."""
        slope = linear[:, 0] + self.slot_hours * self.price_per_kwh
        demand = -slope / (curvature + self.slot_hours * self.slope_per_kw2h)
        return SupplyAnswer(np.clip(demand, -self.limit_kw, self.limit_kw)[:, None])

    def cost(self, demand_kw: Floats) -> float:
        """What the supply costs: the area under its price [currency]."""
        demand = demand_kw[:, 0]
        price = self.price_per_kwh + 0.5 * self.slope_per_kw2h * demand
        return float(self.slot_hours * price @ demand)

    def objective(self, demand_kw: Floats) -> float:
        """Its cost: nothing counts beside money [currency]."""
        return self.cost(demand_kw)

    def violation(self, demand_kw: Floats) -> tuple[float, float]:
        """How far a demand exceeds the limit [kW]; there are no voltages [pu]."""
        return max(float(np.abs(demand_kw).max()) - self.limit_kw, 0.0), 0.0

    def set_share(self, demand_kw: Floats) -> None:
        """Nobody sets inverters."""

    def least_cost(self, linear: Floats) -> float:
        """min cost(d) + linear d [currency]."""
        slope, limit = linear[:, 0] + self.slot_hours * self.price_per_kwh, self.limit_kw
        curvature = self.slot_hours * self.slope_per_kw2h
        flat = np.where(slope > 0, -limit, limit)
        bent = -slope / np.where(curvature > 0, curvature, 1.0)
        best = np.clip(np.where(curvature > 0, bent, flat), -limit, limit)
        return float(slope @ best + 0.5 * curvature @ best**2)

    def statement(self) -> DeliveryStatement:
        """The same in CVXPY."""
        demand = cp.Variable((len(self.price_per_kwh), 1), name="demand_kw")
        area = self.price_per_kwh @ demand[:, 0]
        area += 0.5 * cp.sum(cp.multiply(self.slope_per_kw2h, cp.square(demand[:, 0])))
        return DeliveryStatement(demand, self.slot_hours * area, [cp.abs(demand) <= self.limit_kw])

    def infeasibility(self, lowest_kw: Floats, highest_kw: Floats) -> list[str]:
        """The slot where even the ranges' ends exceed the limit, worst first."""
        return power_limits_not_kept(self.limit_kw, lowest_kw, highest_kw)
