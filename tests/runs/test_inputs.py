"""From entries to numbers per slot: worked out by hand, or refused by agent, value and bound."""

import copy
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.devices.battery import Battery, ElectricVehicle
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.devices.shiftable_load import ShiftableLoad
from nashgrid.runs import inputs
from nashgrid.runs.profiles import built_in_profile
from nashgrid.runs.scenario import HorizonEntry, Scenario

Change = Callable[[dict[str, Any]], object]
CSV = "time,mine_kw,sun_kw_per_m2,gust_m_per_s\n" + "".join(
    f"2016-06-23 {10 + step // 2}:{step % 2 * 3}0,{1 + step},{0.1 * step},{step}\n"
    for step in range(8)
)


def scenario(
    content: dict[str, Any], change: Change | None = None, folder: Path | None = None
) -> Scenario:
    content = copy.deepcopy(content)
    if change is not None:
        change(content)
    return Scenario.model_validate({**content, "folder": folder or Path()})


def sunny(**fields: Any) -> Change:
    return lambda content: content["buildings"][0].update(fields)


def first_devices(content: dict[str, Any], change: Change) -> list[Any]:
    read = scenario(content, change)
    return inputs.devices(read.buildings[0], read)


def test_slots_start_one_after_the_other(duet: dict[str, Any]) -> None:
    read = scenario(duet, lambda c: c["horizon"].update(slot_minutes=45))
    assert [start.strftime("%H:%M") for start in inputs.slot_starts(read.horizon)] == [
        "10:00",
        "10:45",
        "11:30",
        "12:15",
    ]
    assert inputs.horizon(read).slot_hours == 0.75


def test_a_tariff_period_holds_until_the_next_and_over_midnight(duet: dict[str, Any]) -> None:
    periods = [
        {"start": time(6), "retail_price_per_kwh": 0.3, "feed_in_price_per_kwh": 0.1},
        {"start": time(18), "retail_price_per_kwh": 0.4, "feed_in_price_per_kwh": 0.2},
    ]

    def change(content: dict[str, Any]) -> None:
        content["horizon"].update(start="2016-06-23T00:00:00", slots=4, slot_minutes=360)
        content["utility"]["tariff"] = periods

    # 00:00 still the evening's, then 06:00, 12:00 and 18:00.
    found = inputs.tariff(scenario(duet, change))
    np.testing.assert_array_equal(found.retail_price_per_kwh, [0.4, 0.3, 0.3, 0.4])
    np.testing.assert_array_equal(found.feed_in_price_per_kwh, [0.2, 0.1, 0.1, 0.2])


def test_a_tariff_that_sells_for_nothing_all_day_is_refused(duet: dict[str, Any]) -> None:
    free = {"start": time(0), "retail_price_per_kwh": 0.0, "feed_in_price_per_kwh": 0.0}
    with pytest.raises(ValueError, match="retail_price_per_kwh = 0 currency/kWh in every slot"):
        inputs.tariff(scenario(duet, lambda c: c["utility"].update(tariff=[free])))


def test_a_window_may_pass_midnight_and_equal_ends_mean_all_day() -> None:
    moments = [datetime(2016, 6, 23, hour) for hour in (0, 5, 6, 12, 22, 23)]
    assert (
        inputs.within(moments, time(6), time(22)).tolist()
        == [False, False, True, True] + [False] * 2
    )
    assert (
        inputs.within(moments, time(22), time(6)).tolist()
        == [True, True] + [False] * 2 + [True] * 2
    )
    assert inputs.within(moments, time(9), time(9)).all()


