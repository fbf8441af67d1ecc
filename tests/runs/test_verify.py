"""Verification from files alone: every market holds, and no changed number goes unseen."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nashgrid.runs.markets import MARKETS
from nashgrid.runs.network_tables import PARTS
from nashgrid.runs.run_folder import TABLES
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify

Tamper = Callable[[Path], None]


@pytest.fixture(scope="module")
def stored(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run of three agents on three buses."""
    place = tmp_path_factory.mktemp("trio")
    return simulate(load_scenario(write(place, trio))).save(place / "run")


@pytest.fixture
def copied(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored, tmp_path / "run"))


WITHOUT_WIRES = "kalai-smorodinsky-no-transfers"


@pytest.mark.parametrize(
    ("name", "market"),
    [
        *(("trio", market) for market in MARKETS if market != WITHOUT_WIRES),
        # Without wires, one of each kind: bargaining, a game, a leader, sharing prices.
        *(("duet", m) for m in ("nash-bargaining", "cournot", "stackelberg", "mid-market-rate")),
        ("duet", WITHOUT_WIRES),
    ],
)
def test_every_market_verifies(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path], name: str, market: str
) -> None:
    scenario = load_scenario("duet" if name == "duet" else write(tmp_path, trio))
    outcome = simulate(scenario, market)
    found = verify(outcome.save(tmp_path / "run"))
    assert found.failures == ()
    assert found.holds
    assert found.certificate["claims"].keys() == outcome.certificate["claims"].keys()
    assert found.certificate["certified"]


