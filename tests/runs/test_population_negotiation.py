"""Populations in the negotiation: against central optima, row by row, beside stated agents."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nashgrid.agents.standard_buildings import StandardBuilding, StandardBuildings
from nashgrid.market.messages import Messages
from nashgrid.runs.assembly import make_population
from nashgrid.runs.central import central_optimum
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.wire_laying import lay_wires

CASES = ("utility-only", "trading")


def scenario(name: str, count: int, **parts: dict[str, Any]) -> Scenario:
    drawn = with_population(load_scenario(name), count)
    changed = {
        part: type(getattr(drawn, part)).model_validate({**dict(getattr(drawn, part)), **values})
        for part, values in parts.items()
    }
    return drawn.model_copy(update=changed)


def negotiated(study: Scenario) -> TradingModel:
    model = TradingModel(study, CASES, seed=1)
    while model.running:
        model.step()
    return model


@pytest.mark.parametrize("name", ["district", "district33"])
@pytest.mark.parametrize(
    ("tolerance", "dearer", "price_off"), [(1e-4, 1e-4, 1e-3), (1e-6, 2e-6, 1e-5)]
)
def test_the_market_costs_what_the_central_optimum_costs(
    name: str, tolerance: float, dearer: float, price_off: float
) -> None:
    model = negotiated(scenario(name, 60, negotiation={"tolerance": tolerance}))
    for case in CASES:
        central = central_optimum(model.study, model.wires, case)
        total = model.cost(case).sum() + model.counterparty.cost(case)
        assert abs(total - central.cost) <= dearer * abs(central.cost)
        assert central.price_per_kwh is not None
        off = np.abs(model.counterparty.price(case) - central.price_per_kwh)
        assert off.max() <= price_off


def buildings(study: Scenario, **private: Any) -> StandardBuildings:
    model = TradingModel(study, CASES, seed=1)
    wires = model.wires
    assert wires.population is not None
    drawn = replace(wires.population, buildings=replace(wires.population.buildings, **private))
    made = make_population(model, replace(wires, population=drawn), model.rules)
    assert made is not None
    return made


def offers(one: StandardBuildings, prices: np.ndarray, memory: int) -> list[np.ndarray]:
    """What the buildings say to some quotes, one after the other."""
    said, count, slots = [], len(one), prices.shape[1]
    zero = np.zeros(count, dtype=np.int64)
    for number, price in enumerate(prices):
        fields = {
            "price": np.broadcast_to(price, (count, slots)),
            "imbalance": np.broadcast_to(0.01 * np.sin(np.arange(slots)), (count, slots)),
            "step": np.full((count, 1), 0.3),
            "memory_slot": np.full((count, 1), float(number - 1)),
            "mixing_weights": np.broadcast_to(np.eye(memory)[max(number - 1, 0)], (count, memory)),
        }
        sent_s = np.zeros(count)
        one.receive(Messages("quote", "trading", zero, one.addresses, fields, sent_s))
        said.append(one.outbox.pop().fields["quantity"].copy())
    return said


def test_a_building_answers_for_itself_whatever_the_others_are() -> None:
    study = scenario("district", 40)
    wires = lay_wires(study)
    assert wires.population is not None
    load = wires.population.buildings.load_kw
    prices = np.random.default_rng(3).uniform(0.05, 0.4, (4, load.shape[1]))
    other = load.copy()
    other[17] *= 1.5
    memory = study.negotiation.memory
    plain = offers(buildings(study), prices, memory)
    changed = offers(buildings(study, load_kw=other), prices, memory)
    rest = np.arange(40) != 17
    for one, two in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(one[rest], two[rest])
        assert (one[17] != two[17]).any()


def test_every_building_is_an_agent_with_an_address_and_a_row() -> None:
    model = TradingModel(scenario("district", 30), CASES, seed=1)
    assert model.population is not None
    agents = [agent for agent in model.agents if isinstance(agent, StandardBuilding)]
    assert [agent.row for agent in agents] == list(range(30))
    assert [agent.unique_id for agent in agents] == model.population.addresses.tolist()


def test_stated_agents_and_a_population_trade_with_each_other() -> None:
    village = load_scenario("village")
    district = load_scenario("district")
    assert district.population is not None
    population = district.population.model_copy(update={"count": 25})
    mixed = Scenario.model_validate({**dict(village), "population": population})
    outcome = simulate(mixed, "nash-bargaining", seed=1)
    assert outcome.certified
    assert len(outcome.accounts) == len(village.agents) + 25 + 1
    names = [entry.name for entry in village.agents]
    assert outcome.accounts["agent"].astype(str).tolist()[: len(names)] == names
    epsilon = outcome.certificate["epsilon"]["trading"]
    assert set(epsilon) == {*names, "utility", "population"}
    # The central problem of everybody is solved: both kinds of agent are in it.
    assert abs(outcome.certificate["welfare"]["trading"]["relative_gap"]) < 1e-5


@pytest.mark.parametrize(("slots", "minutes"), [(1, 60), (4, 360), (96, 15)])
@pytest.mark.parametrize("count", [1, 9])
def test_odd_sizes_are_certified(slots: int, minutes: int, count: int) -> None:
    study = scenario("district", count, horizon={"slots": slots, "slot_minutes": minutes})
    outcome = simulate(study, "nash-bargaining", seed=1)
    assert outcome.certified, outcome.certificate["claims"]
    assert len(outcome.trades) == 2 * slots * (count + 1)


def test_one_seed_one_outcome_to_the_byte() -> None:
    one, two = (simulate(scenario("district33", 50), "competitive", seed=4) for _ in range(2))
    for table in ("trades", "schedules", "settlement", "accounts", "rounds"):
        assert getattr(one, table).equals(getattr(two, table))
    assert one.certificate == two.certificate


def test_a_bad_network_moves_clocks_and_attempts_only() -> None:
    good = simulate(scenario("district", 30), "competitive", seed=1)
    lossy = scenario("district", 30, messages={"loss": 0.2, "jitter_s": 0.05})
    bad = simulate(lossy, "competitive", seed=9)
    assert good.trades.equals(bad.trades)
    assert good.settlement.equals(bad.settlement)
    sent = {key: kind["messages"] for key, kind in good.summary["messages"].items()}
    assert sent == {key: kind["messages"] for key, kind in bad.summary["messages"].items()}
    assert bad.summary["simulated_seconds"] > good.summary["simulated_seconds"]
