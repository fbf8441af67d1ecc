"""What the schedules and prices of a case are held to: convergence, best responses, optimum."""

from typing import Any

import pandas as pd

from nashgrid.runs.claims import allowed, claim
from nashgrid.runs.proof import CaseProof


def convergence(rounds: pd.DataFrame, tolerance: float) -> dict[str, Any]:
    """The claim for every exchange that its residuals are within the tolerance at its end."""
    claims = {}
    for topic, rows in rounds.groupby("topic", sort=False):
        last = rows.iloc[-1]
        worst = float(max(last["primal_residual"], last["dual_residual"]))
        claims[f"converged: {topic}"] = claim(
            worst, tolerance, f"residual of the {topic} exchange after {last['round']} rounds"
        )
    return claims


def equilibrium(case: str, proof: CaseProof, counterparty: str, tolerance: float) -> dict[str, Any]:
    """Claims that nobody gains by another schedule, and that all together are at the optimum."""
    return best_responses(case, proof, counterparty, tolerance) | _optimum(case, proof, tolerance)


def best_responses(
    case: str, proof: CaseProof, counterparty: str, tolerance: float
) -> dict[str, Any]:
    """Claims about every participant; what is allowed grows with the tolerance: see `allowed`."""
    last = proof.positions[counterparty]
    scale = max(1.0, abs(proof.total_cost))
    return {
        f"{case}: best responses": claim(
            proof.worst_relative_epsilon,
            allowed(tolerance, 1e-6, 1e-3),
            "largest relative epsilon of an agent",
        ),
        f"{case}: counterparty": claim(
            last.epsilon / scale,
            allowed(tolerance, 1e-5, 1e-3),
            f"epsilon of the {counterparty} as a share of total cost",
        ),
        **_managers(case, proof, scale, tolerance),
        **_rented(case, proof, tolerance),
        f"{case}: own constraints": claim(
            proof.worst_violation, 1e-6, "largest violation by an agent [kW, kWh]"
        ),
        f"{case}: power limits": claim(
            last.violation,
            allowed(tolerance, 1e-3, 0.1),
            f"largest violation of a power limit of the {counterparty} [kW]",
        ),
        f"{case}: voltage limits": claim(
            last.violation_pu,
            allowed(tolerance, 1e-5, 1e-4),
            f"largest violation of a voltage limit of the {counterparty} [pu]",
        ),
        f"{case}: energy balance": claim(
            proof.imbalance_kw, 1e-6, "largest imbalance of a commodity [kW]"
        ),
    }


def _optimum(case: str, proof: CaseProof, tolerance: float) -> dict[str, Any]:
    """The claim that no other schedules of all together are better."""
    if proof.game is not None:
        gap = proof.game.potential - proof.game.least_potential
        words = "gap of the game's potential to its minimum, as a share of total cost"
        return {
            f"{case}: potential": claim(
                abs(gap) / max(1.0, abs(proof.total_cost)), allowed(tolerance, 1e-5, 1e-4), words
            )
        }
    bounded = proof.price_difference is None
    words = "its lower bound by weak duality" if bounded else "the central optimum"
    return {f"{case}: welfare": welfare_claim(proof.welfare_gap, tolerance, words)}


def welfare_claim(gap: float, tolerance: float, optimum: str) -> dict[str, Any]:
    """The claim that a total cost is as good as the least."""
    return claim(
        abs(gap), allowed(tolerance, 1e-5, 1e-4), f"relative gap of total cost to {optimum}"
    )


def _rented(case: str, proof: CaseProof, tolerance: float) -> dict[str, dict[str, Any]]:
    """What tenants and owners agreed on is the same but for how well the exchange converged."""
    if proof.rental_imbalance is None:
        return {}
    return {
        f"{case}: rented storage": claim(
            proof.rental_imbalance,
            allowed(tolerance, 1e-5, 1e-3),
            "largest difference between storage let and rented, or run and asked for, as a share "
            "of the battery",
        )
    }


def _managers(
    case: str, proof: CaseProof, scale: float, tolerance: float
) -> dict[str, dict[str, Any]]:
    """They face many, as the counterparty does, and are held to the same."""
    if not proof.managers:
        return {}
    each = proof.managers.values()
    return {
        f"{case}: managers": claim(
            max(position.epsilon for position in each) / scale,
            allowed(tolerance, 1e-5, 1e-3),
            "largest epsilon of a community's manager as a share of total cost",
        )
    }
