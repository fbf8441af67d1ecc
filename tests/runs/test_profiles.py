"""The built-in profiles against figures read in SimBench's own files; resampling by its law."""

from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.runs.profiles import built_in_profile, profile_names, resample

# Rows of LoadProfile.csv and RESProfile.csv (SimBench 1.6.3, 1-complete_data-mixed-all-0-sw):
# name, value at 01.01.2016 00:00, value at 31.12.2016 23:45.
ENDS = [
    ("BL-H", 0.088339, 0.088339),
    ("G0-A", 0.143882, 0.142122),
    ("G1-C", 0.062467, 0.067779),
    ("WB-H", 0.103053, 0.104962),
    ("PV1", 0.0, 0.0),
    ("WP2", 0.98343938, 0.0),
    ("WP4", 0.980905615, 0.0),
]


def ramp(values: int, step_minutes: int) -> "pd.Series[float]":
    index = pd.date_range("2020-03-01", periods=values, freq=f"{step_minutes}min")
    return pd.Series(np.arange(values, dtype=float), index=index, name="ramp")


def test_all_kinds_of_profiles_are_there() -> None:
    names = profile_names()
    assert len(names) == len(set(names)) == 70
    groups = {"PV": 8, "WP": 12, "H0": 6, "L": 4, "HLS": 6, "APLS": 9, "Air": 6, "Soil": 2}
    groups |= {f"G{kind}": count for kind, count in enumerate([2, 3, 1, 3, 4, 1, 1])}
    assert {k: sum(name.startswith(k) for name in names) for k in groups} == groups
    assert {"BL-H", "WB-H"} < set(names)


def test_the_readme_tells_name_maximum_and_mean_of_each() -> None:
    readme = (files("nashgrid.runs.data") / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in readme.splitlines() if line[:2] == "| "][1:]
    told = {name: (float(largest), float(mean)) for name, _, _, largest, mean, _ in rows}
    assert tuple(told) == profile_names()
    for name, figures in told.items():
        profile = built_in_profile(name)
        assert figures == pytest.approx((profile.max(), profile.mean()), abs=5.1e-4)


@pytest.mark.parametrize(("name", "first", "last"), ENDS)
def test_first_and_last_value_are_those_of_simbench(name: str, first: float, last: float) -> None:
    profile = built_in_profile(name)
    assert profile.name == name
    assert profile.iloc[[0, -1]].to_list() == pytest.approx([first, last], rel=6e-8, abs=0)


def test_the_year_is_even_quarter_hours_of_standard_time() -> None:
    index = built_in_profile("G0-A").index
    assert (index == pd.date_range("2016-01-01", "2016-12-31 23:45", freq="15min")).all()
    # RESProfile.csv: the row after 27.03.2016 01:45 is labelled 03:00 there, by daylight saving.
    assert built_in_profile("WP4")["2016-03-27 02:00"] == np.float32(0.629675156)


def test_every_profile_lies_between_zero_and_one() -> None:
    for name in profile_names():
        profile = built_in_profile(name)
        assert profile.dtype == np.float64
        assert profile.min() >= 0
        assert 0.5 < profile.max() <= 1


def test_a_caller_cannot_spoil_the_profile_for_the_next_one() -> None:
    mine = built_in_profile("PV5")
    expected = mine.copy()
    mine.iloc[:] = -1.0
    pd.testing.assert_series_equal(built_in_profile("PV5"), expected)


@pytest.mark.parametrize(("wrong", "hint"), [("G0A", "'G0-A'"), ("pv3", "'PV3'")])
def test_an_unknown_name_gets_close_ones(wrong: str, hint: str) -> None:
    with pytest.raises(ValueError, match=rf"no built-in profile '{wrong}'.*did you mean.*{hint}"):
        built_in_profile(wrong)


def test_hourly_means_agree_with_pandas() -> None:
    profile = built_in_profile("H0-C")
    day = resample(profile, datetime(2016, 6, 23), slots=24, slot_minutes=60)
    np.testing.assert_allclose(day, profile["2016-06-23"].resample("60min").mean(), rtol=1e-14)


