"""Verification: a run's files alone, everything computed anew without the negotiation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.population.accounting import device_costs
from nashgrid.market.messages import Floats
from nashgrid.runs import population_tables, tables
from nashgrid.runs.central import connection_limits, local_problem
from nashgrid.runs.certificate import certify
from nashgrid.runs.charges_tried import led_by
from nashgrid.runs.consistency import misfits, unsaid, unsaid_payments
from nashgrid.runs.layers import NO_LAYERS, Layers, read_layers
from nashgrid.runs.ledger import settle
from nashgrid.runs.markets import market_named
from nashgrid.runs.markets.bargained_payments import agreed_payments
from nashgrid.runs.network_tables import network_tables
from nashgrid.runs.population_tables import read_schedules
from nashgrid.runs.positions import assign
from nashgrid.runs.roster import roster
from nashgrid.runs.run_folder import WHERE_ASKED, StoredRun, listed_files, load, table_file
from nashgrid.runs.run_record import changed_files
from nashgrid.runs.scenario import manager_name
from nashgrid.runs.search_replay import search_misfits
from nashgrid.runs.summary import summarise
from nashgrid.runs.sums_verification import sums_failures
from nashgrid.runs.table_comparison import differences, table_differences
from nashgrid.runs.wire_laying import lay_wires
from nashgrid.runs.wires import Wires


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


def verify_run(folder: Path) -> Verification:
    """Recompute the proof of a run from its files and compare every number.

    Raises
    ------
    ValueError
        If a file is missing or unreadable.
    """
    run = load(folder)
    failures = list(changed_files(run.record, folder, listed_files(folder)))
    certificate = run.record.get("certificate", {})
    if "sums_only" in certificate:
        return Verification(folder, certificate, (*failures, *sums_failures(run)))
    try:
        certificate, wrong = _recompute(run)
    except (KeyError, IndexError, ValueError) as error:
        return Verification(folder, {}, (*failures, f"the tables do not fit: {error}"))
    return Verification(folder, certificate, (*failures, *wrong, *failed_claims(certificate)))


def failed_claims(certificate: dict[str, Any]) -> Iterator[str]:
    """The claims that do not hold, a sentence each."""
    for name, claim in certificate.get("claims", {}).items():
        if not claim["holds"]:
            yield (
                f"the claim {name!r} does not hold: {claim['words']} is {claim['value']:.3g}, "
                f"at most {claim['bound']:.3g} is allowed"
            )


def _recompute(run: StoredRun) -> tuple[dict[str, Any], list[str]]:
    market, stored = market_named(run.record["market"]), run.tables
    wires = led_by(lay_wires(run.scenario), stored.charges_tried)
    people = roster(run.scenario, wires.population)
    misplaced = list(misfits(run, wires, people, market.cases))
    if misplaced:
        return {}, misplaced
    problems = {
        case: [
            CompiledProblem(local_problem(index, run.scenario, wires, case))
            for index in range(len(run.scenario.agents))
        ]
        for case in market.cases
    }
    layers = read_layers(wires, stored)
    settlement, accounts = settle(
        market,
        wires,
        people,
        stored.prices,
        stored.trades,
        device_cost=case_device_costs(run, wires, problems, layers),
        bargained=agreed_payments(stored.settlement, _payers(wires, people))
        if market.bargains
        else None,
        layers=layers,
    )
    connection_kw = connection_limits(run.scenario, wires)
    network = network_tables(stored.prices, stored.trades, wires, market.cases, connection_kw)
    added = layers.tables(stored.trades, wires)
    again = replace(stored, accounts=accounts, settlement=settlement, **vars(network), **added)
    certificate = certify(market, wires, problems, again, run.messages)
    summary = summarise(
        run.scenario,
        accounts,
        stored.schedules,
        stored.rounds,
        run.messages,
        again.levels,
        again.charges_tried,
    )
    tables_again = ["accounts", "settlement"]
    tables_again += [
        name
        for name, table in (vars(network) | added).items()
        if name not in WHERE_ASKED or len(table)
    ]
    wrong = [
        difference
        for name in tables_again
        for difference in table_differences(
            table_file(run.folder, name), getattr(stored, name), getattr(again, name)
        )
    ]
    wrong += [
        *differences("outcome.json: certificate", run.record["certificate"], certificate),
        *differences("outcome.json: summary", run.record["summary"], summary),
        *unsaid(run, wires, people, market.cases, layers),
        *unsaid_payments(run, market.money),
        *search_misfits(stored.charges_tried, run.messages, wires, len(people)),
        *wrong_schedules(run, wires, problems),
    ]
    return certificate, wrong


def _payers(wires: Wires, people: pd.DataFrame) -> list[str]:
    """Who agrees on payments: agents, and the managers of communities."""
    communities = () if wires.levels is None else wires.levels.communities
    return [*people["agent"].astype(str), *map(manager_name, communities)]


def case_device_costs(
    run: StoredRun,
    wires: Wires,
    problems: dict[str, list[CompiledProblem]],
    layers: Layers = NO_LAYERS,
) -> dict[str, Floats]:
    """case -> (n,) what the devices cost; writes the schedules into the problems' variables."""
    stored, slots, costs = run.tables, run.scenario.horizon.slots, {}
    for case, statements in problems.items():
        trades = stored.trades[stored.trades["case"] == case]
        trade = trades["trade_kw"].to_numpy(float).reshape(-1, slots)
        schedules = stored.schedules[stored.schedules["case"] == case]
        stated = schedules[: slots * _devices(statements)]
        own = dict(iter(stated.groupby("agent", sort=False, observed=True)))
        quantities = layers.of(case).quantity(trade[: len(statements)])
        for compiled, quantity in zip(statements, quantities, strict=True):
            assign(compiled.problem, quantity, own[compiled.problem.owner], case)
        costs[case] = np.array([compiled.problem.device_cost() for compiled in statements])
        if wires.population is not None:
            drawn = read_schedules(
                wires.population,
                tables.population_trades(trades, run.scenario, wires),
                schedules[slots * _devices(statements) :],
            )
            cost = device_costs(wires.population.buildings, drawn)
            costs[case] = np.concatenate([costs[case], cost])
    return costs


def _devices(statements: Sequence[CompiledProblem]) -> int:
    return sum(len(compiled.problem.parts) for compiled in statements)


def wrong_schedules(
    run: StoredRun, wires: Wires, problems: dict[str, list[CompiledProblem]]
) -> Iterator[str]:
    """What devices consume must follow from their decisions, now in the problems' variables."""
    frames, slots = [], run.scenario.horizon.slots
    for case, owners in problems.items():
        frames += [
            tables.schedule_rows(case, compiled.problem.owner, compiled.problem.schedule())
            for compiled in owners
        ]
        if wires.population is not None:
            schedules = run.tables.schedules[run.tables.schedules["case"] == case]
            trades = run.tables.trades[run.tables.trades["case"] == case]
            trade = tables.population_trades(trades, run.scenario, wires)
            rows = schedules[slots * _devices(owners) :]
            drawn = read_schedules(wires.population, trade, rows)
            frames.append(population_tables.schedule_rows(case, wires.population, drawn))
    again = tables.schedules_of(frames)
    name = table_file(run.folder, "schedules")
    yield from table_differences(name, run.tables.schedules, again)
