"""The generator against its cost curve and its ramp, by hand."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.agents.devices.generator import Generator


def best_output(part: Contribution, price: np.ndarray, hours: float) -> np.ndarray:
    """Output of a generator that is paid a price."""
    paid = part.cost + hours * price @ part.consumption_kw
    cp.Problem(cp.Minimize(paid), list(part.constraints)).solve(solver=cp.CLARABEL)
    return part.variables["generation_kw"].value


def test_cost_in_currency() -> None:
    part = Generator("g", 0.01, 0.2, 0.0, 50.0).contribute(Horizon(4, 0.5))
    part.variables["generation_kw"].value = np.array([0.0, 10.0, 20.0, 40.0])
    # Half an hour of (.01 x (100 + 400 + 1600) + .2 x 70) currency/h.
    assert part.cost.value == pytest.approx(0.5 * (21 + 14))
    np.testing.assert_array_equal(part.consumption_kw.value, [0.0, -10.0, -20.0, -40.0])


@pytest.mark.parametrize("hours", [0.25, 1.0])
def test_output_where_marginal_cost_meets_the_price(hours: float) -> None:
    part = Generator("g", 0.01, 0.2, 5.0, 30.0).contribute(Horizon(4, hours))
    # 2 a g + b = price: (.4 - .2) / .02 = 10; beyond the limits the limits.
    price = np.array([0.4, 0.1, 0.22, 5.0])
    np.testing.assert_allclose(best_output(part, price, hours), [10, 5, 5, 30], atol=1e-5)


@pytest.mark.parametrize(("hours", "steepest"), [(1.0, 8.0), (0.25, 2.0)])
def test_ramp_is_per_hour(hours: float, steepest: float) -> None:
    part = Generator("g", 0.001, 0.0, 0.0, 100.0, 8.0).contribute(Horizon(4, hours))
    output = part.variables["generation_kw"]
    whole = list(part.constraints)
    for slot in range(3):
        for sign in (1, -1):
            change = cp.Maximize(sign * (output[slot + 1] - output[slot]))
            most = cp.Problem(change, whole).solve(solver=cp.CLARABEL)
            assert most == pytest.approx(steepest, abs=1e-5)


def test_one_slot_has_no_ramp() -> None:
    part = Generator("g", 0.01, 0.2, 0.0, 30.0, ramp_kw_per_hour=1.0).contribute(Horizon(1, 1.0))
    np.testing.assert_allclose(best_output(part, np.array([0.6]), 1.0), [20.0], atol=1e-5)


def test_a_day_of_quarter_hours() -> None:
    part = Generator("g", 0.01, 0.0, 0.0, 30.0, 4.0).contribute(Horizon(96, 0.25))
    # A price step of 20 kW in the middle, against 1 kW per slot: the output ramps across it.
    output = best_output(part, np.repeat([0.1, 0.5], 48), 0.25)
    assert np.diff(output).max() == pytest.approx(1.0, abs=1e-5)
    assert output[[0, -1]] == pytest.approx([5.0, 25.0], abs=1e-3)
