"""The command line: what it prints, what it leaves behind, and how it ends."""

import copy
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nashgrid.runs.command_line import app, main
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import built_in_scenarios, load_scenario, parse_scenario

Cli = Callable[..., tuple[int, str, str]]
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """cli(*arguments) -> exit code, standard output, standard error; in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "10000")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nashgrid", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), " ".join(shown.out.split()), shown.err

    return call


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_run_leaves_a_numbered_folder_and_a_summary(cli: Cli, tmp_path: Path) -> None:
    for number in ("0001", "0002"):
        code, shown, errors = cli("run", "duet")
        assert (code, errors) == (0, "")
        assert (tmp_path / "nashgrid-runs" / number / "outcome.json").is_file()
        assert f"files and report in nashgrid-runs/{number}" in shown
    assert "household │ 2 │ 2.50 │ 1.74 │ 0.76 │ 30.4%" in shown
    assert "receives 1.70 EUR instead of 2.50 EUR (-0.80)" in shown
    assert "prices 0.1000 to 0.3000 EUR/kWh" in shown
    assert re.search(r"rounds: utility-only \d+, trading \d+, money \d+; \d+ messages", shown)
    assert "certified" in shown
    assert everything(tmp_path / "nashgrid-runs") == {"0001", "0002"} | {
        f"{number}/{path.name}"
        for number in ("0001", "0002")
        for path in (tmp_path / "nashgrid-runs" / "0001").iterdir()
    }


def test_options_reach_the_run(cli: Cli, tmp_path: Path) -> None:
    code, shown, _ = cli(
        *("run", "duet", "--market", "competitive", "--seed", "7", "--out", "a/b"),
        *("--tolerance", "1e-6", "--loss", "0.1", "--latency", "0.5", "--jitter", "0.25"),
    )
    assert code == 0
    assert "duet, competitive" in shown
    record = json.loads((tmp_path / "a/b/outcome.json").read_text())
    assert (record["market"], record["seed"]) == ("competitive", 7)
    assert record["certificate"]["tolerance"] == 1e-6
    text = (tmp_path / "a/b/scenario.toml").read_text()
    entry = parse_scenario(text, "run", tmp_path).messages
    assert (entry.loss, entry.latency_s, entry.jitter_s) == (0.1, 0.5, 0.25)


@pytest.mark.parametrize(
    ("arguments", "name", "count"),
    [
        ((), "campus33", None),
        (("--population", "50"), "district", 50),
        (("village", "--population", "30"), "village", 30),
        (("district",), "district", 1000),
    ],
)
def test_a_population_is_drawn_in_the_size_asked_for(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    name: str,
    count: int | None,
) -> None:
    asked: list[Scenario] = []

    def stop(scenario: Scenario, *_: object, **__: object) -> None:
        asked.append(scenario)
        raise ValueError("far enough")

    monkeypatch.setattr("nashgrid.runs.simulate.simulate", stop)
    code, shown, errors = cli("run", *arguments)
    assert (code, "far enough" in errors) == (2, True)
    assert asked[0].name == name
    population = asked[0].population
    assert (None if population is None else population.count) == count
    # Memory is stated before anything else happens.
    said = re.search(r"([\d,]+) buildings, 24 slots: about [\d.]+ [MG]B of memory", shown)
    assert (None if said is None else int(said[1].replace(",", ""))) == count


def test_a_population_out_of_bounds_ends_with_2(cli: Cli) -> None:
    code, _, errors = cli("run", "--population", "0")
    assert code == 2
    assert "population of 0: count: Input should be greater than or equal to 1" in errors


def test_a_run_that_does_not_converge_says_so_and_ends_with_1(
    cli: Cli, tmp_path: Path, duet: dict[str, Any], write: Callable[..., Path]
) -> None:
    path = write(tmp_path, {**duet, "negotiation": {"maximum_rounds": 3}})
    code, shown, _ = cli("run", str(path), "--out", "run")
    assert code == 1
    assert "NOT CERTIFIED" in shown
    assert "residual of the trading exchange after 3 rounds is" in shown
    # The files are there to study, and say the same.
    code, shown, _ = cli("verify", "run")
    assert code == 1
    assert "the claim 'converged: trading' does not hold" in shown


def test_verify_ends_with_0_or_1_and_names_what_fails(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "duet", "--out", "run")[0] == 0
    code, shown, _ = cli("verify", "run")
    assert code == 0
    assert re.search(r"verified: \d+ claims recomputed from the files of run hold", shown)
    prices = tmp_path / "run" / "prices.csv"
    prices.write_text(prices.read_text().rsplit(",", 1)[0] + ",0.5\n")
    code, shown, _ = cli("verify", "run")
    assert code == 1
    assert "fails prices.csv was changed after the run" in shown


@pytest.mark.parametrize("name", ["gone", "file"])
def test_verify_of_what_is_no_run_ends_with_2(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    code, shown, errors = cli("verify", name)
    assert (code, shown) == (2, "")
    assert errors.startswith(f"error: {name}/outcome.json cannot be read")


def test_scenarios_are_listed_and_shown_complete(tmp_path: Path) -> None:
    listed = " ".join(CliRunner().invoke(app, ["scenarios"], env={"COLUMNS": "300"}).output.split())
    for name, words in built_in_scenarios().items():
        assert name in listed
        assert words.split(",")[0].split()[0] in listed
    shown = CliRunner().invoke(app, ["scenarios", "show", "campus33"])
    assert shown.exit_code == 0
    assert parse_scenario(shown.output, "shown", Path()) == load_scenario("campus33")


def test_a_comparison_leaves_tables_and_a_page(cli: Cli, tmp_path: Path) -> None:
    names = "competitive,mid-market-rate,utility-only"
    code, out, _ = cli("compare", "duet", "--markets", names, "--seeds", "1,2", "--out", "here")
    assert code == 0
    assert "duet [EUR], means over 2 seeds" in out
    left = {path.name for path in (tmp_path / "here").iterdir()}
    assert left == {
        *("scenario.toml", "comparison.html", "comparison.csv", "savings.csv", "better.csv")
    }
    with (tmp_path / "here" / "comparison.csv").open() as lines:
        assert len(lines.readlines()) == 1 + 3 * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "1,two"], "seeds: '1,two' must be whole numbers"),
        (["--seeds", "-1"], "seed = -1 must be at least 0"),
        (["--markets", "fair"], "there is no market 'fair'"),
    ],
)
def test_bad_comparisons_end_with_2_and_write_nothing(
    cli: Cli, tmp_path: Path, arguments: list[str], words: str
) -> None:
    code, _, error = cli("compare", "duet", *arguments)
    assert code == 2
    assert words in error
    assert list(tmp_path.iterdir()) == []


def test_markets_are_listed_with_their_rules() -> None:
    shown = CliRunner().invoke(app, ["markets"]).output
    for market in MARKETS.values():
        assert market.name in shown
        assert market.rule.split()[0] in shown
        one = " ".join(CliRunner().invoke(app, ["markets", market.name]).output.split())
        assert market.said[-1] in one
        assert "gives away" in one


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "duet", "--tolerance", "0"], ["tolerance", "greater than 0", "given: 0.0"]),
        (["run", "duet", "--tolerance", "0.5"], ["tolerance", "less than or equal to 0.1", "0.5"]),
        (["run", "duet", "--tolerance", "nan"], ["tolerance", "nan"]),
        (["run", "duet", "--loss", "0.9"], ["loss", "less than 0.9", "given: 0.9"]),
        (["run", "duet", "--loss=-0.1"], ["loss", "greater than or equal to 0", "-0.1"]),
        (["run", "duet", "--latency=-1"], ["latency_s", "greater than or equal to 0", "-1"]),
        (["run", "duet", "--latency", "inf"], ["latency_s", "finite", "inf"]),
        (["run", "duet", "--jitter=-1"], ["jitter_s", "greater than or equal to 0", "-1"]),
        (["run", "duet", "--market", "fair"], ["'fair'", "nash-bargaining", "utility-only"]),
        (["run", "duett"], ["'duett'", "did you mean 'duet'"]),
        (["run", "gone.toml"], ["gone.toml does not exist"]),
        (["run", "duet", "--out", "taken"], ["taken exists already"]),
        (["run", "duet", "--out", "file/run"], ["file/run cannot be written"]),
        (["scenarios", "show", "duett"], ["'duett'", "did you mean 'duet'"]),
    ],
)
def test_bad_arguments_end_with_2_and_write_nothing(
    cli: Cli, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    code, shown, errors = cli(*arguments)
    assert (code, shown) == (2, "")
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    for word in words:
        assert word in errors
    assert everything(tmp_path) == {"taken", "file"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "duet", "--seed", "-1"],
        ["run", "duet", "--seed", "x"],
        ["run", "duet", "--tolerance", "small"],
        ["run", "--nothing"],
        ["trade"],
    ],
)
def test_misuse_ends_with_2(cli: Cli, tmp_path: Path, arguments: list[str]) -> None:
    code, shown, errors = cli(*arguments)
    assert (code, shown) == (2, "")
    assert "Usage" in errors
    assert everything(tmp_path) == set()


def building(number: int, **fields: Any) -> Change:
    return lambda content: content["buildings"][number].update(fields)


def wired(**fields: Any) -> Change:
    return lambda content: content["feeder"].update(fields)


def cheap_retail(content: dict[str, Any]) -> None:
    content["utility"]["tariff"] = [
        {"start": time(0), "retail_price_per_kwh": 0.3, "feed_in_price_per_kwh": 0.31}
    ]


HEADER = "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
ONE_LINE = HEADER + "1,2,0.01,0.005,,1\n"
CUT_OFF = {"lines.csv": ONE_LINE}
MESHED = {"lines.csv": ONE_LINE + "2,3,0.02,0.01,,1\n1,3,0.02,0.01,,1\n"}
NOTHING: dict[str, str] = {}


@pytest.mark.parametrize(
    ("change", "wires", "words"),
    [
        # One of each kind; tests/runs/test_scenario_files.py and test_inputs.py have them all.
        (building(0, connection_kw="ten"), NOTHING, ["connection_kw", "number", "'ten'"]),
        (building(0, power_factor=1.2), NOTHING, ["power_factor", "equal to 1", "1.2"]),
        (building(0, conection_kw=3.0), NOTHING, ["conection_kw", "no such field"]),
        (building(0, bus=9), NOTHING, ["Sunny house", "bus = 9", "three", "root 1"]),
        (building(0, bus=1), NOTHING, ["Sunny house", "bus = 1", "three", "root 1"]),
        (lambda c: c["buildings"][0].pop("bus"), NOTHING, ["Sunny house", "'bus'", "feeder"]),
        (lambda c: c.pop("feeder"), NOTHING, ["Sunny house", "'bus'", "feeder"]),
        (
            building(0, batteries=[{"capacity_kwh": 9.0, "power_kw": 11.0}]),
            NOTHING,
            ["Sunny house", "power_kw = 11", "connection_kw = 10"],
        ),
        (building(0, name="Shed"), NOTHING, ["unique", "'Shed'"]),
        (cheap_retail, NOTHING, ["feed_in_price_per_kwh = 0.31", "retail_price_per_kwh = 0.3 "]),
        (
            building(0, loads=[{"values": [1.0, float("nan"), 1.0, 1.0], "unit": "kw"}]),
            NOTHING,
            ["Sunny house", "values[1]", "nan"],
        ),
        (
            building(0, loads=[{"values": [1.0] * 5, "unit": "kw"}]),
            NOTHING,
            ["Sunny house: load", "5 values for 4 slots"],
        ),
        (
            building(0, loads=[{"profile": "H9", "peak_kw": 1.0}]),
            NOTHING,
            ["Sunny house: load", "'H9'"],
        ),
        (
            building(0, loads=[{"file": "gap.csv", "column": "a_kw"}]),
            NOTHING,
            ["Sunny house", "gap.csv", "'a_kw'", "row 3", "missing"],
        ),
        (
            building(0, loads=[{"file": "gone.csv", "column": "a_kw"}]),
            NOTHING,
            ["Sunny house", "gone.csv", "no such file"],
        ),
        (lambda _: None, MESHED, ["feeder three", "1-3"]),
        (lambda _: None, CUT_OFF, ["feeder three", "bus 3"]),
        (wired(name="nowhere"), NOTHING, ["no feeder", "nowhere", "ieee33"]),
        (
            wired(line_limits=[{"from_bus": 1, "to_bus": 3, "limit_kva": 9.0}]),
            NOTHING,
            ["three", "no line 1-3"],
        ),
        (
            building(0, loads=[{"values": [1.0, 1.0, 15.5, 1.0], "unit": "kw"}]),
            NOTHING,
            ["Sunny house", "10 kW", "slot 2", "1.5 kW"],
        ),
        (
            building(1, loads=[{"values": [1.5, 9.0, 1.0, 2.0], "unit": "kw"}]),
            NOTHING,
            ["slot 1", "line 2-3", "4 kVA"],
        ),
        (
            lambda c: c["feeder"].update(minimum_voltage_pu=0.9999),
            NOTHING,
            ["slot ", "bus 3", "lowest voltage", "0.9999 pu"],
        ),
        (
            building(1, shiftable_loads=[{"energy_kwh": 5.0, "limit_kw": 1.0}]),
            NOTHING,
            ["Shady house", "energy_kwh = 5.0 kWh", "4 kWh"],
        ),
        (
            lambda c: [c.pop("buildings"), c.pop("community_batteries")],
            NOTHING,
            ["at least one building, battery or generator"],
        ),
    ],
)
def test_bad_scenarios_end_with_2_and_write_nothing(
    cli: Cli,
    tmp_path: Path,
    trio: dict[str, Any],
    write: Callable[..., Path],
    change: Change,
    wires: dict[str, str],
    words: list[str],
) -> None:
    content = copy.deepcopy(trio)
    write(tmp_path, content)
    change(content)
    path = write(tmp_path, content, wires)
    rows = "".join(f"2016-06-23 {hour}:00,{'' if hour == 12 else 1}\n" for hour in range(10, 14))
    (tmp_path / "gap.csv").write_text("time,a_kw\n" + rows, encoding="utf-8")
    before = everything(tmp_path)
    for arguments in ([], ["--out", "run"]):
        code, shown, errors = cli("run", path.name, *arguments)
        assert (code, shown) == (2, "")
        assert errors.startswith("error: ")
        assert errors.count("\n") == 1
        for word in words:
            assert word in errors
        assert everything(tmp_path) == before


def test_brackets_in_a_name_are_no_markup(cli: Cli, tmp_path: Path) -> None:
    code, shown, _ = cli("run", "duet", "--out", "[bold]run")
    assert code == 0
    assert "files and report in [bold]run" in shown
    assert cli("verify", "[bold]run")[0] == 0


def test_a_run_interrupted_while_writing_leaves_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Outcome, "report", interrupt)
    code, _, errors = cli("run", "duet", "--out", "run")
    assert (code, errors) == (130, "interrupted: nothing was written\n")
    assert everything(tmp_path) == set()


def test_an_interrupt_signal_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from nashgrid.runs.command_line import main\n"
        "from nashgrid.runs.progress import Progress\n"
        "Progress.show = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['nashgrid', 'run', 'duet']\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 128 + signal.SIGINT
    assert ended.stderr == "interrupted: nothing was written\n"
    assert everything(tmp_path) == set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["markets"], 0, "two-part"),
        (["run", "gone.toml"], 2, "error: scenario file gone.toml does not exist"),
    ],
)
def test_the_package_runs_as_a_module(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nashgrid", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code
    assert words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_installed_command_is_this_one() -> None:
    (script,) = entry_points(group="console_scripts", name="nashgrid")
    assert script.load() is main
