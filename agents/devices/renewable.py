"""Photovoltaic and wind generation, which can be curtailed."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class Renewable:
    """A generator whose power is given by the weather: consumption = -(available - v).

    Parameters
    ----------
    available_kw : (T,) power the weather offers [kW]
    """

    name: str
    available_kw: Floats

    def contribute(self, horizon: Horizon) -> Contribution:
        """Generation with curtailment 0 <= v <= available, at no cost."""
        curtailed = cp.Variable(horizon.slots, name=f"{self.name}.curtailed_kw")
        return Contribution(
            consumption_kw=curtailed - self.available_kw,
            constraints=[curtailed >= 0, curtailed <= self.available_kw],
            variables={"curtailed_kw": curtailed},
        )


def photovoltaic_power_kw(irradiance_kw_per_m2: Floats, rating_kw: float) -> Floats:
    """Power of a PV plant [kW]: rating x irradiance, irradiance clipped to [0, 1] kW/m2."""
    return rating_kw * np.clip(irradiance_kw_per_m2, 0.0, 1.0)


def wind_power_kw(
    speed_m_per_s: Floats,
    rating_kw: float,
    cut_in_m_per_s: float = 3.0,
    rated_m_per_s: float = 12.0,
    cut_out_m_per_s: float = 25.0,
) -> Floats:
    """Power of a wind turbine [kW].

    0 below cut-in and above cut-out; rating (v^3 - v_in^3) / (v_rated^3 - v_in^3) between
    cut-in and rated speed; the rating from there to cut-out.
    """
    rising = (speed_m_per_s**3 - cut_in_m_per_s**3) / (rated_m_per_s**3 - cut_in_m_per_s**3)
    power = rating_kw * np.clip(rising, 0.0, 1.0)
    return np.where(speed_m_per_s > cut_out_m_per_s, 0.0, power)
