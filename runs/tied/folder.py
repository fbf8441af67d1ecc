"""What two feeders with a tie leave behind: a folder of files, written whole, and read back.

first, second   scenario.toml of each, and all files of its own market without the tie
the rest        outcome.json, the tables of both together, messages.parquet and tie.html
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from nashgrid.runs.run_folder import read_scenario, read_table, write_scenario, write_whole
from nashgrid.runs.run_record import read_record, versions, write_record
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tied.market import TiedOutcome
from nashgrid.runs.tied.tables import TiedTables
from nashgrid.runs.tied.tie import Tie

FEEDERS = ("first", "second")
TABLES = tuple(field.name for field in fields(TiedTables))
PAGE, RECORD, SCENARIO = "tie.html", "outcome.json", "scenario.toml"
_TIE = "tie.csv"


@dataclass(frozen=True)
class StoredTie:
    """What two feeders with a tie came to, as read from its folder."""

    folder: Path
    record: dict[str, Any]
    scenarios: tuple[Scenario, Scenario]
    link: Tie
    tables: TiedTables
    messages: pa.Table


def is_tied(folder: Path) -> bool:
    """Whether a folder holds two feeders with a tie."""
    return (folder / _TIE).is_file() or (folder / FEEDERS[0]).is_dir()


def save(outcome: TiedOutcome, wanted: Path | None) -> Path:
    """Write all files into a new folder, see `write_whole`."""
    return write_whole(lambda folder: _write(outcome, folder), wanted)


def load(folder: Path) -> StoredTie:
    """Read the files of both feeders.

    Raises
    ------
    ValueError
        If a file is missing or cannot be read; names it.
    """
    name = RECORD
    try:
        record = read_record(folder)
        link = Tie(**record["tie"])
        tables = {}
        for table in TABLES:
            name = f"{table}.csv"
            tables[table] = read_table(folder / name)
        name = "messages.parquet"
        messages = pq.read_table(folder / name)
        scenarios = []
        for feeder in FEEDERS:
            name = f"{feeder}/{SCENARIO}"
            scenarios.append(read_scenario(folder / feeder))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise ValueError(f"{folder / name} cannot be read: {error}") from error
    both = scenarios[0], scenarios[1]
    return StoredTie(folder, record, both, link, TiedTables(**tables), messages)


def listed_files(folder: Path) -> list[Path]:
    """The files whose checksums outcome.json keeps: all but itself."""
    names = [*(f"{table}.csv" for table in TABLES), "messages.parquet", PAGE]
    of_feeders = [path for feeder in FEEDERS for path in (folder / feeder).rglob("*")]
    return [*(folder / name for name in names), *sorted(p for p in of_feeders if p.is_file())]


def _write(outcome: TiedOutcome, folder: Path) -> None:
    for feeder, scenario, alone in zip(FEEDERS, outcome.scenarios, outcome.alone, strict=True):
        if alone is not None:
            alone.save(folder / feeder)
        else:
            (folder / feeder).mkdir()
            write_scenario(scenario, folder / feeder)
    for table in TABLES:
        path = folder / f"{table}.csv"
        getattr(outcome, table).to_csv(path, index=False, lineterminator="\n")
    pq.write_table(outcome.messages, folder / "messages.parquet", compression="zstd")
    outcome.report(folder / PAGE)
    record = {
        "tie": asdict(outcome.link),
        "seed": outcome.seed,
        "versions": versions(),
        "summary": outcome.summary,
        "certificate": outcome.certificate,
    }
    write_record(record, folder, listed_files(folder))
