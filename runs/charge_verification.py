"""Verification of network charges: everything computed anew from their files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.central import local_problem
from nashgrid.runs.charge_audit import ChargeAudit, audit_all
from nashgrid.runs.charge_certificate import charge_certificate
from nashgrid.runs.charge_comparison import ChargeComparison, Charged
from nashgrid.runs.charge_folder import StoredCharges, listed_files, load_charges, tables_of
from nashgrid.runs.charge_outcome import charge_outcome
from nashgrid.runs.charge_terms import ChargeTerms
from nashgrid.runs.consistency import SAME_KW
from nashgrid.runs.positions import assign
from nashgrid.runs.run_record import changed_files
from nashgrid.runs.run_verification import Verification, failed_claims
from nashgrid.runs.table_comparison import differences, table_differences
from nashgrid.runs.wire_laying import lay_wires
from nashgrid.runs.wires import Wires

_SAME_PRICE_PER_KWH = 1e-12


def verify_charges(folder: Path) -> Verification:
    """Recompute charges from their files: limits, AC figures, revenue, costs, epsilons, pairs.

    The rules go their course again on the sums that the operator was told; the agents' trades and
    schedules are held to their own problems at the prices that they pay.

    Raises
    ------
    ValueError
        If a file is missing or unreadable.
    """
    stored = load_charges(folder)
    written = [folder / name for name in stored.record.get("files", {})]
    listed = list(dict.fromkeys([*listed_files(folder), *written]))
    failures = list(changed_files(stored.record, folder, listed))
    try:
        again, audits = _recompute(stored)
        wrong = [*_differing(stored, again), *_unsaid(again, audits)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return Verification(folder, {}, (*failures, f"the tables do not fit: {error}"))
    certificate = again.certificate
    return Verification(folder, certificate, (*failures, *wrong, *failed_claims(certificate)))


def _recompute(stored: StoredCharges) -> tuple[ChargeComparison, dict[str, ChargeAudit]]:
    record, scenario = stored.record, stored.scenario
    wires = lay_wires(scenario)
    terms = ChargeTerms(
        wires.tariff, record["fixed_cost"], record["tolerance"], record["maximum_iterations"]
    )
    audits = audit_all(stored.messages, record["rules"], wires, terms)
    problems = [
        CompiledProblem(local_problem(row, scenario, wires, TRADING))
        for row in range(len(scenario.agents))
    ]
    outcomes = tuple(
        _outcome(stored, rule, audit.course, problems, wires) for rule, audit in audits.items()
    )
    again = ChargeComparison(
        scenario=scenario,
        places=wires.places,
        terms=terms,
        seed=record["seed"],
        outcomes=outcomes,
        messages=stored.messages,
        certificate=charge_certificate(outcomes, audits, wires, terms),
    )
    return again, audits


def _outcome(
    stored: StoredCharges,
    rule: str,
    course: ChargeCourse,
    problems: list[CompiledProblem],
    wires: Wires,
) -> Charged:
    """What the stored prices, trades and schedules of a rule come to."""
    slots = stored.scenario.horizon.slots
    price = _numbers(stored.tables["prices"], rule, "price_per_kwh", slots)
    trade = _numbers(stored.tables["agent_trades"], rule, "trade_kw", len(problems))
    schedules = stored.tables["schedules"]
    own = dict(iter(schedules[schedules["case"] == rule].groupby("agent", sort=False)))
    for compiled, quantity in zip(problems, trade, strict=True):
        assign(compiled.problem, quantity, own[compiled.problem.owner], rule)
    return charge_outcome(rule, course, price, problems, wires)


def _numbers(table: pd.DataFrame, rule: str, column: str, rows: int) -> Floats:
    """(rows, ...) numbers of a rule; where, who and when is compared with the rest."""
    values = table.loc[table["rule"] == rule, column].to_numpy(float)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{column} of {rule} are not all there, and numbers")
    return np.asarray(values.reshape(rows, -1))


def _differing(stored: StoredCharges, again: ChargeComparison) -> Iterator[str]:
    """What does not follow from the rest."""
    for name, table in tables_of(again).items():
        yield from table_differences(f"{name}.csv", stored.tables[name], table)
    record = stored.record
    yield from differences("outcome.json: certificate", record["certificate"], again.certificate)
    yield from differences("outcome.json: summary", record["summary"], again.summary)


def _unsaid(again: ChargeComparison, audits: dict[str, ChargeAudit]) -> Iterator[str]:
    """Prices and trades that are not those of the closing messages."""
    for one in again.outcomes:
        audit = audits[one.rule]
        if np.abs(one.price_per_kwh - audit.closing_per_kwh).max() > _SAME_PRICE_PER_KWH:
            yield f"prices.csv: prices of {one.rule} are not those that the operator closed with"
        if np.abs(one.trade_kw - audit.committed_kw).max() > SAME_KW:
            yield f"agent_trades.csv: trades of {one.rule} are not those that agents committed to"
