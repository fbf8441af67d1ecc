"""Districts of few buildings and slots, and of loose tolerances: each runs to a certificate."""

import pytest

from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


def certified(scenario: Scenario, market: str) -> None:
    outcome = simulate(scenario, market, seed=1)
    claims = outcome.certificate["claims"]
    assert outcome.certified, {name: each for name, each in claims.items() if not each["holds"]}


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize(("slots", "minutes"), [(1, 60), (4, 60), (96, 15)])
def test_few_buildings_and_slots(count: int, slots: int, minutes: int) -> None:
    district = with_population(load_scenario("district"), count)
    update = {"slots": slots, "slot_minutes": minutes}
    horizon = district.horizon.model_copy(update=update)
    certified(district.model_copy(update={"horizon": horizon}), "nash-bargaining")


@pytest.mark.parametrize("count", [20, 400])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-2])
def test_a_loose_tolerance_keeps_its_own_claims(count: int, tolerance: float) -> None:
    # What a certificate allows does not grow beyond a tolerance of 1e-4: once the exchange ended
    # at residuals whose welfare it could not prove.
    district = with_population(load_scenario("district"), count)
    negotiation = district.negotiation.model_copy(update={"tolerance": tolerance})
    certified(district.model_copy(update={"negotiation": negotiation}), "competitive")
