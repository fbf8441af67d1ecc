"""Verification of two feeders with a tie: everything computed anew from their files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.topics import TRADING
from nashgrid.runs.central import local_problem
from nashgrid.runs.consistency import misfits, unsaid
from nashgrid.runs.layers import NO_LAYERS
from nashgrid.runs.roster import roster
from nashgrid.runs.run_folder import StoredRun
from nashgrid.runs.run_folder import load as load_run
from nashgrid.runs.run_record import changed_files
from nashgrid.runs.run_verification import (
    Verification,
    case_device_costs,
    failed_claims,
    verify_run,
    wrong_schedules,
)
from nashgrid.runs.table_comparison import differences, table_differences
from nashgrid.runs.tied.alone import kept_alone
from nashgrid.runs.tied.conclusion import conclude
from nashgrid.runs.tied.folder import FEEDERS, RECORD, TABLES, StoredTie, listed_files, load
from nashgrid.runs.tied.half import Alone, Half
from nashgrid.runs.tied.messages import said_in_feeders
from nashgrid.runs.tied.tables import of_feeder
from nashgrid.runs.tied.tie import TiedWires, wires_of_both


def verify_tied(folder: Path) -> Verification:
    """Recompute the proof of both feeders from their files, with the tie and without.

    Raises
    ------
    ValueError
        If a file is missing or unreadable.
    """
    stored = load(folder)
    written = [folder / name for name in stored.record.get("files", {})]
    failures = [
        *changed_files(
            stored.record, folder, list(dict.fromkeys([*listed_files(folder), *written]))
        ),
        *(words for feeder in FEEDERS for words in _wrong_alone(stored, feeder)),
    ]
    try:
        certificate, wrong = _recompute(stored)
    except (KeyError, IndexError, ValueError) as error:
        return Verification(folder, {}, (*failures, f"the tables do not fit: {error}"))
    return Verification(folder, certificate, (*failures, *wrong, *failed_claims(certificate)))


def _wrong_alone(stored: StoredTie, feeder: str) -> Iterator[str]:
    """What does not hold of a feeder's market without the tie, or of there being none."""
    place = stored.folder / feeder
    if (place / RECORD).is_file():
        yield from (f"{feeder}: {words}" for words in verify_run(place).failures)
    elif kept_alone(stored.scenarios[FEEDERS.index(feeder)]):
        yield f"{feeder}: there is no market without the tie, though one can be held"


def _recompute(stored: StoredTie) -> tuple[dict[str, Any], list[str]]:
    wires = wires_of_both(stored.scenarios, stored.link)
    runs = [_run(stored, own) for own in wires]
    people = [roster(scenario, None) for scenario in stored.scenarios]
    parts = list(zip(runs, wires, people, strict=True))
    misplaced = [
        f"{run.scenario.name}: {words}"
        for run, own, who in parts
        for words in misfits(run, own, who, [TRADING])
    ]
    if misplaced:
        return {}, misplaced
    first, second = (
        _half(run, own, stored.folder / feeder)
        for run, own, feeder in zip(runs, wires, FEEDERS, strict=True)
    )
    again, certificate, summary = conclude(first, second, stored.tables.rounds, stored.messages)
    wrong = [
        *(
            difference
            for table in TABLES
            for difference in table_differences(
                f"{table}.csv", getattr(stored.tables, table), getattr(again, table)
            )
        ),
        *differences("outcome.json: certificate", stored.record["certificate"], certificate),
        *differences("outcome.json: summary", stored.record["summary"], summary),
    ]
    said = said_in_feeders(stored.messages, people)
    for (run, own, who), half, messages in zip(parts, (first, second), said, strict=True):
        heard = replace(run, messages=messages)
        found = (
            *unsaid(heard, own, who, [TRADING], NO_LAYERS),
            *wrong_schedules(run, own, {TRADING: half.problems}),
        )
        wrong += [f"{run.scenario.name}: {words}" for words in found]
    return certificate, wrong


def _run(stored: StoredTie, wires: TiedWires) -> StoredRun:
    """One feeder's part of the files, as if it were a run."""
    own = of_feeder(stored.tables, wires.scenario.name)
    return StoredRun(stored.folder, stored.record, wires.scenario, own, stored.messages)


def _half(run: StoredRun, wires: TiedWires, alone: Path) -> Half:
    problems = [
        CompiledProblem(local_problem(row, run.scenario, wires, TRADING))
        for row in range(len(run.scenario.agents))
    ]
    device_cost = case_device_costs(run, wires, {TRADING: problems})[TRADING]
    without = None
    if (alone / RECORD).is_file():
        market = load_run(alone)
        without = Alone(market.tables.accounts, market.record["certificate"])
    own = run.tables
    return Half(wires, own.prices, own.trades, own.schedules, problems, device_cost, without)
