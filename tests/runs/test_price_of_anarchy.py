"""The price of anarchy where there is one, and where a ratio would mislead."""

import pytest

from nashgrid.runs.price_of_anarchy import price_of_anarchy
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


def test_by_hand() -> None:
    assert price_of_anarchy(2.5, 1.74, 5.0) == pytest.approx(2.5 / 1.74)
    assert price_of_anarchy(1.05, 1.0, 101.0) is None
    assert price_of_anarchy(1.0, -1.0, 1.0) is None
    assert price_of_anarchy(-5e-14, 4e-15, 0.0) is None


def test_rounding_is_not_divided_by_rounding() -> None:
    """One house sells the other all that it needs: both cost nothing, but pay each other."""
    scenario = load_scenario("duet")
    sunny, shady = scenario.buildings
    flat = {"values": (2.0, 2.0, 2.0, 2.0)}
    seller = sunny.model_copy(update={"loads": (), "pv": (sunny.pv[0].model_copy(update=flat),)})
    buyer = shady.model_copy(
        update={"loads": (shady.loads[0].model_copy(update=flat),), "shiftable_loads": ()}
    )
    balanced = scenario.model_copy(update={"buildings": (seller, buyer)})
    for market in ("cournot", "energy-sharing"):
        game = simulate(balanced, market).certificate["games"][market]
        assert abs(game["loss_to_optimum"]) < 1e-6
        assert game["price_of_anarchy"] is None
