"""The population entry of a scenario file: its bounds, its names, and its size on the way."""

import copy
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nashgrid.runs.population_entry import KINDS, PopulationEntry
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario, scenario_toml

Change = Callable[[dict[str, Any]], object]


def alone(duet: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The duet without its houses, but with a population."""
    content = {key: value for key, value in copy.deepcopy(duet).items() if key != "buildings"}
    return {**content, "population": {"count": 5, **fields}}


def parse(content: dict[str, Any]) -> Scenario:
    return parse_scenario(tomli_w.dumps(content), "mine.toml", Path())


def test_a_population_alone_is_a_scenario_and_goes_through_toml_and_back(
    duet: dict[str, Any],
) -> None:
    read = parse(alone(duet, seed=2**63 - 1, pv_share=0.25))
    assert read.agents == ()
    assert read.population == PopulationEntry(count=5, seed=2**63 - 1, pv_share=0.25)
    text = scenario_toml(read)
    assert parse_scenario(text, "again", Path()) == read
    # Complete: defaults stand in the text, the kinds too.
    assert "vehicle_share = 0.25" in text
    assert text.count("[[population.kinds]]") == len(KINDS)
    beside = parse({**copy.deepcopy(duet), "population": {"count": 3}})
    assert (len(beside.buildings), beside.population) == (2, PopulationEntry(count=3))


def test_default_kinds_are_five_and_mostly_households() -> None:
    shares = {kind.name: kind.share for kind in KINDS}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=lambda name: shares[name]) == "household"
    # BDEW's household of the German price statistics.
    assert KINDS[0].annual_kwh == 3500


def kind(**fields: Any) -> Change:
    stated = tomli_kind() | fields
    return lambda content: content["population"].update(kinds=[stated])


def tomli_kind() -> dict[str, Any]:
    return {
        "name": "home",
        "share": 1.0,
        "profiles": ["H0-A"],
        "annual_kwh": 3000.0,
        "preferred_from": time(17),
        "preferred_until": time(21),
        "arrival": time(9),
        "departure": time(16),
    }


def field(**fields: Any) -> Change:
    return lambda content: content["population"].update(fields)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (field(count=0), ["population: count", "greater than or equal to 1", "given: 0"]),
        (field(count=10**7), ["population: count", "less than or equal to 9999999"]),
        (field(count=5.5), ["population: count", "integer", "5.5"]),
        (field(seed=-1), ["population: seed", "greater than or equal to 0", "-1"]),
        (field(seed="one"), ["population: seed", "'one'"]),
        (field(pv_share=1.5), ["pv_share", "less than or equal to 1", "1.5"]),
        (field(vehicle_share=float("nan")), ["vehicle_share", "nan"]),
        (field(size_spread=1.1), ["size_spread", "less than or equal to 1", "1.1"]),
        (field(shiftable_fraction=0.6), ["shiftable_fraction", "0.5", "0.6"]),
        (field(shiftable_headroom=1.0), ["shiftable_headroom", "1.1"]),
        (field(battery_hours=0), ["battery_hours", "0.1"]),
        (field(charge_efficiency=0), ["charge_efficiency", "greater than 0"]),
        (field(vehicle_powers_kw=[]), ["vehicle_powers_kw", "at least 1"]),
        (field(kinds=[]), ["population: kinds", "at least 1"]),
        (field(homes=3), ["population: homes", "no such field"]),
        (field(buses=[2]), ["population: buses", "with a feeder only"]),
        (field(buses=[2, 3, 2]), ["buses: 2 stands there more than once"]),
        (kind(arrival=time(17)), ["'home'", "arrival = 17:00:00", "departure = 16:00:00"]),
        (kind(profiles=[]), ["'home': profiles", "at least 1"]),
        (kind(name="utility"), ["kinds 'utility'", "kind of who delivers"]),
        (kind(name="a/b"), ["'/' cannot stand in a name"]),
        (kind(share=0.0), ["'home': share", "greater than 0"]),
        (
            lambda c: c["population"].update(kinds=[tomli_kind(), tomli_kind()]),
            ["kinds: 'home' stands there more than once"],
        ),
        (
            lambda c: c.update(unserved_load_price_per_kwh=3.0),
            ["unserved_load_price_per_kwh = 3.0", "population"],
        ),
        (
            lambda c: c.update(
                community_batteries=[{"name": "shop 0000005", "capacity_kwh": 4.0, "power_kw": 2.0}]
            ),
            ["shop 0000005", "choose another"],
        ),
    ],
)
def test_what_is_wrong_with_a_population_is_named(
    duet: dict[str, Any], change: Change, words: list[str]
) -> None:
    content = alone(duet)
    change(content)
    with pytest.raises(ValueError, match=r"^scenario mine\.toml: ") as caught:
        parse(content)
    for word in words:
        assert word in str(caught.value)


def test_names_that_cannot_be_drawn_are_free() -> None:
    entry = PopulationEntry(count=5)
    assert entry.may_draw("farm 0000001")
    for name in ("farm 0000006", "farm 0000000", "farm 000001", "mill 0000001", "farm"):
        assert not entry.may_draw(name)


def test_midnight_ends_a_stay() -> None:
    assert KINDS[0].departure == time(0)
    assert KINDS[0].arrival == time(17)


def test_the_count_of_a_population_is_replaced_and_the_exchange_grows_with_it() -> None:
    district = load_scenario("district")
    assert district.population is not None
    more = with_population(district, 50_000)
    assert more.population == district.population.model_copy(update={"count": 50_000})
    assert more.utility.exchange_limit_kw == 50 * district.utility.exchange_limit_kw
    fewer = with_population(district, 10)
    # A hundredth of the buildings, a tenth of the limit.
    assert fewer.utility.exchange_limit_kw == pytest.approx(district.utility.exchange_limit_kw / 10)
    assert with_population(district, 1000) == district
    assert parse_scenario(scenario_toml(more), "again", Path()) == more


def test_drawn_buildings_take_the_place_of_stated_ones_on_their_buses() -> None:
    campus = load_scenario("campus33")
    links = [{"agent": campus.buildings[0].name, "loss": 0.1}]
    links.append({"agent": campus.generators[0].name, "loss": 0.2})
    messages = type(campus.messages).model_validate({"links": links})
    drawn = with_population(campus.model_copy(update={"messages": messages}), 280)
    assert drawn.buildings == ()
    assert drawn.generators == campus.generators
    assert drawn.community_batteries == campus.community_batteries
    assert [link.agent for link in drawn.messages.links] == [campus.generators[0].name]
    assert drawn.population is not None
    assert drawn.population.buses == tuple(sorted(b.bus or 0 for b in campus.buildings))
    assert drawn.population.community == "community"
    limit = campus.utility.exchange_limit_kw * 280 / len(campus.buildings)
    assert drawn.utility.exchange_limit_kw == pytest.approx(limit)
    village = with_population(load_scenario("village"), 10)
    assert village.population == PopulationEntry(count=10, community="Village")
    assert village.utility.exchange_limit_kw == 120


@pytest.mark.parametrize("count", [0, -3, 10**7])
def test_a_count_out_of_bounds_is_named(count: int) -> None:
    for name in ("district", "village"):
        with pytest.raises(ValueError, match=rf"population of {count}: count: .*given: {count}"):
            with_population(load_scenario(name), count)
