"""The folder of a run: written whole or not at all, never over another, read back by name."""

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nashgrid.market.message_network import LONG
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.population_size import with_population
from nashgrid.runs.run_folder import MANY_ROWS, TABLES, load, next_folder, save
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify

FILES = {*(f"{table}.csv" for table in TABLES), "outcome.json", "messages.parquet"}
FILES |= {"scenario.toml", "report.html"}


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return simulate(load_scenario("duet"))


@pytest.fixture(scope="module")
def stored(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return outcome.save(tmp_path_factory.mktemp("runs") / "run")


def test_all_files_are_there_and_nothing_else(stored: Path) -> None:
    assert {path.name for path in stored.iterdir()} == FILES
    assert [path.name for path in stored.parent.iterdir()] == ["run"]
    assert stored.stat().st_mode & 0o777 == 0o755


def test_what_is_read_back_is_what_was_found(stored: Path, outcome: Outcome) -> None:
    run = load(stored)
    for table in TABLES:
        if len(getattr(outcome, table)):
            pd.testing.assert_frame_equal(
                getattr(run.tables, table).astype(object).astype(str),
                getattr(outcome, table).astype(object).astype(str),
                check_dtype=False,
            )
    assert run.messages.equals(outcome.messages)
    assert run.scenario.model_copy(update={"folder": Path()}) == outcome.scenario
    assert run.record["certificate"] == json.loads(json.dumps(outcome.certificate))
    assert (run.record["market"], run.record["seed"]) == ("nash-bargaining", 1)
    assert set(run.record["files"]) == FILES - {"outcome.json"}


def test_nothing_is_overwritten(stored: Path, outcome: Outcome, tmp_path: Path) -> None:
    before = (stored / "outcome.json").read_bytes()
    with pytest.raises(ValueError, match="run exists already; nothing is overwritten"):
        save(outcome, stored)
    assert (stored / "outcome.json").read_bytes() == before
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty exists already"):
        next_folder(tmp_path / "empty")


def test_a_place_that_cannot_be_written_is_named(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for refused in (lambda p: save(outcome, p), next_folder):
        with pytest.raises(ValueError, match=r"output folder .*file/run cannot be written"):
            refused(tmp_path / "file" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="to root no folder is read-only")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "fixed").mkdir(mode=0o555)
    with pytest.raises(ValueError, match=r"run cannot be written: .*fixed is read-only"):
        next_folder(tmp_path / "fixed" / "run")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full"), ZeroDivisionError])
def test_a_run_that_stops_while_writing_leaves_nothing(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stop(*_: object) -> None:
        assert any(tmp_path.glob("*/prices.csv"))
        raise error

    monkeypatch.setattr(Outcome, "report", stop)
    with pytest.raises((KeyboardInterrupt, ValueError, ZeroDivisionError)):
        save(outcome, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_default_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_folder(None) == Path("nashgrid-runs/0001")
    assert not Path("nashgrid-runs").exists()
    for name in ("0001", "0007", "12-old", "notes"):
        (tmp_path / "nashgrid-runs" / name).mkdir(parents=True)
    assert next_folder(None) == Path("nashgrid-runs/0008")
    assert next_folder(Path("a/b")) == Path("a/b")


def test_a_number_that_another_run_has_taken_meanwhile_gives_way_to_the_next(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rename = os.rename

    def taken(work: Path, folder: Path) -> None:
        if folder.name == "0001":
            (folder / "of another run").mkdir(parents=True)
        rename(work, folder)

    monkeypatch.setattr(os, "rename", taken)
    assert outcome.save() == Path("nashgrid-runs/0002")
    assert sorted(path.name for path in Path("nashgrid-runs").iterdir()) == ["0001", "0002"]


@pytest.mark.parametrize("name", sorted(FILES - {"report.html"}))
def test_a_file_that_is_missing_or_broken_is_named(stored: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(stored, folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        load(folder)
    (folder / name).write_bytes(b"\xff\x00 { ,")
    with pytest.raises(ValueError, match=name):
        load(folder)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"outcome\.json cannot be read"):
        load(tmp_path / "gone")


def test_a_users_profiles_are_part_of_the_run(
    tmp_path: Path, duet: dict[str, Any], write: Callable[..., Path]
) -> None:
    rows = "".join(f"2016-06-23 {10 + slot}:00,{slot + 0.1}\n" for slot in range(4))
    (tmp_path / "meter.csv").write_text("time,house_kw\n" + rows, encoding="utf-8")
    content = copy.deepcopy(duet)
    content["buildings"][1]["loads"] = [{"file": "meter.csv", "column": "house_kw"}]
    folder = simulate(load_scenario(write(tmp_path, content))).save(tmp_path / "run")
    for path in ("meter.csv", "mine.toml"):
        (tmp_path / path).unlink()
    load_entry = load(folder).scenario.buildings[1].loads[0]
    assert load_entry.file is None
    assert load_entry.values == (0.1, 1.1, 2.1, 3.1)
    assert verify(folder).holds


def test_a_users_feeder_is_part_of_the_run(
    tmp_path: Path,
    trio: dict[str, Any],
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = simulate(load_scenario(write(tmp_path, trio))).save(tmp_path / "run")
    shutil.rmtree(tmp_path / "wires")
    monkeypatch.chdir("/")
    assert verify(folder).holds
    assert {path.name for path in (folder / "feeder").iterdir()} == {
        "feeder.toml",
        "buses.csv",
        "lines.csv",
    }


def test_a_matpower_case_becomes_a_folder_of_the_run(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    content = copy.deepcopy(trio)
    content["feeder"]["name"] = "wires.m"
    scenario = write(tmp_path, content)
    cable = "0.02575 0.01 0 {limit} 0 0 0 0 1 -360 360;"
    (tmp_path / "wires.m").write_text(
        "function mpc = wires\nmpc.version = '2';\nmpc.baseMVA = 0.1;\n"
        "mpc.bus = [\n1 3 0 0 0 0 1 1 0 0.4 1 1 1;\n2 1 0 0 0 0 1 1 0 0.4 1 1 1;\n"
        "3 1 0 0 0 0 1 1 0 0.4 1 1 1;\n];\nmpc.gen = [\n1 0 0 1 -1 1 1 1 1 0;\n];\n"
        f"mpc.branch = [\n1 2 {cable.format(limit=0)}\n2 3 {cable.format(limit=0.02)}\n];\n"
    )
    folder = simulate(load_scenario(scenario)).save(tmp_path / "run")
    (tmp_path / "wires.m").unlink()
    assert verify(folder).failures == ()
    assert "2,3,0.02575,0.01,20.0,1" in (folder / "feeder" / "lines.csv").read_text()


def test_names_of_digits_stay_names(tmp_path: Path, duet: dict[str, Any]) -> None:
    content = copy.deepcopy(duet)
    for number, building in enumerate(content["buildings"]):
        building |= {"name": f"00{number}", "community": "1", "kind": "2.0"}
    folder = simulate(Scenario.model_validate(content)).save(tmp_path / "run")
    assert verify(folder).failures == ()


@pytest.fixture(scope="module")
def district() -> Outcome:
    scenario = with_population(load_scenario("district"), LONG + 8)
    return simulate(scenario, market="competitive")


def test_tables_of_a_population_come_back_from_parquet(district: Outcome, tmp_path: Path) -> None:
    folder = district.save(tmp_path / "run")
    long = {f"{table}.parquet" for table in MANY_ROWS}
    short = {f"{table}.csv" for table in TABLES if table not in MANY_ROWS}
    others = {"outcome.json", "messages.parquet", "scenario.toml", "report.html"}
    assert {path.name for path in folder.iterdir()} == long | short | others
    run = load(folder)
    for table in MANY_ROWS:
        found, kept = getattr(run.tables, table), getattr(district, table)
        pd.testing.assert_frame_equal(found, kept, check_categorical=False)
        assert list(found.dtypes.astype(str)) == list(kept.dtypes.astype(str))
    assert run.messages.equals(district.messages)
    assert run.scenario.model_copy(update={"folder": Path()}) == district.scenario
    assert set(run.record["files"]) == long | short | others - {"outcome.json"}
    assert verify(folder).failures == ()


def test_a_long_column_of_messages_is_one_row_with_its_count(district: Outcome) -> None:
    messages = district.messages.to_pandas()
    offers = messages[messages["kind"] == "offer"]
    buildings = offers[offers["count"] > 1]
    assert set(buildings["count"]) == {LONG + 8}
    assert (buildings["attempts"] >= buildings["count"]).all()
    assert (buildings["quantity"].str.len() == 0).all()
    alone = offers[offers["count"] == 1]
    assert (alone["quantity"].str.len() == 24).all()
    assert len(buildings) == len(alone)


def test_a_table_that_was_cut_off_is_named(district: Outcome, tmp_path: Path) -> None:
    folder = district.save(tmp_path / "run")
    path = folder / "schedules.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"schedules\.parquet cannot be read"):
        load(folder)
    path.unlink()
    with pytest.raises(ValueError, match=r"schedules\.csv cannot be read"):
        load(folder)


def test_an_interrupted_run_of_a_population_leaves_nothing(
    district: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        assert any(tmp_path.glob("*/settlement.parquet"))
        raise KeyboardInterrupt

    monkeypatch.setattr("nashgrid.runs.run_record.version", stop)
    with pytest.raises(KeyboardInterrupt):
        district.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
