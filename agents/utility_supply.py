"""The utility's problem where there are no wires: it sells at retail and buys at feed-in price."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class SupplyAnswer:
    """Power delivered, (T, 1) [kW]."""

    demand_kw: Floats


@dataclass(frozen=True)
class UtilitySupply:
    """Deliver d at cost dt (lb d+ - ls d-), |d| <= limit; slots are independent.

    Parameters
    ----------
    tariff : retail price lb and feed-in price ls; both zero for a utility that only guards its
        transformer's limit
    limit_kw : of the transformer [kW]
    slot_hours : dt [h]
    """

    tariff: Tariff
    limit_kw: float
    slot_hours: float

    def answer(self, linear: Floats, curvature: Floats) -> SupplyAnswer:
        """argmin cost(d) + linear d + 1/2 curvature d^2, in closed form; all (T, 1).

        Without the kink d = -(linear + dt price) / curvature; it sells where the retail price
        makes that positive, buys where the feed-in price makes it negative, else rests.
        """
        bought = -(linear[:, 0] + self.slot_hours * self.tariff.retail_price_per_kwh)
        sold = -(linear[:, 0] + self.slot_hours * self.tariff.feed_in_price_per_kwh)
        demand = (np.maximum(bought, 0.0) + np.minimum(sold, 0.0)) / curvature
        return SupplyAnswer(np.clip(demand, -self.limit_kw, self.limit_kw)[:, None])

    def cost(self, demand_kw: Floats) -> float:
        """The community's bill upstream [currency]."""
        return self.tariff.bill(demand_kw[:, 0], self.slot_hours)

    def objective(self, demand_kw: Floats) -> float:
        """Its cost: nothing counts beside money [currency]."""
        return self.cost(demand_kw)

    def violation(self, demand_kw: Floats) -> tuple[float, float]:
        """How far a demand exceeds the limit [kW]; there are no voltages [pu]."""
        return max(float(np.abs(demand_kw).max()) - self.limit_kw, 0.0), 0.0

    def set_share(self, demand_kw: Floats) -> None:
        """Nobody sets inverters."""

    def least_cost(self, linear: Floats) -> float:
        """min cost(d) + linear d: each slot is linear between -limit, 0 and limit [currency]."""
        hours, at = self.slot_hours, linear[:, 0]
        selling = np.minimum(at + hours * self.tariff.retail_price_per_kwh, 0.0)
        buying = np.minimum(-at - hours * self.tariff.feed_in_price_per_kwh, 0.0)
        return float(self.limit_kw * np.minimum(selling, buying).sum())

    def statement(self) -> DeliveryStatement:
        """The same in CVXPY."""
        demand = cp.Variable((len(self.tariff.retail_price_per_kwh), 1), name="demand_kw")
        bill = cp.maximum(
            cp.multiply(self.tariff.retail_price_per_kwh, demand[:, 0]),
            cp.multiply(self.tariff.feed_in_price_per_kwh, demand[:, 0]),
        )
        within = cp.abs(demand) <= self.limit_kw
        return DeliveryStatement(demand, self.slot_hours * cp.sum(bill), [within])

    def infeasibility(self, lowest_kw: Floats, highest_kw: Floats) -> list[str]:
        """The slot where even the ranges' ends exceed the limit, worst first."""
        return power_limits_not_kept(self.limit_kw, lowest_kw, highest_kw)


def power_limits_not_kept(limit_kw: float, lowest_kw: Floats, highest_kw: Floats) -> list[str]:
    """Slots where no power within the ranges (T, 1) keeps a limit, worst first, in words."""
    excess = np.maximum(lowest_kw, -highest_kw)[:, 0] - limit_kw
    order = np.argsort(-excess, kind="stable")
    return [
        f"slot {slot}: the exchange limit of {limit_kw:g} kW must give way by {excess[slot]:.4g} kW"
        for slot in order
        if excess[slot] > 0
    ]