def test_devices_come_in_order_with_the_numbers_of_their_entries(duet: dict[str, Any]) -> None:
    found = first_devices(
        duet,
        sunny(
            loads=[{"values": [0.5, 0.25, 0, 1.0], "unit": "pu", "peak_kw": 4.0}],
            pv=[{"values": [0.0, 0.5, 1.2, 1.0], "unit": "kw_per_m2", "rating_kw": 4.0}],
            wind=[{"values": [2.0, 7.5, 12.0, 26.0], "unit": "m_per_s", "rating_kw": 10.0}],
            batteries=[{"capacity_kwh": 10.0, "power_kw": 4.0, "final_soc": 0.7}],
            shiftable_loads=[
                {
                    "energy_kwh": 2.0,
                    "limit_kw": 1.5,
                    "earliest": time(11),
                    "latest": time(13),
                    "preferred_from": time(11),
                    "preferred_until": time(12),
                    "discomfort_per_kwh": 0.03,
                }
            ],
            vehicles=[
                {
                    "capacity_kwh": 40.0,
                    "power_kw": 7.0,
                    "arrival": time(11),
                    "departure": time(13),
                }
            ],
        ),
    )
    load, pv, wind, battery, shiftable, vehicle = found
    assert isinstance(load, Load)
    np.testing.assert_array_equal(load.power_kw, [2.0, 1.0, 0.0, 4.0])
    assert isinstance(pv, Renewable)
    np.testing.assert_allclose(pv.available_kw, [0.0, 2.0, 4.0, 4.0])
    assert isinstance(wind, Renewable)
    # rated x (v^3 - 27) / (1728 - 27) between cut-in 3 and rated 12 m/s; nothing beyond 25.
    np.testing.assert_allclose(wind.available_kw, [0, 10 * (421.875 - 27) / 1701, 10.0, 0.0])
    assert isinstance(battery, Battery)
    assert (battery.minimum_kwh, battery.maximum_kwh) == (1.0, 9.0)
    assert (battery.initial_kwh, battery.final_kwh) == (5.0, 7.0)
    assert battery.wear_quadratic == pytest.approx(0.01 / 4.0)
    assert isinstance(shiftable, ShiftableLoad)
    np.testing.assert_array_equal(shiftable.limit_kw, [0.0, 1.5, 1.5, 0.0])
    # 2 kWh are liked best in one hour of at most 1.5 kW.
    np.testing.assert_array_equal(shiftable.preferred_kw, [0.0, 1.5, 0.0, 0.0])
    assert shiftable.discomfort == pytest.approx(0.02)
    assert isinstance(vehicle, ElectricVehicle)
    assert (vehicle.arrival_slot, vehicle.departure_slot) == (1, 3)
    assert (vehicle.initial_kwh, vehicle.final_kwh) == (16.0, 32.0)


@pytest.mark.parametrize(
    ("start", "minutes", "stay", "inside"),
    [
        ("2016-06-23T10:00:00", 1440, (time(8), time(17)), [False, False]),
        ("2016-06-23T10:00:00", 1380, (time(8), time(17)), [False, False]),
        ("2016-06-23T08:00:00", 540, (time(8), time(17)), [True, False]),
        ("2016-06-23T20:00:00", 240, (time(20), time(0)), [True, False]),
        ("2016-06-23T20:00:00", 360, (time(20), time(2)), [True, False]),
        ("2016-06-23T22:00:00", 240, (time(20), time(7)), [True, True]),
        ("2016-06-23T10:00:00", 1440, (time(8), time(8)), [True, True]),
        ("2016-06-23T06:30:00", 1440, (time(7), time(6)), [False, False]),
    ],
)
def test_a_slot_lies_in_a_daily_window_from_start_to_end(
    duet: dict[str, Any], start: str, minutes: int, stay: tuple[time, time], inside: list[bool]
) -> None:
    horizon = scenario(duet).horizon.model_copy(
        update={"start": datetime.fromisoformat(start), "slots": 2, "slot_minutes": minutes}
    )
    assert inputs.wholly_within(horizon, *stay).tolist() == inside


@settings(deadline=None, derandomize=True)
@given(
    st.integers(0, 1439), st.integers(1, 1440), st.integers(1, 12), st.integers(0, 1439),
    st.integers(0, 1439),
)  # fmt: skip
def test_a_slot_within_a_window_is_within_it_in_every_minute(
    start: int, minutes: int, slots: int, earliest: int, latest: int
) -> None:
    clock = [time(*divmod(moment, 60)) for moment in (earliest, latest)]
    begin = datetime(2016, 6, 23) + timedelta(minutes=start)
    horizon = HorizonEntry(start=begin, slots=slots, slot_minutes=minutes)
    found = inputs.wholly_within(horizon, *clock)
    for slot in range(slots):
        first = begin + slot * timedelta(minutes=minutes)
        moments = [first + timedelta(minutes=passed) for passed in range(minutes)]
        assert found[slot] == inputs.within(moments, *clock).all()


