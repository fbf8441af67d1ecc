"""Communities of complementary profiles."""

import copy
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nashgrid as ng
from nashgrid.runs.communities import (
    communities_by_bus,
    exchanged,
    form_communities,
    links,
    random_communities,
)
from nashgrid.runs.inputs import with_values
from nashgrid.runs.scenario import CommunitiesEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario, scenario_toml

# Two buy in the morning what the other two sell; in the evening nobody sells.
FOUR = np.array([[3.0, 1.0], [2.0, 0.0], [-2.0, 1.0], [-3.0, 0.0]])


def test_four_agents_pair_up_with_whom_they_complement() -> None:
    assert form_communities(FOUR, 2).tolist() == [0, 1, 1, 0]
    found = exchanged(FOUR, np.array([0, 1, 1, 0]), slot_hours=0.5)
    # Alone 10 kW in the first slot and 2 in the second; paired, nothing is left of the 10.
    assert (found.alone_kwh, found.inside_kwh) == (6.0, 2.5)
    assert (found.between_kwh, found.upstream_kwh) == (0.0, 1.0)
    assert found.relative_exchange == pytest.approx(1 / 6)
    # The two who buy, the two who sell: all passes between the communities.
    apart = exchanged(FOUR, np.array([0, 0, 1, 1]), slot_hours=0.5)
    assert (apart.inside_kwh, apart.between_kwh, apart.upstream_kwh) == (0.0, 2.5, 1.0)


def test_links_fall_as_published_in_the_notes_on_virtual_communities() -> None:
    """Twelve buildings, four communities of three: 66 -> 30."""
    assert links(np.arange(12) % 4) == (66, 30)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(seed=st.integers(0, 10**6), agents=st.integers(2, 7), count=st.integers(1, 3))
def test_no_two_could_change_places_and_the_groups_are_even(
    seed: int, agents: int, count: int
) -> None:
    count = min(count, agents)
    profiles = np.random.default_rng(seed).normal(size=(agents, 5))
    found = form_communities(profiles, count)
    sizes = np.bincount(found, minlength=count)
    assert sizes.max() - sizes.min() <= 1
    assert found[0] == 0
    assert np.array_equal(found, form_communities(profiles, count))

    def outside(groups: np.ndarray) -> float:
        one = exchanged(profiles, groups, 1.0)
        assert min(one.inside_kwh, one.between_kwh, one.upstream_kwh) >= 0
        total = 2 * one.inside_kwh + 2 * one.between_kwh + one.upstream_kwh
        assert total == pytest.approx(one.alone_kwh)
        return one.alone_kwh - 2 * one.inside_kwh

    for first in range(agents):
        for second in range(first):
            changed = found.copy()
            changed[[first, second]] = found[[second, first]]
            assert outside(found) <= outside(changed) + 1e-8


def test_the_search_finds_the_best_of_all_groupings_of_six() -> None:
    profiles = np.random.default_rng(3).normal(size=(6, 4))
    every = {tuple(order) for order in permutations([0, 0, 1, 1, 2, 2])}
    best = max(exchanged(profiles, np.array(groups), 1.0).inside_kwh for groups in every)
    found = exchanged(profiles, form_communities(profiles, 3), 1.0)
    assert found.inside_kwh == pytest.approx(best, rel=1e-12)


def test_groups_at_random_and_by_bus_are_even_too() -> None:
    drawn = random_communities(10, 4, seed=1)
    assert sorted(Counter(drawn.tolist()).values()) == [2, 2, 3, 3]
    assert not np.array_equal(drawn, random_communities(10, 4, seed=2))
    assert communities_by_bus(np.array([7, 2, 9, 3]), 2).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(("name", "least"), [("campus33", 1.004), ("campus33-export", 1.1)])
def test_complementary_communities_exchange_more_than_random_ones(name: str, least: float) -> None:
    scenario = load_scenario(name)
    formed = ng.form_communities(scenario, 4)
    inside = formed.figures["inside_kwh"]
    assert inside["complementary"] >= least * inside["random"]
    assert inside["complementary"] >= max(inside["stated"], inside["bus"]) - 1e-6
    # Who groups them does not change what all take from the utility together.
    upstream = formed.figures["upstream_kwh"].to_numpy()
    assert upstream == pytest.approx(np.full(4, upstream[0]))
    assert [len(names) for names in formed.members.values()] == [8] * 4
    assert {agent.community for agent in formed.scenario.agents} == set(formed.members)
    assert scenario.agents[0].community == "North"


def test_a_scenario_asks_for_its_communities(trio: dict[str, Any]) -> None:
    content = copy.deepcopy(trio) | {"communities": {"count": 2, "by": "bus"}}
    scenario = Scenario.model_validate(content)
    assert parse_scenario(scenario_toml(scenario), "again", Path()) == scenario
    formed = with_values(scenario)
    assert [agent.community for agent in formed.agents] == [
        "Community 1",
        "Community 1",
        "Community 2",
    ]
    assert formed.communities is None
    assert with_values(formed) == formed
    asked = scenario.model_copy(update={"communities": CommunitiesEntry(count=3, by="random")})
    assert len({agent.community for agent in with_values(asked).agents}) == 3


def test_a_run_leaves_the_communities_it_formed(duet: dict[str, Any], tmp_path: Path) -> None:
    asked = Scenario.model_validate(copy.deepcopy(duet) | {"communities": {"count": 2}})
    outcome = ng.simulate(asked, market="competitive", seed=1)
    own = outcome.accounts[outcome.accounts["agent"] != "utility"]
    assert list(own["community"]) == ["Community 1", "Community 2"]
    folder = outcome.save(tmp_path / "run")
    assert ng.verify(folder).holds
    # Communities move energy between levels; nobody trades more or less for them.
    as_stated = Scenario.model_validate(copy.deepcopy(duet))
    plain = ng.simulate(as_stated, market="competitive", seed=1)
    assert outcome.trades["trade_kw"].equals(plain.trades["trade_kw"])


@pytest.mark.parametrize(
    ("communities", "words"),
    [
        ({"count": 3}, "count = 3 must be at most the number of agents, 2"),
        ({"count": 2, "by": "bus"}, "by = 'bus' needs a feeder"),
        ({"count": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_formed_is_refused(
    duet: dict[str, Any], communities: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Scenario.model_validate(copy.deepcopy(duet) | {"communities": communities})


def test_a_population_is_not_grouped(duet: dict[str, Any]) -> None:
    asked = {"population": {"count": 5}, "communities": {"count": 2}}
    with pytest.raises(ValueError, match="not of a population"):
        Scenario.model_validate(copy.deepcopy(duet) | asked)
    with pytest.raises(ValueError, match="not of a population"):
        ng.form_communities(load_scenario("district"), 2)
    with pytest.raises(ValueError, match="count = 3 must be at least 1 and at most"):
        ng.form_communities(load_scenario("duet"), 3)
    with pytest.raises(ValueError, match="needs a feeder"):
        ng.form_communities(load_scenario("duet"), 2, "bus")
