"""PV and wind: power curves at points worked out by hand, and curtailment."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Horizon
from nashgrid.agents.devices.renewable import Renewable, photovoltaic_power_kw, wind_power_kw


def test_photovoltaic_power_is_rating_times_irradiance() -> None:
    irradiance = np.array([-0.01, 0.0, 0.25, 1.0, 1.2])
    np.testing.assert_allclose(photovoltaic_power_kw(irradiance, 8.0), [0, 0, 2, 8, 8])


def test_wind_power_curve() -> None:
    speed = np.array([0.0, 2.99, 3.0, 7.5, 11.99, 12.0, 25.0, 25.01, 40.0])
    # (7.5^3 - 27) / (12^3 - 27) = 394.875 / 1701
    cubic = np.array([394.875, 11.99**3 - 27]) / 1701
    expected = 100 * np.array([0, 0, 0, cubic[0], cubic[1], 1, 1, 0, 0])
    np.testing.assert_allclose(wind_power_kw(speed, 100.0), expected)


def test_wind_power_curve_of_another_turbine() -> None:
    speed = np.array([4.0, 10.0, 13.0, 20.0, 20.5])
    # (1000 - 64) / (2197 - 64)
    np.testing.assert_allclose(
        wind_power_kw(speed, 50.0, 4.0, 13.0, 20.0), [0, 50 * 936 / 2133, 50, 50, 0]
    )


@pytest.mark.parametrize("slots", [1, 4, 96])
def test_generation_feeds_in_and_can_be_curtailed(slots: int) -> None:
    available = np.linspace(0.0, 5.0, slots + 1)[1:]
    part = Renewable("pv", available).contribute(Horizon(slots, 1.0))
    # At a positive price all is fed in, at a negative one nothing; curtailing is free.
    for price, factor in ((0.2, -1.0), (-0.2, 0.0)):
        paid = part.cost + price * cp.sum(part.consumption_kw)
        cp.Problem(cp.Minimize(paid), list(part.constraints)).solve(solver=cp.CLARABEL)
        np.testing.assert_allclose(part.consumption_kw.value, factor * available, atol=1e-6)
        curtailed = part.variables["curtailed_kw"].value
        np.testing.assert_allclose(curtailed, (1 + factor) * available, atol=1e-6)
    assert part.cost.value == 0.0