def sign_again(folder: Path) -> None:
    """What a tamperer would do: recompute every checksum, spelled out here anew."""
    path = folder / "outcome.json"
    record = json.loads(path.read_text())
    for name in record["files"]:
        record["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    del record["checksum"]
    text = json.dumps(record, sort_keys=True)
    record["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(record))


def test_signing_again_changes_nothing_else(copied: Path) -> None:
    sign_again(copied)
    assert verify(copied).failures == ()


def cell(table: str, column: str, change: float, row: int = 0) -> Tamper:
    """Add to one number of a table; the row counts those that have the number."""

    def tamper(folder: Path) -> None:
        path = folder / f"{table}.csv"
        lines = path.read_text().splitlines()
        at = lines[0].split(",").index(column)
        rows = [number for number, line in enumerate(lines) if line.split(",")[at]][1:]
        cells = lines[rows[row]].split(",")
        old = float(cells[at])
        new = old + change
        cells[at] = str(int(new)) if cells[at].lstrip("-").isdigit() else repr(new)
        lines[rows[row]] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")

    return tamper


def entry(value: float, *keys: str) -> Tamper:
    """Put another number into outcome.json."""

    def tamper(folder: Path) -> None:
        path = folder / "outcome.json"
        record = json.loads(path.read_text())
        inner = record
        for key in keys[:-1]:
            inner = inner[key]
        assert inner[keys[-1]] != value
        inner[keys[-1]] = value
        path.write_text(json.dumps(record))

    return tamper


def text(name: str, old: str, new: str) -> Tamper:
    def tamper(folder: Path) -> None:
        path = folder / name
        content = path.read_text()
        assert old in content
        path.write_text(content.replace(old, new, 1))

    return tamper


def message(column: str, kind: str, topic: str, change: float) -> Tamper:
    """Add to the first number that the first message of a kind carries in a column."""

    def tamper(folder: Path) -> None:
        path = folder / "messages.parquet"
        table = pq.read_table(path)
        values = table[column].to_pylist()
        kinds = zip(table["topic"].to_pylist(), table["kind"].to_pylist(), strict=True)
        at = next(row for row, found in enumerate(kinds) if found == (topic, kind))
        if isinstance(values[at], list):
            values[at][0] += change
        else:
            values[at] += type(values[at])(change)
        index = table.schema.get_field_index(column)
        changed = pa.array(values, type=table.schema.field(column).type)
        pq.write_table(table.set_column(index, column, changed), path)

    return tamper


def test_a_changed_number_in_any_file_is_seen_and_the_file_named(copied: Path) -> None:
    changes = {
        "scenario.toml": text("scenario.toml", "_price_per_kwh = 0.3", "_price_per_kwh = 0.31"),
        "feeder/lines.csv": text("feeder/lines.csv", "0.02", "0.03"),
        "feeder/buses.csv": text("feeder/buses.csv", "3,0.0,0.0", "3,0.0,1.0"),
        "feeder/feeder.toml": text("feeder/feeder.toml", "base_mva = 0.1", "base_mva = 0.2"),
        "report.html": text("report.html", "0.38", "0.39"),
        "messages.parquet": message("imbalance", "quote", "trading", 1e-9),
        "outcome.json": entry(2, "seed"),
    }
    for name in TABLES:
        table = pd.read_csv(copied / f"{name}.csv").dropna(axis="columns", how="all")
        changes[f"{name}.csv"] = cell(name, str(table.select_dtypes("number").columns[-1]), 1.0)
    files = {str(path.relative_to(copied)) for path in copied.rglob("*") if path.is_file()}
    assert changes.keys() == files
    for tamper in changes.values():
        tamper(copied)
    # Every file has a checksum of its own: one sentence each, whatever else was changed.
    failures = verify(copied).failures
    for name in changes:
        assert f"{name} was changed after the run: its checksum differs" in failures


@pytest.mark.parametrize("name", ["report.html", "messages.parquet", "scenario.toml", "lines.csv"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    if name == "report.html":
        assert f"{name} is missing" in verify(copied).failures
    else:
        with pytest.raises(ValueError, match=f"{name} cannot be read"):
            verify(copied)


RECOMPUTED = [
    # Who, where and when.
    ("prices.csv", cell("prices", "slot", 1)),
    ("prices.csv", cell("prices", "bus", 1)),
    ("prices.csv", text("prices.csv", "2016-06-23 11:00", "2016-06-23 11:30")),
    ("trades.csv", cell("trades", "bus", 1)),
    ("trades.csv", cell("trades", "slot", 9)),
    ("schedules.csv", cell("schedules", "slot", 1)),
    ("", text("settlement.csv", "Shady house", "Sunny house")),
    # Prices, trades, schedules.
    ("prices.csv", cell("prices", "price_per_kwh", 1e-9, row=-1)),
    ("trades.csv", cell("trades", "trade_kw", 1e-9)),
    ("trades.csv", cell("trades", "trade_kw", 1e-4, row=-1)),
    ("schedules.csv", cell("schedules", "consumption_kw", 1e-4)),
    ("schedules.csv", cell("schedules", "curtailed_kw", 1e-4)),
    ("schedules.csv", cell("schedules", "shiftable_kw", 1e-4)),
    ("", cell("schedules", "charge_kw", 1e-4)),
    ("", cell("schedules", "discharge_kw", 1e-4, row=-1)),
    ("", cell("schedules", "energy_kwh", 1e-4, row=-1)),
    # Money.
    ("settlement.csv: bargained", cell("settlement", "amount_nano", 1000)),
    ("settlement.csv: bargained", message("quantity", "commitment", "money", 1e-5)),
    # How it came about: what the certificate and the summary take from it.
    ("converged: money", cell("rounds", "primal_residual", 1e-3, row=-1)),
    ("converged: money", cell("rounds", "dual_residual", 1e-3, row=-1)),
    ("rounds: money", cell("rounds", "round", 1, row=-1)),
    ("prices.csv", message("price", "closing", "trading", 1e-9)),
    ("trades.csv", message("quantity", "commitment", "trading", 1e-9)),
    ("trades.csv", message("quantity", "remainder", "trading", 1e-9)),
    ("summary", message("bytes", "offer", "trading", 1)),
    ("summary", message("attempts", "offer", "money", 1)),
    # What it was claimed of.
    ("", text("scenario.toml", "retail_price_per_kwh = 0.3", "retail_price_per_kwh = 0.31")),
    ("", text("scenario.toml", "feed_in_price_per_kwh = 0.1", "feed_in_price_per_kwh = 0.11")),
    ("", text("scenario.toml", "discomfort_per_kwh = 0.02", "discomfort_per_kwh = 0.03")),
    ("", text("scenario.toml", "capacity_kwh = 4.0", "capacity_kwh = 3.0")),
    ("", text("scenario.toml", "bargaining_weight = 1.0", "bargaining_weight = 2.0")),
    ("", text("scenario.toml", "tolerance = 0.0001", "tolerance = 0.001")),
    ("", text("scenario.toml", "power_factor = 0.95", "power_factor = 0.9")),
    ("", text("feeder/lines.csv", "0.02", "0.03")),
    ("", text("feeder/lines.csv", ",4.0,1", ",2.0,1")),
]


@pytest.mark.parametrize(("words", "tamper"), RECOMPUTED, ids=map(str, range(len(RECOMPUTED))))
def test_a_tamperer_who_signs_again_is_found_out(copied: Path, words: str, tamper: Tamper) -> None:
    tamper(copied)
    sign_again(copied)
    found = verify(copied)
    assert not found.holds
    assert not any("checksum" in failure for failure in found.failures)
    assert any(words in failure for failure in found.failures), found.failures


DERIVED = {
    "accounts": {
        **dict.fromkeys(("cost_before", "own_cost", "payment", "cost_after", "saving"), 1e-5),
        **dict.fromkeys(("bus", "weight", "payment_micro"), 1),
    },
    "settlement": dict.fromkeys(("slot", "energy_wh", "price_micro_per_kwh", "amount_nano"), 1),
    "voltages": {"slot": 1, "bus": 1, "lindistflow_pu": 1e-5, "ac_pu": 1e-5},
    "lines": {
        **dict.fromkeys(("flow_kw", "flow_kvar", "ac_kva"), 1e-5),
        **dict.fromkeys(("slot", "from_bus", "to_bus", "limit_kva"), 1),
    },
    "losses": {"slot": 1, "lindistflow_kw": 1e-5, "ac_kw": 1e-5},
    "price_parts": {"slot": 1, "bus": 1}
    | dict.fromkeys((f"{part}_per_kwh" for part in PARTS), 1e-5),
}


def test_every_number_that_follows_from_others_is_computed_again(copied: Path) -> None:
    """Each column is compared by itself, so all may be changed at once."""
    for table, columns in DERIVED.items():
        numbers = pd.read_csv(copied / f"{table}.csv").select_dtypes("number").columns
        assert set(numbers) == set(columns)
        for column, change in columns.items():
            cell(table, column, change, row=-1)(copied)
    sign_again(copied)
    failures = verify(copied).failures
    assert not any("checksum" in failure for failure in failures)
    for table, columns in DERIVED.items():
        for column in columns:
            words = rf"{table}\.csv: row \d+, {column} is .* follows from the rest"
            assert any(re.fullmatch(words, failure) for failure in failures), (table, column)


def numbers_of(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where in nested dictionaries there are numbers."""
    if isinstance(record, dict):
        for key, value in record.items():
            yield from numbers_of(value, (*path, key))
    elif isinstance(record, int | float) and not isinstance(record, bool):
        yield path


def test_every_number_of_certificate_and_summary_is_computed_again(copied: Path) -> None:
    record = json.loads((copied / "outcome.json").read_text())
    places = [
        (part, *path) for part in ("certificate", "summary") for path in numbers_of(record[part])
    ]
    assert len(places) > 100
    for place in places:
        inner = record
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] += 1e-3 * max(1.0, abs(inner[place[-1]]))
    (copied / "outcome.json").write_text(json.dumps(record))
    sign_again(copied)
    failures = verify(copied).failures
    for place in places:
        named = f"outcome.json: {': '.join(place)} is "
        assert any(failure.startswith(named) for failure in failures), named


def test_a_market_that_was_not_run_is_found_out(copied: Path) -> None:
    for market in ("competitive", "utility-only", "fair"):
        path = copied / "outcome.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"market": market}))
        sign_again(copied)
        assert not verify(copied).holds


@pytest.mark.parametrize(
    "tamper",
    [
        cell("trades", "trade_kw", 1e7, row=-1),
        cell("trades", "trade_kw", float("inf")),
        cell("prices", "price_per_kwh", float("inf")),
        text("schedules.csv", "1.0", "much"),
        text("prices.csv", "trading", "nothing"),
        text("trades.csv", "Shady", "Shabby"),
        text("accounts.csv", "saving", "savings"),
        text("prices.csv", "price_per_kwh", "price"),
        text("rounds.csv", "money,1,", "mony,1,"),
        text("outcome.json", '"claims"', '"claim"'),
        text("outcome.json", '"market": "nash-bargaining"', '"market": ["nash-bargaining"]'),
        text("scenario.toml", "bus = 2", "bus = 1"),
    ],
)
def test_a_mutilated_run_is_refused_without_a_traceback(copied: Path, tamper: Tamper) -> None:
    tamper(copied)
    assert not holds(copied)


def holds(folder: Path) -> bool:
    """Whether a run verifies; what cannot be read does not."""
    try:
        return verify(folder).holds
    except ValueError as error:
        return "cannot be read" not in str(error)


def test_a_record_that_is_no_record_is_refused(copied: Path) -> None:
    (copied / "outcome.json").write_text("[]")
    with pytest.raises(ValueError, match=r"outcome\.json"):
        verify(copied)