def test_a_slot_shorter_than_the_step_repeats_the_value() -> None:
    got = resample(ramp(4, 15), datetime(2020, 3, 1, 0, 15), slots=6, slot_minutes=5)
    assert got.tolist() == [1, 1, 1, 2, 2, 2]


def test_slots_across_the_steps_get_the_time_weighted_mean() -> None:
    # 10-minute slots from 00:05 on quarter hours: 5-15, 15-25, 25-35 (half of each), 35-45.
    got = resample(ramp(4, 15), datetime(2020, 3, 1, 0, 5), slots=4, slot_minutes=10)
    np.testing.assert_allclose(got, [0, 1, 1.5, 2], rtol=1e-15)


@settings(deadline=None, derandomize=True)
@given(
    values=st.lists(st.floats(0, 100), min_size=2, max_size=12),
    step=st.sampled_from([1, 5, 15, 30, 60]),
    slot=st.sampled_from([1, 5, 7, 15, 30, 60]),
    data=st.data(),
)
def test_resampling_keeps_the_energy_minute_by_minute(
    values: list[float], step: int, slot: int, data: st.DataObject
) -> None:
    minutes = np.repeat(values, step)
    slots = data.draw(st.integers(1, max(1, len(minutes) // slot)))
    late = data.draw(st.integers(0, max(0, len(minutes) - slots * slot)))
    index = pd.date_range("2020-03-01", periods=len(values), freq=f"{step}min")
    series = pd.Series(values, index=index, name="any")
    start = datetime(2020, 3, 1) + pd.Timedelta(minutes=late)
    if late + slots * slot > len(minutes):
        with pytest.raises(ValueError, match="the profile covers"):
            resample(series, start, slots, slot)
        return
    expected = minutes[late : late + slots * slot].reshape(slots, slot).mean(axis=1)
    np.testing.assert_allclose(resample(series, start, slots, slot), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("start", "slots"), [(datetime(2015, 12, 31, 23), 2), (datetime(2016, 12, 31, 12), 13)]
)
def test_a_window_beyond_the_profile_names_both_spans(start: datetime, slots: int) -> None:
    with pytest.raises(
        ValueError,
        match=r"'PV1': the scenario wants 201.*the profile covers 2016-01-01 00:00 to 2017-01-01",
    ):
        resample(built_in_profile("PV1"), start, slots, 60)


def test_the_last_slot_of_the_year_is_inside() -> None:
    assert resample(built_in_profile("PV1"), datetime(2016, 12, 31), 24, 60).shape == (24,)


@pytest.mark.parametrize(
    ("start", "slots", "minutes", "said"),
    [
        (datetime(2020, 3, 1), 0, 15, "0 slots of 15 minutes"),
        (datetime(2020, 3, 1), 1, 0, "1 slots of 0 minutes"),
        (datetime(2020, 3, 1, tzinfo=UTC), 1, 15, "without a time zone"),
        (datetime(2020, 3, 1, 0, 0, 30), 1, 15, "whole minute"),
    ],
)
def test_bad_arguments_are_named(start: datetime, slots: int, minutes: int, said: str) -> None:
    with pytest.raises(ValueError, match=f"'ramp'.*{said}"):
        resample(ramp(4, 15), start, slots, minutes)


def test_a_hole_in_the_window_is_named_and_one_outside_is_not() -> None:
    holed = ramp(4, 15)
    holed.iloc[2] = np.nan
    with pytest.raises(ValueError, match="'ramp': the value at 2020-03-01 00:30:00 is not"):
        resample(holed, datetime(2020, 3, 1), 4, 15)
    assert resample(holed, datetime(2020, 3, 1), 2, 15).tolist() == [0, 1]


def test_uneven_or_zoned_or_lonely_profiles_are_refused() -> None:
    even = ramp(4, 15)
    for wrong in (even.iloc[[0, 1, 3]], even.tz_localize("UTC"), even.iloc[:1]):
        with pytest.raises(ValueError, match=r"'ramp'.*(evenly|at least two)"):
            resample(wrong, datetime(2020, 3, 1), 1, 15)
