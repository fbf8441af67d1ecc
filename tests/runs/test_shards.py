"""A population in shards: the same to the last bit, messages and clock too, as in one process."""

from dataclasses import asdict

import numpy as np
import pytest

from nashgrid.market.topics import MONEY, SHAPLEY_MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.inputs import with_values
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.shard_workers import LocalCrew, shares
from nashgrid.runs.sharded_model import ShardedModel

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
