"""Drawn buildings: reproducible, distributed as stated, feasible, and the same by hand."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Device
from nashgrid.agents.devices.shiftable_load import ShiftableLoad
from nashgrid.agents.local_problem import LocalProblem
from nashgrid.agents.population import Population
from nashgrid.agents.population.feasibility import check_feasible
from nashgrid.runs import inputs
from nashgrid.runs.population_draw import STORAGE_KINDS, DrawnPopulation, draw
from nashgrid.runs.population_entry import KindEntry, PopulationEntry
from nashgrid.runs.profiles import built_in_profile, resample
from nashgrid.runs.scenario import BuildingEntry, Scenario
from nashgrid.runs.scenario_devices import (
    BatteryEntry,
    LoadEntry,
    PhotovoltaicEntry,
    ShiftableEntry,
    VehicleEntry,
)
from nashgrid.runs.scenario_files import load_scenario

At = Callable[..., Scenario]
# Stays end before midnight, so that they can be said in an explicit entry; windows at full hours.
PLAIN = KindEntry(
    name="home",
    share=1.0,
    profiles=("H0-A", "H0-C"),
    annual_kwh=4000,
    preferred_from=time(17),
    preferred_until=time(21),
    arrival=time(9),
    departure=time(16),
)


@pytest.fixture(scope="module")
def at() -> At:
    """at(start, slots, minutes) -> the village without anybody, in other slots."""
    village = load_scenario("village")

    def change(start: str = "2016-05-25T00:00", slots: int = 24, minutes: int = 60) -> Scenario:
        entry = {
            "start": datetime.fromisoformat(start),
            "slots": slots,
            "slot_minutes": minutes,
        }
        horizon = village.horizon.model_copy(update=entry)
        return village.model_copy(update={"horizon": horizon})

    return change


def same(one: DrawnPopulation, two: DrawnPopulation, rows: np.ndarray, others: np.ndarray) -> None:
    """Some rows of one are byte for byte some rows of the other, devices included."""
    left = one.roster.iloc[rows].reset_index(drop=True)
    assert left.equals(two.roster.iloc[others].reset_index(drop=True))
    for name in ("load_kw", "available_kw", "connection_kw", "size_kw"):
        np.testing.assert_array_equal(
            getattr(one.buildings, name)[rows], getattr(two.buildings, name)[others], name
        )
    for group in ("storages", "loads"):
        a, b = getattr(one.buildings, group), getattr(two.buildings, group)
        mine = [k for row in rows for k in np.flatnonzero(a.owner == row)]
        theirs = [k for row in others for k in np.flatnonzero(b.owner == row)]
        assert len(mine) == len(theirs)
        for name in type(a).__dataclass_fields__:
            if name != "owner" and getattr(a, name) is not None and mine:
                np.testing.assert_array_equal(getattr(a, name)[mine], getattr(b, name)[theirs])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(at: At) -> None:
    entry = PopulationEntry(count=300, seed=4)
    rows = np.arange(300)
    same(draw(entry, at()), draw(entry, at()), rows, rows)
    other = draw(PopulationEntry(count=300, seed=5), at())
    assert not (other.buildings.load_kw == draw(entry, at()).buildings.load_kw).any(axis=1).all()
    assert other.roster["annual_kwh"].nunique() == 300


@pytest.mark.parametrize("feeder", [None, "ieee33"])
def test_a_building_is_the_same_in_a_larger_population(at: At, feeder: str | None) -> None:
    scenario = at()
    if feeder:
        wires = load_scenario("campus33").feeder
        scenario = scenario.model_copy(update={"feeder": wires})
    small = draw(PopulationEntry(count=60), scenario)
    large = draw(PopulationEntry(count=5000), scenario)
    places = {name: row for row, name in enumerate(large.roster["agent"])}
    others = np.array([places[name] for name in small.roster["agent"]])
    same(small, large, np.arange(60), others)
    if feeder is None:
        same(draw(PopulationEntry(count=1), scenario), large, np.arange(1), np.arange(1))


def test_names_and_owners_are_as_the_roster_says(at: At) -> None:
    drawn = draw(PopulationEntry(count=2000, community="Vale", bargaining_weight=2.0), at())
    roster, buildings = drawn.roster, drawn.buildings
    assert list(roster["agent"][:2]) == [
        f"{kind} {number:07d}" for number, kind in enumerate(roster["kind"][:2], start=1)
    ]
    assert roster["agent"].is_unique
    assert set(roster["community"]) == {"Vale"}
    assert set(roster["weight"]) == {2.0}
    assert (drawn.places, set(roster["bus"])) == ((0,), {0})
    for code, kind in enumerate(STORAGE_KINDS):
        owner = buildings.storages.owner[drawn.storage_kind == code]
        np.testing.assert_array_equal(np.flatnonzero(roster[f"{kind}_kwh"] > 0), np.sort(owner))
    owner = buildings.loads.owner
    np.testing.assert_array_equal(np.flatnonzero(roster["shiftable_kwh"] > 0), owner)
    np.testing.assert_array_equal(
        roster["shiftable_kwh"].to_numpy()[owner], buildings.loads.energy_kwh
    )
    np.testing.assert_array_equal(roster["pv_kwp"] > 0, buildings.available_kw.max(axis=1) > 0)
    assert (buildings.available_kw <= roster["pv_kwp"].to_numpy()[:, None]).all()
    assert (roster["pv_kwp"][roster["battery_kwh"] > 0] > 0).all()


def test_shares_medians_and_energies_are_those_of_the_entry(at: At) -> None:
    entry = PopulationEntry(count=20_000, pv_share=0.3, vehicle_share=0.1, shiftable_share=0.7)
    year = draw(entry, at("2016-01-01T00:00", slots=366, minutes=1440))
    roster = draw(entry, at()).roster
    near = {"abs": 0.012}  # four standard deviations of a share of 20,000
    assert (roster["pv_kwp"] > 0).mean() == pytest.approx(0.3, **near)
    assert (roster["battery_kwh"] > 0).mean() == pytest.approx(0.3 * 0.6, **near)
    assert (roster["vehicle_kwh"] > 0).mean() == pytest.approx(0.1, **near)
    assert (roster["shiftable_kwh"] > 0).mean() == pytest.approx(0.7, **near)
    for kind in entry.kinds:
        rows = roster["kind"] == kind.name
        assert rows.mean() == pytest.approx(kind.share, **near)
        scale = np.log(roster["annual_kwh"][rows] / kind.annual_kwh)
        assert scale.median() == pytest.approx(0, abs=0.1)
        assert scale.std() == pytest.approx(kind.annual_spread, rel=0.1)
        assert scale.abs().max() <= 3 * kind.annual_spread + 1e-12
    rating = roster["pv_kwp"] / roster["annual_kwh"] * 1000
    assert rating[rating > 0].median() == pytest.approx(entry.pv_kwp_per_mwh, rel=0.03)
    # Over a year a building takes its annual consumption, shifted or not (366 days, not 365).
    taken = 24 * year.buildings.load_kw.sum(axis=1) + year.roster["shiftable_kwh"] * 365 / 366
    np.testing.assert_allclose(taken, year.roster["annual_kwh"], rtol=1e-9)


def test_the_profiles_are_those_of_the_kind_in_the_slots(at: At) -> None:
    """Every load is a mixture of two profiles of its kind; PV is one profile times its rating."""
    scenario = at("2016-06-19T06:15", slots=40, minutes=30)
    entry = PopulationEntry(count=300, kinds=(PLAIN,), shiftable_share=0.0, pv_share=1.0)
    drawn = draw(entry, scenario)
    horizon = scenario.horizon

    def of(name: str) -> np.ndarray:
        series = built_in_profile(name)
        return resample(series, horizon.start, horizon.slots, horizon.slot_minutes)

    shapes = np.array([of(n) / (built_in_profile(n).sum() / 4) for n in PLAIN.profiles])
    annual = drawn.roster["annual_kwh"].to_numpy()
    load = drawn.buildings.load_kw
    parts, left, _, _ = np.linalg.lstsq(shapes.T, load.T)
    assert left.max() < 1e-20
    np.testing.assert_allclose(parts.sum(axis=0), annual, rtol=1e-9)
    assert parts.min() > -1e-9 * annual.max()
    assert ((parts > 1).all(axis=0)).mean() > 0.3  # the others drew the same profile twice
    plants = np.array([of(f"PV{number}") for number in range(1, 9)])
    power = drawn.buildings.available_kw / drawn.roster["pv_kwp"].to_numpy()[:, None]
    away = np.abs(power[:, None] - plants).max(axis=2)
    assert away.min(axis=1).max() < 1e-12
    assert len(set(away.argmin(axis=1))) == 8


HORIZONS = [
    ("2016-01-19T00:00", 24, 60),
    ("2016-06-23T00:00", 24, 60),
    ("2016-06-23T00:00", 1, 1440),
    ("2016-06-23T18:00", 1, 60),
    ("2016-06-23T10:00", 4, 60),
    ("2016-01-19T00:00", 96, 15),
    ("2016-07-23T00:00", 72, 60),
    ("2016-07-23T07:20", 50, 7),
    ("2016-07-23T13:30", 5, 600),
]


@pytest.mark.parametrize(("start", "slots", "minutes"), HORIZONS)
def test_every_drawn_building_is_feasible(at: At, start: str, slots: int, minutes: int) -> None:
    drawn = draw(PopulationEntry(count=20_000, seed=slots), at(start, slots, minutes))
    check_feasible(drawn.buildings)
    # By construction, without any generation and whatever the storages do together.
    storages, loads = drawn.buildings.storages, drawn.buildings.loads
    most = drawn.buildings.load_kw.copy()
    np.add.at(most, loads.owner, loads.limit_kw)
    vehicles = drawn.storage_kind == STORAGE_KINDS.index("vehicle")
    if vehicles.any():
        np.add.at(most, storages.owner[vehicles], storages.charge_kw[vehicles])
    assert (most <= drawn.buildings.connection_kw[:, None]).all()
    power = storages.charge_kw if storages.charge_kw.ndim == 1 else storages.charge_kw.max(axis=1)
    assert (power <= drawn.buildings.connection_kw[storages.owner]).all()


@pytest.mark.parametrize(
    "odd",
    [
        {"size_spread": 1.0, "cost_spread": 1.0, "vehicle_need_kwh": 80.0},
        {"time_spread_hours": 6.0, "shiftable_slack_hours": 6.0},
        {"time_spread_hours": 0.0, "shiftable_slack_hours": 0.0, "shiftable_headroom": 1.1},
        {"connection_kw": 0.1, "pv_kwp_per_mwh": 20.0, "battery_hours": 0.1},
        {"pv_share": 0.0, "vehicle_share": 0.0, "shiftable_share": 0.0},
        {"pv_share": 1.0, "battery_share": 1.0, "vehicle_share": 1.0, "shiftable_share": 1.0},
        {"count": 1},
    ],
)
def test_odd_entries_are_feasible_too(at: At, odd: dict[str, Any]) -> None:
    for start, slots, minutes in HORIZONS[:5]:
        entry = PopulationEntry.model_validate({"count": 2000, **odd})
        check_feasible(draw(entry, at(start, slots, minutes)).buildings)


def by_hand(drawn: DrawnPopulation, row: int, scenario: Scenario) -> BuildingEntry:
    """A drawn building without its shiftable load, as an entry of a scenario file."""
    storages = drawn.buildings.storages
    groups: dict[str, list[Any]] = {"batteries": [], "vehicles": []}
    for k in np.flatnonzero(storages.owner == row):
        power = float(storages.charge_kw[k].max())
        capacity = float(storages.energy_max_kwh[k] / 0.9)
        fields = {
            "capacity_kwh": capacity,
            "power_kw": power,
            "initial_soc": storages.energy_start_kwh[k] / capacity,
            "final_soc": storages.energy_end_min_kwh[k] / capacity,
            "charge_efficiency": storages.charge_efficiency[k],
            "discharge_efficiency": storages.discharge_efficiency[k],
            "wear_per_kwh": storages.wear_per_kwh[k],
            "full_power_wear_per_kwh": storages.wear_quadratic[k] * power,
        }
        if drawn.storage_kind[k] == STORAGE_KINDS.index("battery"):
            groups["batteries"].append(BatteryEntry.model_validate(fields))
            continue
        stay = np.flatnonzero(storages.charge_kw[k])
        starts = inputs.slot_starts(scenario.horizon)
        end = starts[stay[-1]] + timedelta(minutes=scenario.horizon.slot_minutes)
        fields |= {"arrival": starts[stay[0]].time(), "departure": end.time()}
        groups["vehicles"].append(VehicleEntry.model_validate(fields))
    rating = float(drawn.roster["pv_kwp"].iloc[row])
    plants = []
    if rating:
        values = tuple(drawn.buildings.available_kw[row].tolist())
        plants.append(PhotovoltaicEntry(values=values, unit="kw", rating_kw=rating))
    load = LoadEntry(values=tuple(drawn.buildings.load_kw[row].tolist()), unit="kw")
    return BuildingEntry(
        name=str(drawn.roster["agent"].iloc[row]),
        connection_kw=float(drawn.buildings.connection_kw[row]),
        loads=(load,),
        pv=tuple(plants),
        batteries=tuple(groups["batteries"]),
        vehicles=tuple(groups["vehicles"]),
    )


def devices_by_hand(drawn: DrawnPopulation, row: int, scenario: Scenario) -> list[Device]:
    """All devices of a drawn building as explicit ones."""
    found = inputs.devices(by_hand(drawn, row, scenario), scenario)
    loads = drawn.buildings.loads
    for m in np.flatnonzero(loads.owner == row):
        found.append(
            ShiftableLoad(
                "shiftable load 1",
                float(loads.energy_kwh[m]),
                loads.limit_kw[m],
                loads.preferred_kw[m],
                float(loads.discomfort[m]),
            )
        )
    return found


@pytest.mark.parametrize(("start", "slots", "minutes"), [HORIZONS[1], HORIZONS[5]])
def test_a_drawn_building_stated_by_hand_has_the_same_optimum(
    at: At, start: str, slots: int, minutes: int
) -> None:
    scenario = at(start, slots, minutes)
    kinds = tuple(
        kind.model_copy(update={"arrival": time(9), "departure": time(17)})
        for kind in PopulationEntry(count=1).kinds
    )
    entry = PopulationEntry(count=20, seed=2, kinds=kinds, vehicle_share=0.5)
    drawn = draw(entry, scenario)
    rng = np.random.default_rng(7)
    price = inputs.tariff(scenario).retail_price_per_kwh * rng.uniform(0.3, 1.0, slots)
    target = rng.normal(0, 1, drawn.buildings.load_kw.shape)
    rho, hours = 0.05, scenario.horizon.slot_hours
    population = Population(drawn.buildings, threads=1)
    trade = population.settle(price, target, rho)
    own = population.cost()
    assert {"battery", "vehicle", "shiftable"} <= {
        name.removesuffix("_kwh") for name in drawn.roster if (drawn.roster[name] != 0).any()
    }
    for row, size in enumerate(drawn.buildings.size_kw):
        alone = LocalProblem(
            "alone",
            devices_by_hand(drawn, row, scenario),
            inputs.horizon(scenario),
            drawn.buildings.connection_kw[row],
        )
        paid = hours * (price @ alone.trade)
        paid += hours * rho / 2 / size * cp.sum_squares(alone.trade - target[row])
        problem = cp.Problem(cp.Minimize(alone.cost + paid), alone.statement.constraints)
        problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
        away = ((trade[row] - target[row]) ** 2).sum()
        total = own[row] + hours * (price @ trade[row]) + hours * rho / 2 / size * away
        assert total == pytest.approx(problem.value, abs=1e-6)
        np.testing.assert_allclose(trade[row], alone.trade.value, atol=1e-5)


def test_sizes_windows_and_preferences_are_those_of_explicit_entries(at: At) -> None:
    """At full hours a drawn building can be said completely in a scenario file."""
    scenario = at()
    entry = PopulationEntry(
        count=40,
        kinds=(PLAIN,),
        time_spread_hours=0.0,
        shiftable_slack_hours=0.0,
        shiftable_share=1.0,
    )
    drawn = draw(entry, scenario)
    loads = drawn.buildings.loads
    for row in range(40):
        shiftable = ShiftableEntry(
            energy_kwh=float(loads.energy_kwh[row]),
            limit_kw=float(loads.limit_kw[row].max()),
            earliest=PLAIN.preferred_from,
            latest=PLAIN.preferred_until,
            preferred_from=PLAIN.preferred_from,
            preferred_until=PLAIN.preferred_until,
            discomfort_per_kwh=float(loads.discomfort[row] * loads.limit_kw[row].max()),
        )
        explicit = by_hand(drawn, row, scenario).model_copy(
            update={"shiftable_loads": (shiftable,)}
        )
        assert inputs.size_kw(explicit, scenario) == pytest.approx(drawn.buildings.size_kw[row])
        device = next(d for d in inputs.devices(explicit, scenario) if "shift" in d.name)
        assert isinstance(device, ShiftableLoad)
        np.testing.assert_allclose(device.limit_kw, loads.limit_kw[row])
        np.testing.assert_allclose(device.preferred_kw, loads.preferred_kw[row], atol=1e-12)
        assert device.discomfort == pytest.approx(loads.discomfort[row])
        BuildingEntry.model_validate(explicit.model_dump())


def test_a_vehicle_charges_what_it_needs_within_its_stay(at: At) -> None:
    entry = PopulationEntry(count=3000, vehicle_share=1.0, size_spread=0.0)
    drawn = draw(entry, at())
    vehicles = drawn.buildings.storages.take(np.flatnonzero(drawn.storage_kind == 1))
    need = vehicles.energy_end_min_kwh - vehicles.energy_start_kwh
    stay = vehicles.charge_kw > 0
    starts = stay.argmax(axis=1)
    hours = stay.sum(axis=1)
    # A stay too short for the need asks for less.
    reach = 0.95 * vehicles.charge_kw.max(axis=1) * hours * entry.charge_efficiency
    np.testing.assert_allclose(need, np.minimum(7.0, reach), rtol=1e-9)
    assert (reach < 7.0).any()
    assert (stay[np.arange(3000), starts + hours - 1]).all()  # one stay, without gap
    home = (drawn.roster["kind"] == "household").to_numpy()[vehicles.owner]
    # From 17:00 give or take 1.5 h, in whole slots, until midnight at the latest.
    assert set(starts[home]) == {16, 17, 18, 19}
    assert {22, 23, 24} >= set((starts + hours)[home])


def test_reactive_power_is_that_of_the_load_at_each_bus(at: At) -> None:
    wires = load_scenario("campus33").feeder
    scenario = at().model_copy(update={"feeder": wires})
    drawn = draw(PopulationEntry(count=500, power_factor=0.9, buses=(7, 3, 12)), scenario)
    assert drawn.places == (3, 7, 12)
    bus = drawn.roster["bus"].to_numpy()
    assert (np.diff(bus) >= 0).all()
    assert np.bincount(bus)[list(drawn.places)].min() > 500 / 3 - 4 * np.sqrt(500 * 2 / 9)
    for column, place in enumerate(drawn.places):
        active = drawn.buildings.load_kw[bus == place].sum(axis=0)
        apparent = np.hypot(active, drawn.reactive_kvar[:, column])
        np.testing.assert_allclose(active / apparent, 0.9)
    everywhere = draw(PopulationEntry(count=500), scenario)
    assert everywhere.places == tuple(range(2, 34))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"buses": (1,)},
            "population: buses: 1 must be a bus of feeder ieee33 other than its root 1",
        ),
        ({"buses": (3, 99)}, "population: buses: 99 must be a bus of feeder ieee33"),
        (
            {"kinds": (PLAIN.model_copy(update={"profiles": ("H0-X",)}),)},
            "population: there is no built-in profile 'H0-X'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(at: At, entry: dict[str, Any], words: str) -> None:
    scenario = at().model_copy(update={"feeder": load_scenario("campus33").feeder})
    with pytest.raises(ValueError, match=words):
        draw(PopulationEntry(count=5, **entry), scenario)


def test_a_horizon_beyond_the_profiles_is_named(at: At) -> None:
    with pytest.raises(ValueError, match="population: profile 'H0-A': the scenario wants 2017-05"):
        draw(PopulationEntry(count=5), at("2017-05-25T00:00"))


def test_some_rows_are_the_same_as_among_all(at: At) -> None:
    scenario = at().model_copy(update={"feeder": load_scenario("campus33").feeder})
    entry = PopulationEntry(count=600)
    whole = draw(entry, scenario)
    parts = [draw(entry, scenario, slice(*ends)) for ends in ((0, 150), (150, 600))]
    for name in ("load_kw", "available_kw", "connection_kw", "size_kw"):
        together = np.concatenate([getattr(part.buildings, name) for part in parts])
        np.testing.assert_array_equal(together, getattr(whole.buildings, name))
    own = whole.buildings.storages
    for part, start, stop in ((parts[0], 0, 150), (parts[1], 150, 600)):
        there = (own.owner >= start) & (own.owner < stop)
        np.testing.assert_array_equal(part.buildings.storages.owner, own.owner[there] - start)
        np.testing.assert_array_equal(part.buildings.storages.charge_kw, own.charge_kw[there])
        assert list(part.roster["agent"]) == list(whole.roster["agent"][start:stop])
        assert part.places == tuple(sorted(set(whole.roster["bus"][start:stop])))
    reactive = np.zeros_like(whole.reactive_kvar)
    for part in parts:
        reactive[:, np.searchsorted(whole.places, part.places)] += part.reactive_kvar
    np.testing.assert_allclose(reactive, whole.reactive_kvar, rtol=1e-12)
