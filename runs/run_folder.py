"""What a run leaves behind: a folder of files, written whole or not at all, and read back."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nashgrid.grid.feeder_files import FEEDER_FILES, write_feeder
from nashgrid.runs.outcome import Outcome, Tables
from nashgrid.runs.run_record import read_record, versions, write_record
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import parse_scenario, scenario_toml
from nashgrid.runs.stored_feeder import has_own_feeder, stored_feeder

WHERE_ASKED = (
    *("reactive", "levels", "community_prices", "rentals", "rented_charging"),
    "charges_tried",
)
"""Tables that are written only where a scenario or a market asks for them."""
TABLES = tuple(field.name for field in fields(Tables) if field.name not in WHERE_ASKED)
MANY_ROWS = ("trades", "schedules", "accounts", "settlement")
"""Tables that grow with the agents: Parquet where the agents are a population."""
FEEDER = "feeder"
# pandas 2 rounds the last digit unless asked not to; pandas 3 never does, and warns who asks.
_EXACT: dict[str, Any] = {} if pd.__version__ >= "3" else {"float_precision": "round_trip"}
_TEXT = (
    *("scenario", "case", "agent", "kind", "community", "device", "payer", "payee", "item"),
    "topic",
)
_WHOLE_NUMBERS = {"slot": "Int64", "energy_wh": "Int64", "price_micro_per_kwh": "Int64"}


@dataclass(frozen=True)
class StoredRun:
    """A run as read from its folder; `record` is the content of outcome.json."""

    folder: Path
    record: dict[str, Any]
    scenario: Scenario
    tables: Tables
    messages: pa.Table


def save(outcome: Outcome, wanted: Path | None) -> Path:
    """Write all files of a run into a new folder, see `write_whole`."""
    return write_whole(lambda folder: _write(outcome, folder), wanted)


def write_whole(write: Callable[[Path], None], wanted: Path | None) -> Path:
    """Write into a new folder: first apart, then moved into place.

    Parameters
    ----------
    write : writes all files into the folder that it is given
    wanted : the folder; None for the next number under nashgrid-runs

    Raises
    ------
    ValueError
        If the folder exists already or cannot be written.
    """
    folder = next_folder(wanted)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            write(work)
            work.chmod(0o755)
            return _move(work, wanted)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ValueError(f"the output folder {folder} cannot be written: {error}") from error


def load(folder: Path) -> StoredRun:
    """Read a run's files.

    Raises
    ------
    ValueError
        If a file is missing or cannot be read; names it.
    """
    name = "outcome.json"
    try:
        record = read_record(folder)
        tables = {}
        for table in TABLES:
            name = table_file(folder, table)
            tables[table] = read_table(folder / name)
        for table in WHERE_ASKED:
            name = f"{table}.csv"
            tables[table] = (
                read_table(folder / name) if (folder / name).is_file() else pd.DataFrame()
            )
        name = "messages.parquet"
        messages = pq.read_table(folder / name)
        name = "scenario.toml"
        scenario = read_scenario(folder)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise ValueError(f"{folder / name} cannot be read: {error}") from error
    return StoredRun(folder, record, scenario, Tables(**tables), messages)


def table_file(folder: Path, table: str) -> str:
    """Name of a table's file: long tables are Parquet."""
    parquet = f"{table}.parquet"
    return parquet if (folder / parquet).is_file() else f"{table}.csv"


def read_scenario(folder: Path) -> Scenario:
    """The scenario of a run, from its folder.

    Raises
    ------
    OSError, ValueError
        If it cannot be read.
    """
    path = folder / "scenario.toml"
    return parse_scenario(path.read_text(encoding="utf-8"), str(path), folder)


