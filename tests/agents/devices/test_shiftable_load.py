"""The shiftable load: window, energy and discomfort by hand."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.agents.devices.shiftable_load import ShiftableLoad

LOAD = ShiftableLoad(
    name="washing",
    energy_kwh=6.0,
    limit_kw=np.array([0.0, 4.0, 4.0, 4.0]),
    preferred_kw=np.array([0.0, 3.0, 3.0, 0.0]),
    discomfort=0.05,
)


def schedule(part: Contribution, price: np.ndarray, hours: float) -> np.ndarray:
    paid = part.cost + hours * price @ part.consumption_kw
    problem = cp.Problem(cp.Minimize(paid), list(part.constraints))
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13)
    return part.variables["shiftable_kw"].value


def test_discomfort_in_currency() -> None:
    part = LOAD.contribute(Horizon(4, 0.5))
    part.variables["shiftable_kw"].value = np.array([0.0, 4.0, 1.0, 2.0])
    # Half an hour of .05 x (1 + 4 + 4).
    assert part.cost.value == pytest.approx(0.225)
    np.testing.assert_array_equal(part.consumption_kw.value, [0.0, 4.0, 1.0, 2.0])


def test_at_a_level_price_it_stays_where_it_is_liked() -> None:
    part = LOAD.contribute(Horizon(4, 1.0))
    np.testing.assert_allclose(schedule(part, np.full(4, 0.3), 1.0), [0, 3, 3, 0], atol=1e-5)
    assert part.cost.value == pytest.approx(0.0, abs=1e-8)


def test_it_moves_until_discomfort_meets_the_price_difference() -> None:
    # Slot 3 is cheaper by .09: with u moved from both others, 2 x .05 (u + u / 2) = .09, u = .6.
    part = LOAD.contribute(Horizon(4, 1.0))
    moved = schedule(part, np.array([0.0, 0.3, 0.3, 0.21]), 1.0)
    np.testing.assert_allclose(moved, [0, 2.7, 2.7, 0.6], atol=1e-5)


def test_limit_and_window_bind() -> None:
    part = LOAD.contribute(Horizon(4, 1.0))
    # However cheap slot 0 is, it lies outside the window; slot 3 takes at most 4 kW.
    pulled = schedule(part, np.array([-9.0, 3.0, 3.0, 0.0]), 1.0)
    np.testing.assert_allclose(pulled, [0, 1, 1, 4], atol=1e-5)


def test_energy_counts_hours() -> None:
    # 6 kWh in half hours are 12 kW: just the three slots of 4 kW.
    part = LOAD.contribute(Horizon(4, 0.5))
    np.testing.assert_allclose(schedule(part, np.zeros(4), 0.5), [0, 4, 4, 4], atol=1e-5)
    short = LOAD.contribute(Horizon(4, 0.4))
    assert cp.Problem(cp.Minimize(0), list(short.constraints)).solve(cp.CLARABEL) == np.inf


@pytest.mark.parametrize("slots", [1, 96])
def test_one_slot_and_a_day_of_quarter_hours(slots: int) -> None:
    level = 6.0 / (0.25 * slots)
    load = ShiftableLoad("l", 6.0, np.full(slots, 2 * level), np.full(slots, level), 0.01)
    price = np.linspace(0.3, 0.1, slots)
    power = schedule(load.contribute(Horizon(slots, 0.25)), price, 0.25)
    # No limit binds: price + 2 x .01 (l - preferred) is the same in all slots.
    expected = level + (price.mean() - price) / 0.02 * (slots > 1)
    np.testing.assert_allclose(power, np.clip(expected, 0, 2 * level), atol=1e-5)
    assert 0.25 * power.sum() == pytest.approx(6.0)
