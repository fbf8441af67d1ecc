"""Network charges from their files alone: what was written holds, and no changed number does."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nashgrid.runs.charges import charges
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.verify import verify

Tamper = Callable[[Path], None]


@pytest.fixture(scope="module")
def stored(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two rules on three agents and three buses."""
    place = tmp_path_factory.mktemp("charges")
    rules = ["none", "price-difference"]
    return charges(load_scenario(write(place, trio)), rules, fixed_cost=0.1).save(place / "run")


@pytest.fixture
def copied(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored, tmp_path / "run"))


def change(folder: Path, tamper: Callable[[dict[str, Any]], None]) -> None:
    """Change outcome.json, and sign everything again."""
    path = folder / "outcome.json"
    record = json.loads(path.read_text())
    tamper(record)
    for name in record["files"]:
        record["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    del record["checksum"]
    text = json.dumps(record, sort_keys=True)
    record["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(record))


def sign_again(folder: Path) -> None:
    change(folder, lambda record: None)


def test_what_was_written_holds(copied: Path) -> None:
    found = verify(copied)
    assert found.failures == ()
    assert len(found.certificate["claims"]) == 2 * 5 + 2
    sign_again(copied)
    assert verify(copied).holds


@pytest.mark.parametrize("name", ["charges.html", "charges.md", "scenario.toml", "prices.csv"])
def test_a_changed_file_is_named(copied: Path, name: str) -> None:
    path = copied / name
    path.write_text(path.read_text() + "\n")
    assert f"{name} was changed after the run: its checksum differs" in verify(copied).failures


def cell(table: str, column: str, by: float) -> Tamper:
    """Add to the first number of a column that is there."""

    def tamper(folder: Path) -> None:
        frame = pd.read_csv(folder / f"{table}.csv")
        frame.loc[frame[column].first_valid_index(), column] += by
        frame.to_csv(folder / f"{table}.csv", index=False)

    return tamper


def text(name: str, old: str, new: str) -> Tamper:
    def tamper(folder: Path) -> None:
        content = (folder / name).read_text()
        assert old in content
        (folder / name).write_text(content.replace(old, new, 1))

    return tamper


def message(kind: str, field: str, by: float) -> Tamper:
    """Add to the first number of the first message of a kind."""

    def tamper(folder: Path) -> None:
        table = pq.read_table(folder / "messages.parquet")
        values = table[field].to_pylist()
        at = table["kind"].to_pylist().index(kind)
        values[at][0] += by
        place = table.schema.get_field_index(field)
        column = pa.array(values, type=table.schema.field(field).type)
        pq.write_table(table.set_column(place, field, column), folder / "messages.parquet")

    return tamper


@pytest.mark.parametrize(
    ("words", "tamper"),
    [
        ("prices.csv: prices of none are not those", cell("prices", "price_per_kwh", 1e-4)),
        ("agent_trades.csv: trades of none are", cell("agent_trades", "trade_kw", 1e-4)),
        ("schedules.csv: row", cell("schedules", "consumption_kw", 1e-4)),
        ("own constraints", cell("schedules", "shiftable_kw", 1e-4)),
        ("trades.csv: row 1, power_kw", cell("trades", "power_kw", 1e-4)),
        ("trades.csv: row 1, charge_per_kwh", cell("trades", "charge_per_kwh", 1e-4)),
        ("messages: operator", message("offer sums", "quantity", 1e-6)),
        ("messages: operator", message("offer", "quantity", 1e-6)),
        ("messages: operator", message("remainder", "quantity", 1e-6)),
        ("messages: prosumers", message("quote", "price", 1e-6)),
        ("the claim 'none: prices' does not", message("announcement", "price", 1e-4)),
        ("'none: prices' does not hold", message("announcement", "imbalance", 1e-4)),
        ("messages: operator", message("enrolment", "size", 1e-3)),
        ("", text("scenario.toml", "retail_price_per_kwh = 0.3", "retail_price_per_kwh = 0.31")),
        ("", text("scenario.toml", "discomfort_per_kwh = 0.02", "discomfort_per_kwh = 0.03")),
        ("", text("feeder/lines.csv", "0.02", "0.03")),
        ("", text("prices.csv", "none,0,2", "none,0,3")),
        ("", text("agent_trades.csv", "Shady", "Shabby")),
        ("", text("schedules.csv", "none,", "nothing,")),
    ],
)
def test_a_tamperer_who_signs_again_is_found_out(copied: Path, words: str, tamper: Tamper) -> None:
    tamper(copied)
    sign_again(copied)
    found = verify(copied)
    assert not found.holds
    assert not any("checksum" in failure for failure in found.failures)
    assert any(words in failure for failure in found.failures), found.failures


def test_every_number_of_the_table_is_computed_again(copied: Path) -> None:
    path = copied / "charges.csv"
    frame = pd.read_csv(path)
    numbers = frame.select_dtypes("number").columns
    assert len(numbers) > 12
    for column in numbers:
        frame[column] += 1 if frame[column].dtype == int else 1e-3 * (1 + frame[column].abs())
    frame["stable"] = ~frame["stable"]
    frame.to_csv(path, index=False)
    sign_again(copied)
    failures = verify(copied).failures
    for column in [*numbers, "stable"]:
        assert any(f"charges.csv: row 1, {column} is" in failure for failure in failures), column


def numbers_of(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(record, dict):
        for key, value in record.items():
            yield from numbers_of(value, (*path, key))
    elif isinstance(record, int | float) and not isinstance(record, bool):
        yield path


def test_every_number_of_certificate_and_summary_is_computed_again(copied: Path) -> None:
    places: list[tuple[str, ...]] = []

    def tamper(record: dict[str, Any]) -> None:
        for part in ("certificate", "summary"):
            places.extend((part, *path) for path in numbers_of(record[part]))
        for place in places:
            inner = record
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] += 1e-3 * max(1.0, abs(inner[place[-1]]))

    change(copied, tamper)
    failures = verify(copied).failures
    assert len(places) > 60
    for place in places:
        assert any(f.startswith(f"outcome.json: {': '.join(place)} is ") for f in failures), place


@pytest.mark.parametrize(
    "terms",
    [{"fixed_cost": 0.2}, {"tolerance": 1e-3}, {"maximum_iterations": 3}, {"rules": ["none"]}],
    ids=str,
)
def test_other_terms_do_not_fit(copied: Path, terms: dict[str, Any]) -> None:
    change(copied, lambda record: record.update(terms))
    assert not verify(copied).holds


@pytest.mark.parametrize(
    "tamper",
    [
        text("outcome.json", '"rules"', '"rulers"'),
        text("outcome.json", '"price-difference"', '"flat"'),
        text("outcome.json", '"certificate"', '"certified"'),
        text("prices.csv", "price_per_kwh", "price"),
        cell("agent_trades", "trade_kw", float("inf")),
    ],
)
def test_a_mutilated_folder_is_refused_without_a_traceback(copied: Path, tamper: Tamper) -> None:
    tamper(copied)
    sign_again(copied)
    assert any("do not fit" in failure for failure in verify(copied).failures)


def test_a_missing_file_is_named(copied: Path) -> None:
    (copied / "schedules.csv").unlink()
    with pytest.raises(ValueError, match=r"schedules\.csv cannot be read"):
        verify(copied)
