"""A supply whose price slopes, against brute force."""

import numpy as np
import pytest

from nashgrid.agents.sloping_supply import SlopingSupply

SUPPLY = SlopingSupply(np.array([0.2, 0.3]), np.array([0.01, 0.0]), 10.0, 0.5)
GRID = np.linspace(-10, 10, 200_001)


def values(slot: int, linear: float, curvature: float):
    price, slope = SUPPLY.price_per_kwh[slot], SUPPLY.slope_per_kw2h[slot]
    own = 0.5 * (price * GRID + slope * GRID**2 / 2)
    return own + linear * GRID + curvature * GRID**2 / 2


@pytest.mark.parametrize("linear", [-1.0, -0.16, -0.1, 0.02, 0.4])
def test_answers_and_least_costs(linear: float) -> None:
    asked = np.full((2, 1), linear)
    for curvature in (0.02, 0.3):
        found = SUPPLY.answer(asked, np.array([curvature])).demand_kw
        best = [GRID[values(slot, linear, curvature).argmin()] for slot in range(2)]
        np.testing.assert_allclose(found[:, 0], best, atol=1e-4)
    least = sum(values(slot, linear, 0.0).min() for slot in range(2))
    assert SUPPLY.least_cost(asked) == pytest.approx(least, abs=1e-9)


def test_its_cost_is_the_area_under_its_price() -> None:
    assert SUPPLY.cost(np.array([[4.0], [-2.0]])) == pytest.approx(
        0.5 * (4 * (0.2 + 0.24) / 2 - 2 * 0.3)
    )


def test_its_limit() -> None:
    assert SUPPLY.violation(np.array([[4.0], [-10.5]])) == (0.5, 0.0)
    assert SUPPLY.violation(np.array([[4.0], [-9.5]])) == (0.0, 0.0)
    ranges = np.array([[11.0], [-20.0]]), np.array([[12.0], [-13.0]])
    assert SUPPLY.infeasibility(*ranges) == [
        "slot 1: the exchange limit of 10 kW must give way by 3 kW",
        "slot 0: the exchange limit of 10 kW must give way by 1 kW",
    ]
