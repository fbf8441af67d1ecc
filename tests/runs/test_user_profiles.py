"""A user's profile file is read as written, or refused by file, column, row and time stamp."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.runs.user_profiles import read_profiles, unit_of

GOOD = "time,load_kw,sun_kw_per_m2\n2016-07-13 00:00,1.5,0\n2016-07-13 00:15,-2,0.25\n"


def written(folder: Path, text: str | bytes, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path, columns: list[str] | None = None, time_zone: str | None = None) -> str:
    with pytest.raises(ValueError, match="profile file") as caught:
        read_profiles(path, columns, time_zone)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message.replace(str(path), "")
    return message


def test_a_csv_file_is_read_as_written(tmp_path: Path) -> None:
    got = read_profiles(written(tmp_path, GOOD))
    index = pd.DatetimeIndex(["2016-07-13 00:00", "2016-07-13 00:15"], name="time")
    expected = pd.DataFrame({"load_kw": [1.5, -2.0], "sun_kw_per_m2": [0, 0.25]}, index=index)
    pd.testing.assert_frame_equal(got, expected, check_index_type=False, check_freq=False)


def test_only_the_columns_asked_for_are_loaded_and_checked(tmp_path: Path) -> None:
    text = GOOD.replace("sun_kw_per_m2", "remark").replace("0.25", "sunny")
    assert list(read_profiles(written(tmp_path, text), ["load_kw"])) == ["load_kw"]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_parquet_gives_what_csv_gives(tmp_path: Path, zone: str | None) -> None:
    table = read_profiles(written(tmp_path, GOOD))
    path = tmp_path / "mine.parquet"
    (table if zone is None else table.tz_localize("Etc/GMT-1")).to_parquet(path)
    got = read_profiles(path, time_zone=zone)
    pd.testing.assert_frame_equal(got, table, check_index_type=False, check_freq=False)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_numbers_survive_the_way_through_csv(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    index = pd.date_range("2021-01-01", periods=len(values), freq="h", name="time")
    path = tmp_path_factory.mktemp("csv") / "mine.csv"
    pd.DataFrame({"a_kw": values}, index=index).to_csv(path)
    got = read_profiles(path)
    assert (got.index == index).all()
    np.testing.assert_allclose(got["a_kw"], values, rtol=3e-16, atol=0)


def test_offsets_become_standard_time_through_both_changes_of_the_clock(tmp_path: Path) -> None:
    utc = pd.date_range("2016-03-26 12:00", "2016-10-31 12:00", freq="h", tz="UTC")
    berlin = pd.Series(utc.tz_convert("Europe/Berlin").map(pd.Timestamp.isoformat))
    text = "time,a_kw\n" + "".join(f"{stamp},1\n" for stamp in berlin)
    assert {stamp[-6:] for stamp in berlin} == {"+01:00", "+02:00"}
    got = read_profiles(written(tmp_path, text), time_zone="Europe/Berlin")
    assert (got.index == utc.tz_localize(None) + pd.Timedelta(hours=1)).all()


@pytest.mark.parametrize(
    ("column", "symbol"),
    [("a_kw", "kw"), ("a_kw_per_m2", "kw_per_m2"), ("v_m_per_s", "m_per_s"), ("b_pu", "pu")],
)
def test_the_end_of_the_name_is_the_unit(column: str, symbol: str) -> None:
    assert unit_of(column).symbol == symbol


@pytest.mark.parametrize("column", ["load", "load_kwh", "load_KW", "load_w", "sun_w_per_m2"])
def test_a_missing_or_unknown_unit_is_refused(tmp_path: Path, column: str) -> None:
    message = refusal(written(tmp_path, GOOD.replace("load_kw", column)))
    assert f"'{column}' must end in its unit" in message
    assert "_kw_per_m2 (irradiance in kW/m2)" in message


@pytest.mark.parametrize(
    ("third_row", "said"),
    [
        ("2016-07-13 00:15,1,0", "row 3 (2016-07-13 00:15) repeats the time"),
        ("2016-07-12 23:45,1,0", "row 3 (2016-07-12 23:45) is earlier than the row before"),
        ("2016-07-13 01:00,1,0\n2016-07-13 01:15,1,0", "row 3 (2016-07-13 01:00) comes 45 min"),
        (
            "2016-07-13 00:20,1,0\n2016-07-13 00:35,1,0",
            "row 3 (2016-07-13 00:20) comes only 5 min after the row before, the step is 15 min",
        ),
        ("13.07.2016 00:30,1,0", "row 3 (13.07.2016 00:30): the time is missing or unreadable"),
        ("2016-02-30 00:30,1,0", "row 3 (2016-02-30 00:30): the time is missing or unreadable"),
        (",1,0", "row 3 (): the time is missing or unreadable"),
        ("2016-07-13 00:30Z,1,0", "row 3 (2016-07-13 00:30Z) has a UTC offset, unlike"),
        ("2016-07-13 00:30,,0", "column 'load_kw', row 3 (2016-07-13 00:30): the value is missing"),
        ("2016-07-13 00:30,NaN,0", "column 'load_kw', row 3 (2016-07-13 00:30): the value is mis"),
        ("2016-07-13 00:30,-inf,0", "column 'load_kw', row 3 (2016-07-13 00:30): the value is inf"),
        ("2016-07-13 00:30,off,0", "column 'load_kw', row 3 (2016-07-13 00:30): 'off' is not a nu"),
        ('2016-07-13 00:30,"1,5",0', "row 3 (2016-07-13 00:30): '1,5' is not a number"),
        ("2016-07-13 00:30,1,-0.1", "'sun_kw_per_m2', row 3 (2016-07-13 00:30): -0.1 is outside"),
        ("2016-07-13 00:30,1,800", "row 3 (2016-07-13 00:30): 800 is outside 0 to 2"),
        ("2016-07-13 00:30,1,0,7", "row 3 has 4 cells, the header has 3"),
        ("2016-07-13 00:30,1", "row 3 has 2 cells, the header has 3"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, third_row: str, said: str) -> None:
    assert said in refusal(written(tmp_path, GOOD + third_row + "\n"))


def test_a_bad_row_far_down_is_counted_right(tmp_path: Path) -> None:
    stamps = pd.date_range("2016-01-01", periods=35_136, freq="15min")
    rows = [f"{stamp:%Y-%m-%d %H:%M},3" for stamp in stamps]
    rows[35_000] += ",4"
    assert "row 35001 has 3 cells" in refusal(written(tmp_path, "\n".join(["time,v_kw", *rows])))
    rows[35_000] = f"{stamps[35_000]:%Y-%m-%d %H:%M},x"
    message = refusal(written(tmp_path, "\n".join(["time,v_kw", *rows])))
    assert "column 'v_kw', row 35001 (2016-12-30 14:00): 'x' is not a number" in message


def test_negative_and_impossible_wind_is_refused(tmp_path: Path) -> None:
    for value in ("-0.5", "121"):
        text = GOOD.replace("sun_kw_per_m2", "wind_m_per_s").replace("0.25", value)
        message = refusal(written(tmp_path, text))
        assert f"row 2 (2016-07-13 00:15): {value} is outside 0 to 120" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("\n", "it is empty"),
        ("time\n2016-07-13\n", "it has no column beside 'time'"),
        ("time,a_kw\n", "it has 0 data rows"),
        ("time,a_kw\n2016-07-13 00:00,1\n", "it has 1 data rows"),
        (
            GOOD.replace("time", "when"),
            "it has no column 'time'; its columns are 'when', 'load_kw'",
        ),
        (GOOD.replace(",", ";"), "separated by semicolons"),
        (GOOD.replace("sun_kw_per_m2", "load_kw"), "'load_kw' occurs more than once"),
        (b"\xff\xfe\x00", "utf-8"),
        (GOOD.encode().replace(b"1.5", b"\xff"), "utf-8"),
    ],
)
def test_an_unfit_file_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(written(tmp_path, text))


def test_missing_folder_like_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.csv")
    assert "there is no such file" in refusal(tmp_path)
    assert "must end in .csv or .parquet" in refusal(written(tmp_path, GOOD, "mine.xlsx"))
    assert "Parquet" in refusal(written(tmp_path, "no parquet at all", "mine.parquet"))


def test_an_unknown_column_gets_close_ones(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, GOOD), ["lod_kw"])
    assert "no profile column 'lod_kw'; did you mean 'load_kw'?" in message


def test_offsets_need_a_time_zone_that_exists(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace(":00,", ":00+02:00,").replace(":15,", ":15+02:00,"))
    assert "the scenario states no time zone" in refusal(path)
    assert "time zone 'Mars/Base' is unknown" in refusal(path, time_zone="Mars/Base")
    first = read_profiles(path, time_zone="Europe/Berlin").index[0]
    assert first == pd.Timestamp("2016-07-12 23:00")


@pytest.mark.parametrize(
    "clock",
    [
        ["2016-03-27 00:00", "2016-03-27 01:00", "2016-03-27 03:00"],
        ["2016-10-30 01:00", "2016-10-30 02:00", "2016-10-30 02:00", "2016-10-30 03:00"],
        ["2016-10-30 02:00", "2016-10-30 02:30", "2016-10-30 02:00", "2016-10-30 02:30"],
    ],
)
def test_daylight_saving_time_is_recognised(tmp_path: Path, clock: list[str]) -> None:
    text = "time,a_kw\n" + "".join(f"{stamp},1\n" for stamp in clock)
    assert "daylight saving" in refusal(written(tmp_path, text))


def test_parquet_columns_of_another_kind_are_refused(tmp_path: Path) -> None:
    table = read_profiles(written(tmp_path, GOOD))
    path = tmp_path / "mine.parquet"
    table.assign(load_kw=[True, False]).to_parquet(path)
    assert "column 'load_kw' holds bool, not numbers" in refusal(path)
    table.reset_index().assign(time=[1, 2]).to_parquet(path)
    assert "column 'time' holds int64, not time stamps" in refusal(path)
    table.assign(load_kw=[1.0, math.nan]).to_parquet(path)
    assert "column 'load_kw', row 2 (2016-07-13 00:15:00): the value is missing" in refusal(path)
