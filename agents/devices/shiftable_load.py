"""Load that may move within a window."""

from dataclasses import dataclass

import cvxpy as cp

from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class ShiftableLoad:
    """A fixed amount of energy, freely spread below a limit.

    0 <= l(t) <= limit(t),   sum l dt = energy,   cost = discomfort sum (l - preferred)^2 dt

    Parameters
    ----------
    energy_kwh : to be consumed over the horizon [kWh]
    limit_kw : (T,) largest power, 0 outside the window [kW]
    preferred_kw : (T,) the profile its user likes best [kW]
    discomfort : cost of deviating [currency/kW^2h]
    """

    name: str
    energy_kwh: float
    limit_kw: Floats
    preferred_kw: Floats
    discomfort: float

    def contribute(self, horizon: Horizon) -> Contribution:
        """The load as mathematics."""
        hours = horizon.slot_hours
        power = cp.Variable(horizon.slots, name=f"{self.name}.shiftable_kw")
        return Contribution(
            consumption_kw=power,
            cost=hours
            * self.discomfort
            * (
                cp.sum_squares(power)
                - 2 * self.preferred_kw @ power
                + self.preferred_kw @ self.preferred_kw
            ),
            constraints=[
                power >= 0,
                power <= self.limit_kw,
                hours * cp.sum(power) == self.energy_kwh,
            ],
            variables={"shiftable_kw": power},
        )