def test_a_vehicle_uses_only_slots_that_lie_wholly_in_its_stay(duet: dict[str, Any]) -> None:
    stay = {
        "capacity_kwh": 9.0,
        "power_kw": 2.0,
        "arrival": time(10, 30),
        "departure": time(13, 15),
    }
    (*_, vehicle) = first_devices(duet, sunny(vehicles=[stay]))
    assert isinstance(vehicle, ElectricVehicle)
    assert (vehicle.arrival_slot, vehicle.departure_slot) == (1, 3)


def test_a_size_is_the_larger_of_load_and_generation_plus_batteries(duet: dict[str, Any]) -> None:
    def size(change: Change) -> float:
        read = scenario(duet, change)
        return inputs.size_kw(read.agents[0], read)

    assert size(sunny()) == 4.0
    battery = {"capacity_kwh": 5.0, "power_kw": 2.0}
    shift = {"energy_kwh": 1.0, "limit_kw": 3.5}
    assert size(sunny(batteries=[battery])) == 6.0
    assert size(sunny(batteries=[battery], shiftable_loads=[shift])) == 4.5 + 2.0


def test_a_generator_and_a_community_battery_become_one_device(duet: dict[str, Any]) -> None:
    def change(content: dict[str, Any]) -> None:
        content["generators"] = [
            {
                "name": "Engine",
                "maximum_kw": 3.0,
                "linear_cost_per_kwh": 0.1,
                "quadratic_cost_per_kw2h": 0.02,
            }
        ]
        content["community_batteries"] = [{"name": "Shed", "capacity_kwh": 8.0, "power_kw": 2.0}]

    read = scenario(duet, change)
    (battery,) = inputs.devices(read.community_batteries[0], read)
    (engine,) = inputs.devices(read.generators[0], read)
    assert isinstance(battery, Battery)
    assert battery.final_kwh == battery.initial_kwh == 4.0
    assert isinstance(engine, Generator)
    assert (engine.linear_cost, engine.quadratic_cost) == (0.1, 0.02)
    assert [inputs.size_kw(entry, read) for entry in read.agents] == [4.0, 3.5, 2.0, 3.0]


def test_a_built_in_profile_is_averaged_over_the_slots(duet: dict[str, Any]) -> None:
    read = scenario(duet, sunny(loads=[{"profile": "H0-A", "peak_kw": 8.0}]))
    year = built_in_profile("H0-A")
    by_hand = [
        8.0 * year[f"2016-06-23 {hour}:00" : f"2016-06-23 {hour}:45"].mean()
        for hour in range(10, 14)
    ]
    np.testing.assert_allclose(inputs.inelastic_load_kw(read.buildings[0], read), by_hand)
    assert min(by_hand) > 0


