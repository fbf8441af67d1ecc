"""What network charges leave behind: a folder of files, written whole, and read back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nashgrid.grid.feeder_files import FEEDER_FILES
from nashgrid.runs.charge_comparison import ChargeComparison
from nashgrid.runs.charges_table import markdown
from nashgrid.runs.run_folder import (
    FEEDER,
    read_scenario,
    read_table,
    write_scenario,
    write_whole,
)
from nashgrid.runs.run_record import read_record, versions, write_record
from nashgrid.runs.scenario import Scenario

TABLES = ("charges", "prices", "agent_trades", "schedules", "trades")
PAGE, MESSAGES = "charges.html", "messages.parquet"
_RECORD, _SCENARIO = "outcome.json", "scenario.toml"
_MARKDOWN = "charges.md"


@dataclass(frozen=True)
class StoredCharges:
    """Network charges as read from their folder; `record` is the content of outcome.json."""

    folder: Path
    record: dict[str, Any]
    scenario: Scenario
    tables: dict[str, pd.DataFrame]
    messages: pa.Table


def holds_charges(folder: Path) -> bool:
    """Whether a folder holds network charges."""
    return (folder / "charges.csv").is_file() or (folder / PAGE).is_file()


def save_charges(comparison: ChargeComparison, wanted: Path | None) -> Path:
    """Write all files into a new folder, see `write_whole`."""
    return write_whole(lambda folder: _write(comparison, folder), wanted)


def load_charges(folder: Path) -> StoredCharges:
    """Read the files of network charges.

    Raises
    ------
    ValueError
        If a file is missing or cannot be read; names it.
    """
    name = _RECORD
    try:
        record = read_record(folder)
        tables = {}
        for table in TABLES:
            name = f"{table}.csv"
            tables[table] = read_table(folder / name)
        name = MESSAGES
        messages = pq.read_table(folder / name)
        name = _SCENARIO
        scenario = read_scenario(folder)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise ValueError(f"{folder / name} cannot be read: {error}") from error
    return StoredCharges(folder, record, scenario, tables, messages)


def listed_files(folder: Path) -> list[Path]:
    """The files whose checksums outcome.json keeps: all but itself."""
    names = [_SCENARIO, *(f"{table}.csv" for table in TABLES), MESSAGES, _MARKDOWN, PAGE]
    feeder = [f"{FEEDER}/{name}" for name in FEEDER_FILES] if (folder / FEEDER).is_dir() else []
    return [folder / name for name in [*names, *feeder]]


def tables_of(comparison: ChargeComparison) -> dict[str, pd.DataFrame]:
    """The tables by name; one row is one observation.

    charges : see `ChargeComparison.table`
    prices : rule, slot, bus, price_per_kwh
    agent_trades : rule, agent, bus, slot, trade_kw
    schedules : case (the rule), agent, device, slot and the decisions of the device
    trades : slot, seller, buyer, power_kw, charge_per_kwh, rule: pairs of buses
    """
    outcomes, agents = comparison.outcomes, comparison.scenario.agents
    slots = np.arange(comparison.scenario.horizon.slots)
    prices = [
        pd.DataFrame(
            {
                "rule": one.rule,
                "slot": np.repeat(slots, len(comparison.places)),
                "bus": np.tile(comparison.places, len(slots)),
                "price_per_kwh": one.price_per_kwh.ravel(),
            }
        )
        for one in outcomes
    ]
    traded = [
        pd.DataFrame(
            {
                "rule": one.rule,
                "agent": np.repeat([entry.name for entry in agents], len(slots)),
                "bus": np.repeat([entry.bus for entry in agents], len(slots)),
                "slot": np.tile(slots, len(agents)),
                "trade_kw": one.trade_kw.ravel(),
            }
        )
        for one in outcomes
    ]
    return {
        "charges": comparison.table,
        "prices": pd.concat(prices, ignore_index=True),
        "agent_trades": pd.concat(traded, ignore_index=True),
        "schedules": pd.concat([one.schedules for one in outcomes], ignore_index=True),
        "trades": pd.concat(
            [one.trades.assign(rule=one.rule) for one in outcomes], ignore_index=True
        ),
    }


def _write(comparison: ChargeComparison, folder: Path) -> None:
    from nashgrid.runs.report.charges_page import write_charges

    write_scenario(comparison.scenario, folder)
    for name, table in tables_of(comparison).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    pq.write_table(comparison.messages, folder / MESSAGES, compression="zstd")
    (folder / _MARKDOWN).write_text(markdown(comparison), encoding="utf-8")
    write_charges(comparison, folder / PAGE)
    terms = comparison.terms
    record = {
        "study": "charges",
        "rules": [one.rule for one in comparison.outcomes],
        "fixed_cost": terms.fixed_cost,
        "tolerance": terms.tolerance,
        "maximum_iterations": terms.maximum_iterations,
        "seed": comparison.seed,
        "versions": versions(),
        "summary": comparison.summary,
        "certificate": comparison.certificate,
    }
    write_record(record, folder, listed_files(folder))
