"""The certificate of an outcome: numbers that prove it, and what they are held to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.money_exchange import SMALLEST_SHARE
from nashgrid.agents.prosumer import TRADING, UTILITY_ONLY
from nashgrid.runs.assembly import Wires
from nashgrid.runs.proof import CaseProof, prove_case
from nashgrid.runs.rounding import rounding_slack
from nashgrid.runs.scenario import OPERATOR, UTILITY, Scenario

DEVIATION = (
    "price-taking: each participant may choose any schedule of its own while prices stay; a "
    "price-anticipating agent may gain more"
)


def certify(
    scenario: Scenario,
    wires: Wires,
    problems: Mapping[str, Sequence[CompiledProblem]],
    market: str,
    counterparty: str,
    *,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    schedules: pd.DataFrame,
    accounts: pd.DataFrame,
    rounds: pd.DataFrame,
    voltages: pd.DataFrame,
    lines: pd.DataFrame,
    losses: pd.DataFrame,
) -> dict[str, Any]:
    """Prove an outcome from its tables alone.

    `problems` are the agents' problems, case by case, in the order of the scenario's agents.
    Every claim has a value, a bound and a verdict; `certified` is the verdict of all. Findings
    that no market promises (who loses under clearing prices, say) stand beside without verdict.
    """
    cases = [UTILITY_ONLY] if market == UTILITY_ONLY else [UTILITY_ONLY, TRADING]
    proofs = {
        case: prove_case(
            case, scenario, wires, problems[case], counterparty, prices, trades, schedules
        )
        for case in cases
    }
    tolerance = scenario.negotiation.tolerance
    claims = _convergence(rounds, tolerance)
    for case, proof in proofs.items():
        claims |= _equilibrium(case, proof, counterparty, tolerance)
    rounding = rounding_slack(scenario, wires, market, prices, trades, accounts)
    claims |= _money(scenario, market, accounts, rounding, proofs)
    return {
        "market": market,
        "deviation": DEVIATION,
        "tolerance": tolerance,
        "claims": claims,
        "certified": all(claim["holds"] for claim in claims.values()),
        "epsilon": {case: _epsilons(proof) for case, proof in proofs.items()},
        "nash_conv": {
            case: sum(p.epsilon for p in proof.positions.values()) for case, proof in proofs.items()
        },
        "welfare": {
            case: {
                "total_cost": proof.total_cost,
                "central_cost": proof.central_cost,
                "relative_gap": proof.welfare_gap,
                "largest_price_difference_per_kwh": proof.price_difference,
            }
            for case, proof in proofs.items()
        },
        "limits_not_kept": {case: list(p.limits_not_kept) for case, p in proofs.items()},
        "individual_rationality": _rationality(accounts, rounding),
        "ac_power_flow": _ac_check(scenario, voltages, lines, losses),
        "charging_while_discharging_kw": _both_ways(schedules),
    }


def claim(value: float, bound: float, words: str) -> dict[str, Any]:
    """A statement that a value is at most a bound."""
    return {"value": value, "bound": bound, "holds": bool(value <= bound), "words": words}


def _convergence(rounds: pd.DataFrame, tolerance: float) -> dict[str, Any]:
    claims = {}
    for topic, rows in rounds.groupby("topic", sort=False):
        last = rows.iloc[-1]
        worst = float(max(last["primal_residual"], last["dual_residual"]))
        claims[f"converged: {topic}"] = claim(
            worst, tolerance, f"residual of the {topic} exchange after {last['round']} rounds"
        )
    return claims


def _equilibrium(
    case: str, proof: CaseProof, counterparty: str, tolerance: float
) -> dict[str, Any]:
    """What is allowed grows with the tolerance: see `_allowed`."""
    agents = [p for name, p in proof.positions.items() if name != counterparty]
    last = proof.positions[counterparty]
    scale = max(1.0, abs(proof.total_cost))
    return {
        f"{case}: best responses": claim(
            max(p.relative_epsilon for p in agents),
            _allowed(tolerance, 1e-6, 1e-3),
            "largest relative epsilon of an agent",
        ),
        f"{case}: counterparty": claim(
            last.epsilon / scale,
            _allowed(tolerance, 1e-5, 1e-3),
            f"epsilon of the {counterparty} as a share of total cost",
        ),
        f"{case}: own constraints": claim(
            max(p.violation for p in agents), 1e-6, "largest violation by an agent [kW, kWh]"
        ),
        f"{case}: power limits": claim(
            last.violation,
            _allowed(tolerance, 1e-3, 0.1),
            f"largest violation of a power limit of the {counterparty} [kW]",
        ),
        f"{case}: voltage limits": claim(
            last.violation_pu,
            _allowed(tolerance, 1e-5, 1e-4),
            f"largest violation of a voltage limit of the {counterparty} [pu]",
        ),
        f"{case}: energy balance": claim(
            proof.imbalance_kw, 1e-6, "largest imbalance of a commodity [kW]"
        ),
        f"{case}: welfare": claim(
            abs(proof.welfare_gap),
            _allowed(tolerance, 1e-5, 1e-4),
            "relative gap of total cost to the central optimum",
        ),
    }


def _allowed(tolerance: float, strict: float, loose: float) -> float:
    """A bound between its values at tolerance 1e-6 and below, and at 1e-4 and above."""
    share = np.clip(np.log10(tolerance / 1e-6) / 2, 0.0, 1.0)
    return float(strict * (loose / strict) ** share)


def _money(
    scenario: Scenario,
    market: str,
    accounts: pd.DataFrame,
    rounding: pd.Series,
    proofs: dict[str, CaseProof],
) -> dict[str, Any]:
    claims = {
        "budget": claim(
            abs(float(accounts["payment_micro"].sum())), 0.0, "sum of all payments [micro-units]"
        )
    }
    players = accounts[accounts["weight"] > 0]
    gains, slack = players["saving"].to_numpy(), rounding[players.index].to_numpy()
    if market in ("nash-bargaining", "two-part"):
        worst = int(np.argmax(-gains - slack))
        claims["individual rationality"] = claim(
            -float(gains[worst]), float(slack[worst]), "largest loss of a player [currency]"
        )
    if market == "two-part":
        last = accounts["kind"] == OPERATOR
        claims["operator's part"] = claim(
            -float(accounts.loc[last, "saving"].sum()),
            float(rounding[last].sum()),
            "loss of the operator, who keeps what the agents' gains leave [currency]",
        )
    if market == "nash-bargaining":
        shared = accounts[accounts["kind"] != UTILITY]
        before = shared["cost_before"]
        surplus = float(before.sum()) - proofs[TRADING].total_cost
        claims["surplus shared"] = claim(
            abs(float(gains.sum()) - surplus),
            float(slack.sum() + 1e-9 * before.abs().sum()),
            "savings of the players against the surplus they share [currency]",
        )
        if surplus <= SMALLEST_SHARE * len(shared):
            return claims
        allowed = _allowed(scenario.negotiation.tolerance, 1e-5, 1e-4)
        # A gain that rounding made smaller by r raises its a_i / g_i by the share r / g_i.
        rounded = float((slack / np.maximum(gains, 1e-300)).max())
        claims["Nash bargaining"] = claim(
            bargaining_excess(gains, players["weight"].to_numpy(), surplus),
            allowed + rounded,
            "excess: how far any feasible division could raise the weighted log product",
        )
    return claims


def bargaining_excess(gains: np.ndarray, weights: np.ndarray, surplus: float) -> float:
    """max over feasible gains v of sum a_i (v_i - g_i) / g_i, relative to sum a.

    With free side payments v is any division of the surplus S with v >= 0, so the maximum puts
    all on the largest a_i / g_i: S max(a / g) - sum a. It bounds the suboptimality of the
    weighted sum of logs from above (concavity).
    """
    if (gains <= 0).any():
        return float("inf")
    total = float(weights.sum())
    return float(surplus * (weights / gains).max() - total) / total


def _epsilons(proof: CaseProof) -> dict[str, Any]:
    return {
        name: {
            "epsilon": position.epsilon,
            "relative_epsilon": position.relative_epsilon,
            "violation": position.violation,
            "violation_pu": position.violation_pu,
        }
        for name, position in proof.positions.items()
    }


def _rationality(accounts: pd.DataFrame, rounding: pd.Series) -> dict[str, Any]:
    players = accounts[accounts["weight"] > 0]
    losers = players[players["saving"] < -rounding[players.index]]
    return {
        "smallest_saving": float(players["saving"].min()),
        "losers": {row.agent: float(row.saving) for row in losers.itertuples()},
    }


def _both_ways(schedules: pd.DataFrame) -> float:
    """Largest power that a battery charges and discharges at once [kW].

    Never optimal above a price of -wear (1 + eta_c eta_d) / (1 - eta_c eta_d); below it may be,
    and no real battery could do it.
    """
    both = schedules[["charge_kw", "discharge_kw"]].dropna().min(axis=1)
    return max(float(both.max()), 0.0) if len(both) else 0.0


def _ac_check(
    scenario: Scenario, voltages: pd.DataFrame, lines: pd.DataFrame, losses: pd.DataFrame
) -> dict[str, Any] | None:
    """What AC power flow says of the schedules; a finding, for LinDistFlow is optimistic."""
    if scenario.feeder is None:
        return None
    findings = {}
    for case, rows in voltages.groupby("case", sort=False):
        flows = lines[lines["case"] == case]
        loading = flows["ac_kva"] / flows["limit_kva"]
        lost = losses[losses["case"] == case]
        low, high = rows.loc[rows["ac_pu"].idxmin()], rows.loc[rows["ac_pu"].idxmax()]
        findings[str(case)] = {
            "lowest_voltage_pu": float(low["ac_pu"]),
            "lowest_voltage_at": f"bus {low['bus']}, slot {low['slot']}",
            "highest_voltage_pu": float(high["ac_pu"]),
            "highest_voltage_at": f"bus {high['bus']}, slot {high['slot']}",
            "largest_loading": float(loading.max()),
            "losses_kwh": float(lost["ac_kw"].sum() * scenario.horizon.slot_hours),
            "lindistflow_losses_kwh": float(
                lost["lindistflow_kw"].sum() * scenario.horizon.slot_hours
            ),
            "largest_voltage_difference_pu": float(
                (rows["ac_pu"] - rows["lindistflow_pu"]).abs().max()
            ),
        }
    return findings
