"""Inelastic load: served, or shed at its price."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Horizon
from nashgrid.agents.devices.load import Load

POWER_KW = np.array([1.0, 3.0, 0.0, 2.0])


def test_without_a_price_it_is_served() -> None:
    part = Load("load", POWER_KW).contribute(Horizon(4, 1.0))
    np.testing.assert_array_equal(part.consumption_kw.value, POWER_KW)
    assert not part.variables
    assert part.cost.value == 0.0


@pytest.mark.parametrize("hours", [0.25, 1.0])
def test_load_is_shed_where_energy_costs_more(hours: float) -> None:
    part = Load("load", POWER_KW, unserved_price_per_kwh=2.0).contribute(Horizon(4, hours))
    price = np.array([1.9, 2.1, 5.0, 0.3])
    paid = part.cost + hours * price @ part.consumption_kw
    least = cp.Problem(cp.Minimize(paid), list(part.constraints)).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(part.variables["unserved_kw"].value, [0, 3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(part.consumption_kw.value, [1, 0, 0, 2], atol=1e-6)
    assert part.cost.value == pytest.approx(2.0 * 3.0 * hours, abs=1e-6)
    assert least == pytest.approx(hours * (1.9 + 2.0 * 3.0 + 0.3 * 2), abs=1e-6)


@pytest.mark.parametrize("slots", [1, 96])
def test_no_more_than_the_load_is_shed(slots: int) -> None:
    power = np.linspace(0.5, 4.0, slots)
    part = Load("load", power, unserved_price_per_kwh=0.1).contribute(Horizon(slots, 0.25))
    shed = cp.Maximize(cp.sum(part.variables["unserved_kw"]))
    most = cp.Problem(shed, list(part.constraints)).solve(solver=cp.CLARABEL)
    assert most == pytest.approx(power.sum(), rel=1e-6)
