"""The certificate of a market over two tied feeders."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from nashgrid.market.topics import TRADING
from nashgrid.runs.claims import allowed, claim
from nashgrid.runs.equilibrium_claims import best_responses, convergence, welfare_claim
from nashgrid.runs.findings import ac_check, charging_both_ways_kw, epsilons
from nashgrid.runs.markets.competitive import COMPETITIVE
from nashgrid.runs.price_claims import price_claims
from nashgrid.runs.proof import CaseProof
from nashgrid.runs.rounding import rounding_slack
from nashgrid.runs.scenario import OPERATOR, UTILITY
from nashgrid.runs.tied.audit import audit_claims, sums_told
from nashgrid.runs.tied.half import Half
from nashgrid.runs.tied.proof import prove_halves
from nashgrid.runs.tied.tables import TiedTables, of_feeder

Claims = dict[str, dict[str, Any]]


def certify_tied(
    first: Half, second: Half, tables: TiedTables, messages: pa.Table
) -> dict[str, Any]:
    """Prove an outcome from its tables and messages alone.

    Every participant of either feeder is held to its best response, what leaves one feeder to what
    comes into the other, and the cost of all to that of one central problem.
    """
    halves = first, second
    proofs = dict(zip((first.name, second.name), prove_halves(*halves)))
    # The rules of the first scenario hold for the exchange.
    tolerance = first.scenario.negotiation.tolerance
    claims = convergence(tables.rounds, tolerance)
    for half in halves:
        claims |= _of_feeder(half, proofs[half.name], tables, tolerance)
    claims |= _of_tie(halves, tolerance)
    welfare = _welfare(halves, list(proofs.values()))
    claims["tie: welfare"] = welfare_claim(
        welfare["relative_gap"], tolerance, "the central optimum of both feeders"
    )
    claims |= _no_dearer(welfare, tolerance)
    claims["budget"] = claim(
        abs(float(tables.accounts["payment_micro"].sum())), 0.0, "sum of all payments [micro-units]"
    )
    claims |= audit_claims(messages, [half.wires for half in halves])
    return {
        "deviation": COMPETITIVE.deviation,
        "tolerance": tolerance,
        "claims": claims,
        "certified": all(one["holds"] for one in claims.values()),
        "epsilon": {name: epsilons(proof) for name, proof in proofs.items()},
        "nash_conv": {name: proof.nash_conv for name, proof in proofs.items()},
        "welfare": welfare,
        "largest_price_difference_per_kwh": {
            name: proof.price_difference for name, proof in proofs.items()
        },
        "message_audit": {half.name: sums_told(half.wires).finding() for half in halves},
        "losers": {half.name: _losers(half, tables) for half in halves},
        "limits_not_kept": {name: list(p.limits_not_kept) for name, p in proofs.items()},
        "ac_power_flow": {half.name: _ac_check(half, tables) for half in halves},
        "charging_while_discharging_kw": {
            half.name: charging_both_ways_kw(half.schedules) for half in halves
        },
    }


def _of_feeder(half: Half, proof: CaseProof, tables: TiedTables, tolerance: float) -> Claims:
    """Its participants, its prices, and that its market without the tie is proved as well."""
    own = of_feeder(tables, half.name)
    claims = best_responses(TRADING, proof, OPERATOR, tolerance)
    claims |= price_claims(half.wires, own, [TRADING])
    named = {
        f"{half.name}: {name.removeprefix(f'{TRADING}: ')}": one for name, one in claims.items()
    }
    if half.alone is not None:
        failing = [one for one in half.alone.certificate["claims"].values() if not one["holds"]]
        named[f"{half.name}: without the tie"] = claim(
            len(failing), 0, "claims about the market of this feeder alone that fail"
        )
    return named


def _of_tie(halves: Sequence[Half], tolerance: float) -> Claims:
    first, second = halves
    beyond = np.abs(first.into_tie_kw).max() - first.wires.tie_kw
    prices = first.price[:, -1] - second.price[:, -1]
    return {
        "tie: balance": claim(
            float(np.abs(first.into_tie_kw + second.into_tie_kw).max()),
            1e-6,
            "largest difference between what leaves one feeder and comes into the other [kW]",
        ),
        "tie: limit": claim(
            max(float(beyond), 0.0),
            allowed(tolerance, 1e-3, 0.1),
            "how far the flow exceeds the limit of the tie [kW]",
        ),
        "tie: one price": claim(
            float(np.abs(prices).max()),
            0.0,
            "largest difference between the prices of the flow at either end [currency/kWh]",
        ),
    }


def _welfare(halves: Sequence[Half], proofs: Sequence[CaseProof]) -> dict[str, Any]:
    """Costs of both together, what counts beside money included; None where one has no market."""
    total = sum(proof.total_cost for proof in proofs)
    least = sum(proof.central_cost for proof in proofs)
    alone = [
        half.alone.certificate["welfare"][TRADING]["total_cost"]
        for half in halves
        if half.alone is not None
    ]
    without = float(sum(alone)) if len(alone) == len(halves) else None
    return {
        "total_cost": total,
        "central_cost": least,
        "relative_gap": (total - least) / max(1.0, abs(least)),
        "cost_without_tie": without,
        "gain": None if without is None else without - total,
    }


def _no_dearer(welfare: Mapping[str, Any], tolerance: float) -> Claims:
    """A tie that need not be used cannot make both together worse off."""
    if welfare["gain"] is None:
        return {}
    return {
        "tie: no dearer": claim(
            -welfare["gain"] / max(1.0, abs(welfare["cost_without_tie"])),
            allowed(tolerance, 1e-5, 1e-4),
            "what both cost more with the tie than without, as a share",
        )
    }


def _ac_check(half: Half, tables: TiedTables) -> Any:
    found = ac_check(half.scenario, of_feeder(tables, half.name))
    return None if found is None else found[TRADING]


def _losers(half: Half, tables: TiedTables) -> dict[str, float]:
    """Who is worse off with the tie by more than rounding, worst first, and its saving."""
    accounts = of_feeder(tables, half.name).accounts
    slack = rounding_slack(COMPETITIVE, half.wires, half.prices, half.trades, accounts)
    lost = accounts[(accounts["kind"] != UTILITY) & (accounts["saving"] < -slack)]
    worst_first = lost.sort_values("saving", kind="stable")
    return dict(zip(worst_first["agent"].tolist(), worst_first["saving"].tolist(), strict=True))
