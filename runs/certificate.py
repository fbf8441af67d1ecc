"""The certificate of an outcome: numbers that prove it, and what they are held to."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import pyarrow as pa

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.runs.claims import claim
from nashgrid.runs.core_finding import core_finding
from nashgrid.runs.equilibrium_claims import convergence, equilibrium
from nashgrid.runs.findings import (
    ac_check,
    charging_both_ways_kw,
    each_epsilon,
    epsilons,
    game_against_optimum,
    rationality,
)
from nashgrid.runs.layers import read_layers
from nashgrid.runs.leader_findings import leader_claims, leader_finding
from nashgrid.runs.ledger import trades_of
from nashgrid.runs.markets.books import Books, individual_rationality
from nashgrid.runs.markets.market import Market
from nashgrid.runs.message_audit import Audit, audit
from nashgrid.runs.outcome import Tables
from nashgrid.runs.price_claims import price_claims
from nashgrid.runs.proof import CaseProof, prove_case
from nashgrid.runs.roster import roster
from nashgrid.runs.rounding import rounding_slack
from nashgrid.runs.wires import Wires


def certify(
    market: Market,
    wires: Wires,
    problems: Mapping[str, Sequence[CompiledProblem]],
    tables: Tables,
    messages: pa.Table,
    proved: MutableMapping[str, CaseProof] | None = None,
) -> dict[str, Any]:
    """Prove an outcome from its tables and messages alone.

    `problems` are the agents' problems, case by case, in the order of the scenario's agents.
    `proved` holds the cases that were proved for another market on the same schedules, and is
    given the others.
    Every claim has a value, a bound and a verdict; `certified` is the verdict of all. Findings
    that no market promises (who loses under clearing prices, say) stand beside without verdict.
    """
    scenario, counterparty = wires.scenario, wires.counterparty
    known = {} if proved is None else proved
    drawn = wires.population
    kernel = None if drawn is None else drawn.kernel.anew()
    layers = read_layers(wires, tables)
    for case in market.cases:
        if case not in known:
            known[case] = prove_case(
                case,
                scenario,
                wires,
                problems[case],
                counterparty,
                tables.prices,
                tables.trades,
                tables.schedules,
                kernel,
                layers.of(case),
            )
    proofs = {case: known[case] for case in market.cases}
    accounts, people = tables.accounts, roster(scenario, wires.population)
    rounding = rounding_slack(market, wires, tables.prices, tables.trades, accounts)
    books = Books(
        accounts,
        rounding,
        proofs[market.cases[-1]].money_cost,
        scenario.negotiation.tolerance,
        trades_of(market, wires, people, tables.prices, tables.trades, None, layers),
    )
    heard = audit(messages, wires, people)
    return certificate_of(
        market, wires, proofs, books, tables, heard, charging_both_ways_kw(tables.schedules)
    )


def certificate_of(
    market: Market,
    wires: Wires,
    proofs: Mapping[str, CaseProof],
    books: Books,
    tables: Tables,
    heard: Audit,
    both_ways_kw: float,
) -> dict[str, Any]:
    """The certificate of an outcome whose cases are proved.

    Of the tables only prices and their parts, the generators' schedules, rounds, voltages, lines
    and losses are read. `both_ways_kw` is the largest power that a battery charges and discharges
    at once.
    """
    scenario, tolerance = wires.scenario, wires.scenario.negotiation.tolerance
    claims = convergence(tables.rounds, tolerance)
    for case, proof in proofs.items():
        claims |= equilibrium(case, proof, wires.counterparty, tolerance)
    claims |= price_claims(wires, tables, list(proofs))
    claims |= leader_claims(wires, tables, books)
    claims |= _money(market, books) | heard.claims(wires.counterparty)
    return {
        "market": market.name,
        "deviation": market.deviation,
        "tolerance": tolerance,
        "claims": claims,
        "certified": all(claim["holds"] for claim in claims.values()),
        "epsilon": {case: epsilons(proof) for case, proof in proofs.items()},
        "nash_conv": {case: proof.nash_conv for case, proof in proofs.items()},
        "managers": {
            case: each_epsilon(proof.managers) for case, proof in proofs.items() if proof.managers
        },
        "welfare": {
            case: {
                "total_cost": proof.total_cost,
                "beyond_money": proof.total_cost - proof.money_cost,
                "central_cost": proof.central_cost,
                "relative_gap": proof.welfare_gap,
                "largest_price_difference_per_kwh": proof.price_difference,
            }
            for case, proof in proofs.items()
        },
        "games": {
            case: game_against_optimum(proof, proof.game)
            for case, proof in proofs.items()
            if proof.game
        },
        **leader_finding(wires, tables, books),
        "limits_not_kept": {case: list(p.limits_not_kept) for case, p in proofs.items()},
        "individual_rationality": rationality(books),
        "core": core_finding(market, books),
        "message_audit": heard.finding(),
        "ac_power_flow": ac_check(scenario, tables),
        "charging_while_discharging_kw": both_ways_kw,
    }


def _money(market: Market, books: Books) -> dict[str, Any]:
    claims = {
        "budget": claim(
            abs(float(books.accounts["payment_micro"].sum())),
            0.0,
            "sum of all payments [micro-units]",
        )
    }
    if market.individually_rational and market.has_trading:
        claims |= individual_rationality(books)
    return claims | market.promises(books)