def read_table(path: Path) -> pd.DataFrame:
    """A table as it was written: text stays text, and whole numbers whole."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    frame = pd.read_csv(
        path,
        keep_default_na=False,
        na_values=[""],
        dtype=dict.fromkeys(_TEXT, str),
        **_EXACT,
    )
    whole = {c: kind for c, kind in _WHOLE_NUMBERS.items() if c in frame}
    text = {c: "" for c in ("community",) if c in frame}
    return frame.fillna(text).astype(whole)


def listed_files(folder: Path) -> list[Path]:
    """The files whose checksums outcome.json keeps."""
    asked = [table for table in WHERE_ASKED if (folder / f"{table}.csv").is_file()]
    tables = (table_file(folder, table) for table in (*TABLES, *asked))
    names = ["scenario.toml", *tables, "messages.parquet"]
    feeder = [f"{FEEDER}/{name}" for name in FEEDER_FILES] if (folder / FEEDER).is_dir() else []
    return [folder / name for name in [*names, *feeder, "report.html"]]


def _write(outcome: Outcome, folder: Path) -> None:
    write_scenario(outcome.scenario, folder)
    asked = [table for table in WHERE_ASKED if len(getattr(outcome, table))]
    for table in (*TABLES, *asked):
        frame = getattr(outcome, table)
        if outcome.scenario.population is not None and table in MANY_ROWS:
            frame.to_parquet(folder / f"{table}.parquet", index=False, compression="zstd")
        else:
            frame.to_csv(folder / f"{table}.csv", index=False, lineterminator="\n")
    pq.write_table(outcome.messages, folder / "messages.parquet", compression="zstd")
    outcome.report(folder / "report.html")
    record = {
        "market": outcome.market,
        "seed": outcome.seed,
        "versions": versions(),
        "summary": outcome.summary,
        "certificate": outcome.certificate,
    }
    write_record(record, folder, listed_files(folder))


def write_scenario(scenario: Scenario, folder: Path) -> None:
    """Write scenario.toml, and a feeder of the user's own beside it."""
    complete = scenario_toml(_with_feeder(scenario, folder))
    (folder / "scenario.toml").write_text(complete, encoding="utf-8")


def _with_feeder(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario as it stands in the run's folder, a feeder of the user's own beside it."""
    stored = stored_feeder(scenario)
    if scenario.feeder is None or stored is None or not has_own_feeder(scenario):
        return scenario
    write_feeder(stored, folder / FEEDER)
    feeder = scenario.feeder.model_copy(update={"name": FEEDER})
    return scenario.model_copy(update={"feeder": feeder})


def _move(work: Path, wanted: Path | None) -> Path:
    """Into place; a number that another run has taken in the meantime gives way to the next."""
    while True:
        folder = next_folder(wanted)
        try:
            os.rename(work, folder)
        except OSError:
            if wanted is not None or not folder.exists():
                raise
        else:
            return folder


def save_study(
    scenario: Scenario, write: Callable[[Path], None], wanted: str | Path | None
) -> Path:
    """Write the files of a study and its scenario into a new folder, see `write_whole`."""

    def write_all(place: Path) -> None:
        write_scenario(scenario, place)
        write(place)

    return write_whole(write_all, None if wanted is None else Path(wanted))


def next_folder(wanted: Path | None) -> Path:
    """The folder to write: the wanted one, or the next number under nashgrid-runs.

    Raises
    ------
    ValueError
        If the wanted folder exists already, or nothing can be written where it would stand.
    """
    folder = wanted
    if folder is None:
        parent = Path("nashgrid-runs")
        numbers = [int(p.name) for p in parent.glob("[0-9]*") if p.name.isdigit()]
        folder = parent / f"{max(numbers, default=0) + 1:04d}"
    if folder.exists():
        raise ValueError(f"the output folder {folder} exists already; nothing is overwritten")
    above = next(p for p in folder.absolute().parents if p.exists())
    if not above.is_dir():
        raise ValueError(f"the output folder {folder} cannot be written: {above} is a file")
    if not os.access(above, os.W_OK):
        raise ValueError(f"the output folder {folder} cannot be written: {above} is read-only")
    return folder
