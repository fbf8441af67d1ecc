"""The built-in scenarios: what is in them, that their limits bind, and how fast they agree."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.run_folder import TABLES
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate

FEEDERS = ("campus33", "campus33-winter", "campus33-export", "campus33-negative")
# Rounds of the trading exchange to 1e-4 and to 1e-6, with one setting for all.
ROUNDS = dict.fromkeys(FEEDERS, (110, 170)) | {"campus33": (50, 150)}


@dataclass(frozen=True)
class Study:
    """A scenario at the tolerance of studies, whose exchange passes the default one on its way."""

    name: str
    outcome: Outcome


@pytest.fixture(scope="module", params=FEEDERS)
def study(request: pytest.FixtureRequest) -> Study:
    scenario = load_scenario(request.param)
    rules = scenario.negotiation.model_copy(update={"tolerance": 1e-6})
    return Study(request.param, simulate(scenario.model_copy(update={"negotiation": rules})))


def trading(outcome: Outcome, table: str) -> pd.DataFrame:
    rows = getattr(outcome, table)
    return rows[rows["case"] == "trading"]


def rounds_to(outcome: Outcome, tolerance: float) -> int:
    """The first round from which both residuals stay within a tolerance."""
    rows = outcome.rounds[outcome.rounds["topic"] == "trading"]
    worst = rows[["primal_residual", "dual_residual"]].max(axis=1).to_numpy()
    assert worst[-1] <= tolerance
    above = np.flatnonzero(worst > tolerance)
    return int(above[-1]) + 2


def loading(outcome: Outcome) -> pd.Series:
    lines = trading(outcome, "lines")
    return np.hypot(lines["flow_kw"], lines["flow_kvar"]) / lines["limit_kva"]


def certified(outcome: Outcome) -> bool:
    failed = {n: c for n, c in outcome.certificate["claims"].items() if not c["holds"]}
    assert not failed
    return outcome.certified


def test_a_feeder_scenario_is_certified(study: Study) -> None:
    assert certified(study.outcome)


@pytest.mark.parametrize("name", ["campus33", "campus33-export"])
def test_the_first_and_the_hardest_are_certified_at_the_default_tolerance(name: str) -> None:
    outcome = simulate(load_scenario(name))
    assert certified(outcome)
    assert rounds_to(outcome, 1e-4) <= ROUNDS[name][0]


def test_a_feeder_scenario_agrees_within_its_rounds(study: Study) -> None:
    to_usual, to_strict = ROUNDS[study.name]
    assert rounds_to(study.outcome, 1e-4) <= to_usual
    assert rounds_to(study.outcome, 1e-6) <= to_strict


def test_a_strict_outcome_is_the_central_optimum(study: Study) -> None:
    welfare = study.outcome.certificate["welfare"]["trading"]
    assert abs(welfare["relative_gap"]) <= 1e-5
    assert welfare["largest_price_difference_per_kwh"] <= 1e-4
    claims = study.outcome.certificate["claims"]
    assert claims["trading: best responses"]["value"] <= 1e-6
    assert claims["trading: counterparty"]["value"] <= 1e-5
    assert claims["trading: power limits"]["value"] <= 1e-3


def test_what_a_feeder_scenario_is_about_binds(study: Study) -> None:
    voltage = trading(study.outcome, "voltages")["lindistflow_pu"]
    prices = trading(study.outcome, "prices")
    spread = prices.groupby("slot")["price_per_kwh"].agg(np.ptp)
    lowest, highest = voltage.min(), voltage.max()
    if study.name == "campus33":
        # A line carries all it may, and the price behind it says so.
        full = trading(study.outcome, "lines")[loading(study.outcome) > 1 - 1e-4]
        assert len(full) > 0
        assert spread[full["slot"].unique()].min() > 0.005
    elif study.name == "campus33-winter":
        assert lowest == pytest.approx(0.95, abs=1e-5)
        assert spread.max() > 0.1
    elif study.name == "campus33-export":
        assert highest == pytest.approx(1.05, abs=1e-5)
        at_limit = trading(study.outcome, "voltages")["lindistflow_pu"] > 1.05 - 1e-5
        slots = trading(study.outcome, "voltages")["slot"][at_limit].unique()
        assert spread[slots].max() > 0.02
    else:
        negative = prices[prices["price_per_kwh"] < -0.01]
        assert negative["slot"].nunique() >= 2
        assert loading(study.outcome).max() > 1 - 1e-4
    # Limits are kept, whatever binds.
    assert lowest >= 0.95 - 1e-5
    assert highest <= 1.05 + 1e-5
    assert loading(study.outcome).max() <= 1 + 1e-5


def test_trading_saves_and_nobody_loses(study: Study) -> None:
    summary = study.outcome.summary
    assert summary["saving"] > 0.01 * abs(summary["cost_before"])
    assert summary["cost_before"] - summary["cost_after"] == pytest.approx(summary["saving"])
    players = study.outcome.accounts[study.outcome.accounts["weight"] > 0]
    # Equal weights: everybody gains the same.
    np.testing.assert_allclose(players["saving"], players["saving"].mean(), rtol=1e-4)
    assert int(study.outcome.accounts["payment_micro"].sum()) == 0


def test_no_table_lacks_a_number(study: Study) -> None:
    for table in TABLES:
        rows = getattr(study.outcome, table)
        assert len(rows) > 0
        if table not in ("schedules", "settlement"):
            assert not rows.isna().to_numpy().any(), table


@pytest.mark.parametrize("name", FEEDERS)
def test_a_feeder_scenario_is_as_rich_as_promised(name: str) -> None:
    scenario = load_scenario(name)
    buildings = scenario.buildings
    count = len(buildings)
    assert count >= 24
    assert len({building.kind for building in buildings}) >= 8
    assert 2 * sum(bool(building.pv) for building in buildings) >= count
    assert sum(bool(building.wind) for building in buildings) == 2
    assert 3 * sum(bool(building.batteries) for building in buildings) >= count
    assert 2 * sum(bool(building.shiftable_loads) for building in buildings) > count
    assert len(scenario.community_batteries) == 1
    assert len(scenario.generators) == 3
    assert all(generator.quadratic_cost_per_kw2h > 0 for generator in scenario.generators)
    communities = {building.community for building in buildings}
    assert len(communities) == 4
    for community in communities:
        kinds = {building.kind for building in buildings if building.community == community}
        assert len(kinds) >= 4
    assert len({agent.bus for agent in scenario.agents}) >= 24
    assert scenario.feeder is not None
    assert scenario.feeder.name == "ieee33"
    limits = (scenario.feeder.minimum_voltage_pu, scenario.feeder.maximum_voltage_pu)
    assert limits == (0.95, 1.05)
    periods = scenario.utility.tariff
    assert len({period.retail_price_per_kwh for period in periods}) >= 3
    assert all(p.feed_in_price_per_kwh < p.retail_price_per_kwh for p in periods)
    assert (scenario.horizon.slots, scenario.horizon.slot_minutes) == (24, 60)
    if name == "campus33":
        assert scenario.horizon.start.weekday() < 5


def test_the_small_scenarios_are_small() -> None:
    village: Scenario = load_scenario("village")
    assert len(village.buildings) == 10
    assert village.feeder is None
    duet: Scenario = load_scenario("duet")
    assert (len(duet.agents), duet.horizon.slots) == (2, 4)


def test_the_village_agrees() -> None:
    outcome = simulate(load_scenario("village"))
    assert outcome.certified
    assert rounds_to(outcome, 1e-4) <= 50
    assert outcome.summary["saving"] > 0
