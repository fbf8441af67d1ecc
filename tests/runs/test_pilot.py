"""The pilot of a large population: nearer prices to open at, and counted for what it costs."""

import numpy as np
import pytest

from nashgrid.runs import pilot
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of 150, for populations of 600 and more."""
    monkeypatch.setattr(pilot, "SAMPLE", 150)
    monkeypatch.setattr(pilot, "WORTHWHILE", 4)


def test_it_saves_rounds_and_leads_to_the_same_market(tmp_path) -> None:
    study = with_population(load_scenario("district"), 700)
    with_pilot = simulate(study, "competitive", seed=1)
    plain = TradingModel(study, ("trading",), seed=1)
    while plain.running:
        plain.step()
    price = with_pilot.prices.query("case == 'trading'")["price_per_kwh"].to_numpy()
    off = np.abs(price - plain.counterparty.price("trading")[:, 0])
    assert off.max() < 2e-4
    records = plain.coordinators["trading"].exchange.records
    assert with_pilot.summary["rounds"]["trading"] < len(records)
    assert with_pilot.certified
    # Whoever wants to know what it took finds the pilot's messages beside the others.
    said = with_pilot.summary["messages"]
    assert said["pilot/enrolment"]["messages"] == 151
    assert said["pilot/offer"]["messages"] % 151 == 0
    assert verify(with_pilot.save(tmp_path / "run")).holds


@pytest.mark.parametrize(("name", "count"), [("district", 599), ("district33", 700)])
def test_none_for_few_buildings_or_with_wires(name: str, count: int) -> None:
    assert pilot.hold_pilot(with_population(load_scenario(name), count), seed=1) is None


def test_none_beside_stated_agents() -> None:
    village, district = load_scenario("village"), load_scenario("district")
    assert district.population is not None
    population = district.population.model_copy(update={"count": 700})
    mixed = village.model_copy(update={"population": population})
    assert pilot.hold_pilot(mixed, seed=1) is None
