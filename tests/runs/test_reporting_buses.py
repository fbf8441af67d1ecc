"""Reporting buses: no sum that who delivers hears is of one participant, where a scenario asks."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.network_charges.electrical_distance import electrical_distance
from nashgrid.runs.message_audit import found
from nashgrid.runs.reporting_buses import reporting_buses
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import PrivacyEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires

FEEDER = read_feeder("ieee33")


def merged(*buses: int) -> dict[int, int]:
    names = [f"agent {n}" for n in range(len(buses))]
    return reporting_buses(FEEDER, buses, names, having("p" * len(buses)), "merge")


def having(*each: str) -> NDArray[np.bool_]:
    """What agents have: p power, q reactive demand, i inverters; a word for each, or a letter."""
    words = each if len(each) > 1 else tuple(each[0])
    return np.array([[letter in word for letter in "pqi"] for word in words])


def test_the_nearest_are_joined_at_the_farther_bus() -> None:
    # 17 and 18 end the feeder, with 2 at its beginning; two participants at 6.
    assert merged(6, 6, 17, 18) == {17: 18}
    assert merged(2, 6, 6, 17, 18) == {17: 18, 2: 6}
    # A third at 16 joins the two: all three are reported at the end.
    assert merged(6, 6, 16, 17, 18) == {16: 18, 17: 18}


@given(buses=st.lists(st.integers(2, 33), min_size=2, max_size=40))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_every_place_has_two_and_order_does_not_matter(buses: list[int]) -> None:
    if len(set(buses)) == 1:
        assert merged(*buses) == {}
        return
    found = merged(*buses)
    places = [found.get(bus, bus) for bus in buses]
    assert min(places.count(place) for place in places) >= 2
    assert not set(found) & set(found.values())
    assert merged(*reversed(buses)) == found
    # It is never reported nearer to the root.
    for bus, place in found.items():
        depth = electrical_distance(FEEDER, [FEEDER.root_bus, bus, place])[0]
        assert depth[2] >= depth[1]


@pytest.mark.parametrize("rule", ["refuse", "merge"])
def test_two_everywhere_is_nobody_s_concern(rule: Literal["merge", "refuse"]) -> None:
    assert reporting_buses(FEEDER, [3, 3, 8, 8], list("abcd"), having("pppp"), rule) == {}


@pytest.mark.parametrize("has", ["-", "p", "pi"])
def test_who_has_nothing_of_a_sum_hides_nobody_in_it(has: str) -> None:
    # The house at 18 with somebody idle, with a generator, with one whose inverter is set.
    seen = having("pq", has, "pqi", "pqi")
    found = reporting_buses(FEEDER, [18, 18, 17, 17], list("abcd"), seen, "merge")
    assert found == {17: 18}
    words = r"(a|b) is the only participant of bus 18 with (power|reactive demand)"
    with pytest.raises(ValueError, match=words):
        reporting_buses(FEEDER, [18, 18, 17, 17], list("abcd"), seen, "refuse")


def test_the_only_load_of_a_feeder_cannot_be_hidden() -> None:
    seen = having("p", "p", "pq", "p")
    with pytest.raises(ValueError, match="c is the only participant of the feeder with reactive"):
        reporting_buses(FEEDER, [2, 2, 3, 3], list("abcd"), seen, "merge")


def test_the_audit_names_what_a_sum_over_one_gives_away() -> None:
    scenario = private("merge")
    library = next(one for one in scenario.buildings if one.name == "Library")
    beside = [one.model_copy(update={"bus": library.bus}) for one in scenario.generators]
    people = {"buildings": (library,), "generators": tuple(beside), "community_batteries": ()}
    wires = lay_wires(private("allow").model_copy(update=people))
    audited = replace(wires, scenario=scenario.model_copy(update=people))
    found_ = found((), (), audited, roster(audited.scenario, None))
    assert found_.alone == {}
    assert found_.to_counterparty == (f"the reactive demand of Library alone at bus {library.bus}",)


def private(rule: Literal["allow", "merge", "refuse"], name: str = "campus33") -> Scenario:
    entry = PrivacyEntry(single_participant_buses=rule)
    return load_scenario(name).model_copy(update={"privacy": entry})


def test_refused_with_bus_and_agent() -> None:
    with pytest.raises(ValueError, match=r"Town hall is the only participant of bus 2.*31 more"):
        simulate(private("refuse"))


def test_a_community_of_one_is_refused() -> None:
    duet = private("merge", "duet")
    alone = duet.model_copy(update={"buildings": duet.buildings[:1]})
    with pytest.raises(ValueError, match="Sunny house is the only participant of the community"):
        simulate(alone)


def test_merging_moves_reactive_power_along_and_keeps_its_sum() -> None:
    wires, plain = lay_wires(private("merge")), lay_wires(private("allow"))
    assert plain.reported_kvar is plain.reactive_kvar
    np.testing.assert_array_equal(wires.reactive_kvar, plain.reactive_kvar)
    np.testing.assert_allclose(
        wires.reported_kvar.sum(axis=1), plain.reactive_kvar.sum(axis=1), rtol=1e-12
    )
    assert len(wires.places) < len(plain.places) / 1.9
    buses = [entry.bus for entry in wires.scenario.agents]
    assert min(np.bincount(wires.place_of(buses))) >= 2


def test_a_merged_run_is_certified_and_verified(tmp_path: Path) -> None:
    scenario = private("merge")
    coarse = scenario.horizon.model_copy(update={"slots": 12, "slot_minutes": 120})
    outcome = simulate(scenario.model_copy(update={"horizon": coarse}), "two-part")
    assert outcome.certified
    audit = outcome.certificate["message_audit"]
    assert audit["alone_at_bus"] == {}
    words = outcome.certificate["claims"]["messages: operator"]["words"]
    assert "at least two participants" in words
    folder = outcome.save(tmp_path / "run")
    assert "<b>Buses reported at another</b>" in (folder / "report.html").read_text()
    assert verify(folder).failures == ()
    # Voltages and flows are those of the true buses: flows add up to what the agents take there.
    trades = outcome.trades
    own = trades[(trades["case"] == "trading") & (trades["agent"] == "Farm")]
    bus = int(own["bus"].iloc[0])
    assert str(bus) in audit["reported_at_bus"] or bus in set(outcome.prices["bus"])
    lines = outcome.lines[outcome.lines["case"] == "trading"]
    last = lines[lines["to_bus"] == 18].sort_values("slot")["flow_kw"].to_numpy()
    there = trades[
        (trades["case"] == "trading") & (trades["bus"] == 18) & (trades["community"] != "")
    ]
    taken = there.groupby("slot")["trade_kw"].sum().to_numpy()
    np.testing.assert_allclose(last, taken, atol=1e-9)