def test_files_are_written_into_the_scenario_and_no_longer_needed(
    tmp_path: Path, duet: dict[str, Any]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(CSV, encoding="utf-8")
    source = {"file": "mine.csv", "rating_kw": 5.0}
    read = scenario(
        duet,
        sunny(
            loads=[{"file": "mine.csv", "column": "mine_kw"}],
            pv=[{**source, "column": "sun_kw_per_m2"}],
            wind=[{**source, "column": "gust_m_per_s"}],
        ),
        tmp_path,
    )
    inlined = inputs.with_values(read)
    path.unlink()
    sunny_house = inlined.buildings[0]
    # Means of two half hours: (1 + 2) / 2 and so on.
    assert sunny_house.loads[0].values == (1.5, 3.5, 5.5, 7.5)
    assert sunny_house.loads[0].unit == "kw"
    assert sunny_house.pv[0].unit == "kw_per_m2"
    np.testing.assert_allclose(sunny_house.pv[0].values or (), [0.05, 0.25, 0.45, 0.65])
    assert sunny_house.wind[0].unit == "m_per_s"
    assert sunny_house.loads[0].file is None
    assert len(inputs.devices(sunny_house, inlined)) == 3
    assert inlined.buildings[1] == read.buildings[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            sunny(loads=[{"values": [1.0, 1.0, 1.0], "unit": "kw"}]),
            "Sunny house: load: 3 values for 4 slots",
        ),
        (
            sunny(loads=[{"values": [1.0, 1.0, -0.5, 1.0], "unit": "kw"}]),
            "Sunny house: load: -0.5 kW in slot 2 must be at least 0",
        ),
        (
            sunny(pv=[{"values": [0.0, -1.0, 0, 0], "unit": "pu", "rating_kw": 4.0}]),
            "Sunny house: pv: -1 pu in slot 1 must be at least 0",
        ),
        (
            sunny(loads=[{"values": [1.0] * 4, "unit": "pu"}]),
            "Sunny house: load: peak_kw is needed",
        ),
        (
            sunny(loads=[{"values": [1.0] * 4, "unit": "kw", "peak_kw": 2.0}]),
            "Sunny house: load: values in kw with peak_kw = 2",
        ),
        (
            sunny(loads=[{"values": [1.0] * 4, "unit": "m_per_s"}]),
            "Sunny house: load: values in m_per_s",
        ),
        (
            sunny(pv=[{"values": [1.0] * 4, "unit": "m_per_s", "rating_kw": 4.0}]),
            "Sunny house: pv: a series in m_per_s does not give PV power",
        ),
        (
            sunny(wind=[{"values": [1.0] * 4, "unit": "kw_per_m2", "rating_kw": 4.0}]),
            "Sunny house: wind: a series in kw_per_m2 does not give wind power",
        ),
        (
            sunny(loads=[{"profile": "H0-Z", "peak_kw": 2.0}]),
            "Sunny house: load: there is no built-in profile 'H0-Z'; did you mean 'H0-",
        ),
        (
            sunny(shiftable_loads=[{"energy_kwh": 9.0, "limit_kw": 2.0}]),
            "Sunny house: shiftable load 1: energy_kwh = 9.0 kWh is more than limit_kw = 2.0 kW "
            "allows in its window: 8 kWh",
        ),
        (
            sunny(
                shiftable_loads=[
                    {
                        "energy_kwh": 1.0,
                        "limit_kw": 2.0,
                        "earliest": time(10),
                        "latest": time(12),
                        "preferred_from": time(12),
                        "preferred_until": time(13),
                    }
                ]
            ),
            "Sunny house: shiftable load 1: its preferred time lies outside its window",
        ),
        (
            sunny(
                vehicles=[
                    {
                        "capacity_kwh": 9.0,
                        "power_kw": 2.0,
                        "arrival": time(15),
                        "departure": time(16),
                    }
                ]
            ),
            "Sunny house: vehicle 1: no slot lies between arrival = 15:00:00 and departure = "
            "16:00:00",
        ),
    ],
)
def test_a_series_or_window_that_does_not_fit_is_refused(
    duet: dict[str, Any], change: Change, words: str
) -> None:
    with pytest.raises(ValueError, match="Sunny house") as caught:
        first_devices(duet, change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (("2016-06-23 11:30,4", "2016-06-23 11:30,"), ["'mine_kw'", "row 4", "missing"]),
        (("2016-06-23 11:30,4,0.30000000000000004,3\n", ""), ["row 4", "12:00"]),
        (("11:30,4", "11:30,nan"), ["'mine_kw'", "row 4"]),
        (("2016-06-23 11:30,4", "2016-06-23 11:00,4"), ["row 4"]),
    ],
)
def test_a_gap_in_a_profile_file_is_named_with_agent_file_column_and_row(
    tmp_path: Path, duet: dict[str, Any], damage: tuple[str, str], words: list[str]
) -> None:
    assert damage[0] in CSV
    (tmp_path / "mine.csv").write_text(CSV.replace(*damage), encoding="utf-8")
    load = {"file": "mine.csv", "column": "mine_kw"}
    read = scenario(duet, sunny(loads=[load]), tmp_path)
    with pytest.raises(ValueError, match="Sunny house: ") as caught:
        inputs.with_values(read)
    message = str(caught.value)
    assert str(tmp_path / "mine.csv") in message
    for word in words:
        assert word in message
    assert "\n" not in message
