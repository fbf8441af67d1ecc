"""Dispatchable generator."""

from dataclasses import dataclass

import cvxpy as cp

from nashgrid.agents.devices.device import Contribution, Horizon


@dataclass(frozen=True)
class Generator:
    """A generator with quadratic cost.

    cost = sum (a g^2 + b g) dt,   g_min <= g <= g_max,   |g(t) - g(t-1)| <= ramp dt

    Parameters
    ----------
    quadratic_cost : a [currency/kW^2h]
    linear_cost : b [currency/kWh]
    minimum_kw, maximum_kw : output limits [kW]
    ramp_kw_per_hour : largest change of output; None for no limit [kW/h]
    """

    name: str
    quadratic_cost: float
    linear_cost: float
    minimum_kw: float
    maximum_kw: float
    ramp_kw_per_hour: float | None = None

    def contribute(self, horizon: Horizon) -> Contribution:
        """The generator as mathematics."""
        hours = horizon.slot_hours
        output = cp.Variable(horizon.slots, name=f"{self.name}.generation_kw")
        constraints = [output >= self.minimum_kw, output <= self.maximum_kw]
        if self.ramp_kw_per_hour is not None and horizon.slots > 1:
            ramp = self.ramp_kw_per_hour * hours
            constraints += [cp.diff(output) <= ramp, cp.diff(output) >= -ramp]
        return Contribution(
            consumption_kw=-output,
            cost=hours
            * (self.quadratic_cost * cp.sum_squares(output) + self.linear_cost * cp.sum(output)),
            constraints=constraints,
            variables={"generation_kw": output},
        )
