"""A population in shards: the same to the last bit, messages and clock too, as in one process."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nashgrid.market.topics import MONEY, SHAPLEY_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.group_sums import Groups
from nashgrid.runs.inputs import with_values
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.shard_workers import LocalCrew, shares
from nashgrid.runs.sharded_model import ShardedModel
from nashgrid.runs.sharded_run import simulate_with_workers
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify

CASES = (UTILITY_ONLY, TRADING)


def study(name: str, count: int, **messages: float) -> Scenario:
    """A built-in scenario with a population, and links as given."""
    scenario = with_values(with_population(load_scenario(name), count))
    links = scenario.messages.model_copy(update=messages)
    return scenario.model_copy(update={"messages": links})


def negotiated(model: TradingModel) -> TradingModel:
    while model.running:
        model.step()
    return model


@pytest.mark.parametrize(
    ("name", "count", "workers", "messages"),
    [
        ("district", 150, 2, {}),
        ("district", 5, 3, {"jitter_s": 0.02}),
        # Several places, some of them in two shards, and links that lose messages.
        ("district33", 130, 3, {"loss": 0.1, "jitter_s": 0.01}),
        # Beside a battery and generators that solve their own problems.
        ("campus33", 30, 4, {"loss": 0.05}),
    ],
)
def test_shards_come_to_the_same_as_one_process(
    name: str, count: int, workers: int, messages: dict[str, float]
) -> None:
    scenario = study(name, count, **messages)
    whole = negotiated(TradingModel(scenario, (*CASES, MONEY), seed=7))
    shards = ShardedModel(scenario, (*CASES, MONEY), 7, LocalCrew(workers))
    assert len(shards.shards) == workers
    assert len(list(shards.agents)) < len(list(whole.agents))
    negotiated(shards)
    for case in CASES:
        np.testing.assert_array_equal(
            shards.counterparty.price(case), whole.counterparty.price(case)
        )
        np.testing.assert_array_equal(shards.trade_kw(case), whole.trade_kw(case))
        np.testing.assert_array_equal(shards.cost(case), whole.cost(case))
        np.testing.assert_array_equal(
            shards.counterparty.demand_kw[case], whole.counterparty.demand_kw[case]
        )
    paid = np.concatenate([one.seats[MONEY].quantity[:, 0] for one in whole.traders])
    np.testing.assert_array_equal(shards.bargained(), -paid)
    assert list(shards.roster["agent"]) == list(whole.roster["agent"])
    own, other = shards.post.network, whole.post.network
    assert {name: asdict(each) for name, each in own.traffic.items()} == {
        name: asdict(each) for name, each in other.traffic.items()
    }
    assert own.clock_s == other.clock_s
    frames = [model.datacollector.get_model_vars_dataframe() for model in (shards, whole)]
    assert frames[0].equals(frames[1])


def test_workers_share_whole_wards() -> None:
    assert shares(1000, 1) == [(0, 1000)]
    assert shares(3, 8) == [(0, 1), (1, 2), (2, 3)]
    assert shares(10**6, 3) == [(0, 328125), (328125, 656250), (656250, 1000000)]
    assert len(shares(10**6, 100)) == 64


def test_what_shards_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="'money by Shapley value' is not held with workers"):
        ShardedModel(study("district", 20), (*CASES, SHAPLEY_MONEY), 1, LocalCrew(2))
    with pytest.raises(ValueError, match="workers share a population, but there is none"):
        ShardedModel(load_scenario("duet"), CASES, 1, LocalCrew(2))


@pytest.mark.parametrize("market", ["nash-bargaining", "two-part"])
def test_an_outcome_in_sums_says_the_same(market: str, tmp_path: Path) -> None:
    scenario = with_population(load_scenario("district33"), 90)
    whole = simulate(scenario, market, 3)
    sums = simulate_with_workers(scenario, market, 3, LocalCrew(2))
    assert sums.certified
    for column in ("agent", "cost_before", "own_cost", "payment_micro", "saving"):
        assert list(sums.accounts[column]) == list(whole.accounts[column])
    assert sums.prices.equals(whole.prices)
    assert sums.voltages.equals(whole.voltages)
    keys = ["case", "kind", "bus", "slot"]
    powers = [each.trades.groupby(keys, observed=True)["trade_kw"].sum() for each in (sums, whole)]
    assert len(sums.trades) < len(whole.trades)
    np.testing.assert_allclose(powers[0], powers[1].loc[powers[0].index], atol=1e-9)
    keys = ["case", "device", "slot"]
    did = [
        each.schedules.groupby(keys, observed=True)[["consumption_kw", "energy_kwh"]].sum()
        for each in (sums, whole)
    ]
    np.testing.assert_allclose(did[0].loc[did[1].index], did[1], atol=1e-9)
    # A group's devices, its load among them, use what the group buys.
    used = sums.schedules.groupby(["case", "agent", "slot"])["consumption_kw"].sum()
    bought = sums.trades[sums.trades["community"] != ""].set_index(["case", "agent", "slot"])
    np.testing.assert_allclose(used, bought["trade_kw"].loc[used.index], atol=1e-9)
    paid = [
        each.settlement.groupby("item", observed=True)["amount_nano"].sum()
        for each in (sums, whole)
    ]
    assert paid[0].to_dict() == paid[1].to_dict()
    own, other = sums.certificate["claims"], whole.certificate["claims"]
    assert own.keys() == other.keys()
    # Epsilons are bounds, which each worker tightens as far as it is worth; the optimum likewise.
    bounds = {f"{case}: {what}" for case in CASES for what in ("best responses", "welfare")}
    for name in own.keys() - bounds:
        assert own[name]["value"] == pytest.approx(other[name]["value"], rel=1e-6, abs=1e-12)
    for name in bounds:
        assert 0 < own[name]["value"] < own[name]["bound"]
    assert sums.summary["messages"] == whole.summary["messages"]
    assert sums.summary["saving_of_buildings"]["household"]["0 %"] == pytest.approx(
        whole.accounts.query("kind == 'household'")["saving"].min()
    )


def test_a_folder_of_sums_is_verified_as_far_as_it_goes(tmp_path: Path) -> None:
    scenario = with_population(load_scenario("district"), 80)
    folder = simulate_with_workers(scenario, "competitive", 1, LocalCrew(2)).save(tmp_path / "run")
    assert (folder / "report.html").stat().st_size > 10_000
    found = verify(folder)
    assert len(found.failures) == 1
    assert found.failures[0].startswith("not verified: trades, schedules and settlement are sums")
    accounts = pd.read_parquet(folder / "accounts.parquet")
    accounts.loc[3, "payment_micro"] += 5
    accounts.to_parquet(folder / "accounts.parquet", index=False)
    words = verify(folder).failures
    assert "accounts.parquet: the payments do not sum to zero" in words
    assert any("cost_after of" in each for each in words)
    assert any("its checksum differs" in each for each in words)


def test_a_group_is_told_from_a_stated_building_of_its_kind() -> None:
    common = {"kind": "home", "community": "here", "bus": 2, "weight": 1.0}
    people = pd.DataFrame([{"agent": name, **common} for name in ("Stated", "a", "b")])
    groups = Groups.of(people, stated=1)
    table = pd.DataFrame([{**common, "device": "pv", "slot": slot} for slot in range(3)])
    named = groups.named(table.drop(columns="weight"))
    assert list(named["agent"]) == ["home (2) at bus 2"] * 3
