"""Inelastic load."""

from dataclasses import dataclass

import cvxpy as cp

from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class Load:
    """Load that has to be served, or shed at a stated price.

    consumption = power - u, 0 <= u <= power, cost = price_u sum u dt; without a price u = 0.

    Parameters
    ----------
    power_kw : (T,) at least 0 [kW]
    unserved_price_per_kwh : price of load not served [currency/kWh]
    """

    name: str
    power_kw: Floats
    unserved_price_per_kwh: float | None = None

    def contribute(self, horizon: Horizon) -> Contribution:
        """The load as mathematics."""
        if self.unserved_price_per_kwh is None:
            return Contribution(cp.Constant(self.power_kw))
        unserved = cp.Variable(horizon.slots, name=f"{self.name}.unserved_kw")
        return Contribution(
            consumption_kw=self.power_kw - unserved,
            cost=self.unserved_price_per_kwh * horizon.slot_hours * cp.sum(unserved),
            constraints=[unserved >= 0, unserved <= self.power_kw],
            variables={"unserved_kw": unserved},
        )
