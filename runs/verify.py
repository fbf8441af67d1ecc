"""Verification: a run's files alone, everything computed anew without the negotiation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.prosumer import TRADING, UTILITY_ONLY
from nashgrid.market.settlement import MICRO
from nashgrid.runs import tables
from nashgrid.runs.accounts import accounts_table
from nashgrid.runs.assembly import Wires, lay_wires
from nashgrid.runs.central import local_problem
from nashgrid.runs.certificate import certify
from nashgrid.runs.consistency import misfits, unsaid, unsaid_payments
from nashgrid.runs.ledger import Trades, payments, settlement_payments, settlement_table
from nashgrid.runs.proof import assign
from nashgrid.runs.run_folder import (
    StoredRun,
    checksum,
    listed_files,
    load,
    record_checksum,
)
from nashgrid.runs.summary import summarise
from nashgrid.runs.table_comparison import differences, table_differences


@dataclass(frozen=True)
class Verification:
    """What a verification found.

    Attributes
    ----------
    certificate : recomputed from the files
    failures : one sentence each; empty when everything holds
    """

    folder: Path
    certificate: dict[str, Any]
    failures: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every number agrees and every claim holds."""
        return not self.failures


def verify(folder: str | Path) -> Verification:
    """Recompute the proof of a run from its files and compare every number.

    Raises
    ------
    ValueError
        If a file is missing or unreadable.
    """
    run = load(Path(folder))
    failures = list(_checksums(run))
    try:
        certificate, wrong = _recompute(run)
    except (KeyError, IndexError, ValueError) as error:
        return Verification(run.folder, {}, (*failures, f"the tables do not fit: {error}"))
    failures += wrong
    failures += [
        f"the claim {name!r} does not hold: {claim['words']} is {claim['value']:.3g}, "
        f"at most {claim['bound']:.3g} is allowed"
        for name, claim in certificate.get("claims", {}).items()
        if not claim["holds"]
    ]
    return Verification(run.folder, certificate, tuple(failures))


def _checksums(run: StoredRun) -> Iterator[str]:
    if run.record.get("checksum") != record_checksum(run.record):
        yield "outcome.json was changed after the run: its checksum differs"
    for path in listed_files(run.folder):
        name = path.relative_to(run.folder).as_posix()
        if not path.is_file():
            yield f"{name} is missing"
        elif run.record.get("files", {}).get(name) != checksum(path.read_bytes()):
            yield f"{name} was changed after the run: its checksum differs"


def _recompute(run: StoredRun) -> tuple[dict[str, Any], list[str]]:
    scenario, market = run.scenario, run.record["market"]
    wires = lay_wires(scenario)
    counterparty = wires.counterparty
    cases = [UTILITY_ONLY] if market == UTILITY_ONLY else [UTILITY_ONLY, TRADING]
    misplaced = list(misfits(run, wires, counterparty, cases))
    if misplaced:
        return {}, misplaced
    problems = {
        case: [
            CompiledProblem(local_problem(index, scenario, wires, case))
            for index in range(len(scenario.agents))
        ]
        for case in cases
    }
    voltages, lines, losses = tables.network_tables(run.tables["trades"], scenario, wires, cases)
    accounts, settlement = _settle_again(run, wires, problems, counterparty, cases)
    certificate = certify(
        scenario,
        wires,
        problems,
        market,
        counterparty,
        prices=run.tables["prices"],
        trades=run.tables["trades"],
        schedules=run.tables["schedules"],
        accounts=accounts,
        rounds=run.tables["rounds"],
        voltages=voltages,
        lines=lines,
        losses=losses,
    )
    summary = summarise(scenario, accounts, run.tables["rounds"], run.messages)
    wrong = [
        *table_differences("accounts.csv", run.tables["accounts"], accounts),
        *table_differences("settlement.csv", run.tables["settlement"], settlement),
        *table_differences("voltages.csv", run.tables["voltages"], voltages),
        *table_differences("lines.csv", run.tables["lines"], lines),
        *table_differences("losses.csv", run.tables["losses"], losses),
        *differences("outcome.json: certificate", run.record["certificate"], certificate),
        *differences("outcome.json: summary", run.record["summary"], summary),
        *unsaid(run, wires, cases),
        *unsaid_payments(run),
        *_wrong_schedules(run, problems),
    ]
    return certificate, wrong


def _settle_again(
    run: StoredRun,
    wires: Wires,
    problems: dict[str, list[CompiledProblem]],
    counterparty: str,
    cases: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accounts and settlement from schedules, trades and prices; of bargaining its agreement."""
    scenario, trades = run.scenario, run.tables["trades"]
    hours = scenario.horizon.slot_hours
    trade_of: dict[str, dict[str, np.ndarray]] = {case: {} for case in cases}
    cost_of: dict[str, dict[str, float]] = {case: {} for case in cases}
    for case in cases:
        own = trades[trades["case"] == case]
        schedules = run.tables["schedules"]
        schedules = schedules[schedules["case"] == case]
        for entry, compiled in zip(scenario.agents, problems[case], strict=True):
            trade = own[own["agent"] == entry.name].sort_values("slot")["trade_kw"].to_numpy(float)
            rows = schedules[schedules["agent"] == entry.name]
            assign(compiled.problem, trade, rows, case)
            trade_of[case][entry.name] = trade
            cost_of[case][entry.name] = compiled.problem.device_cost()
    last = cases[-1]
    price = run.tables["prices"]
    price = price[price["case"] == last].pivot(index="slot", columns="bus", values="price_per_kwh")
    agreed = [
        payment
        for payment in settlement_payments(run.tables["settlement"])
        if payment.item == "bargained payment"
    ]
    settled = Trades(
        baseline_kw=trade_of[UTILITY_ONLY],
        trade_kw=trade_of[last],
        price_per_kwh={e.name: price[e.bus or 0].to_numpy(float) for e in scenario.agents},
        bargained={p.payer: p.amount_nano / (1000 * MICRO) for p in agreed},
        losses_kw=wires.losses_kw(tables.demand_kw(trades, last, wires)),
    )
    listed = payments(run.record["market"], settled, scenario, wires, counterparty)
    settlement = settlement_table(listed)
    bills = {n: wires.tariff.bill(t, hours) for n, t in trade_of[UTILITY_ONLY].items()}
    before = {name: cost_of[UTILITY_ONLY][name] + bill for name, bill in bills.items()}
    before[counterparty] = wires.loss_cost(tables.demand_kw(trades, UTILITY_ONLY, wires))
    accounts = accounts_table(
        scenario,
        counterparty,
        cost_before=before,
        bills=list(bills.values()),
        own_cost=cost_of[last],
        settlement=settlement,
    )
    return accounts, settlement


def _wrong_schedules(run: StoredRun, problems: dict[str, list[CompiledProblem]]) -> Iterator[str]:
    """What devices consume must follow from their decisions, now in the problems' variables."""
    frames = [
        tables.schedule_rows(case, compiled.problem.owner, compiled.problem.schedule())
        for case, owners in problems.items()
        for compiled in owners
    ]
    again = tables.schedules_of(frames)
    yield from table_differences("schedules.csv", run.tables["schedules"], again)
