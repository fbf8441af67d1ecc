"""What a market came to in figures that can stand beside another's."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.price_of_anarchy import price_of_anarchy
from nashgrid.runs.scenario import UTILITY

MATTERS = 0.005
"""A difference of savings below half a cent is none [currency]."""
CERTIFIED, NOT_CERTIFIED, REFUSED = "certified", "not certified", "refused"


def parties(outcome: Outcome) -> pd.DataFrame:
    """All accounts, by name."""
    return outcome.accounts.set_index(outcome.accounts["agent"].astype(str))


def players(outcome: Outcome) -> pd.DataFrame:
    """The accounts of those who have a weight, by name."""
    return parties(outcome)[lambda accounts: accounts["weight"] > 0]


def figures(outcome: Outcome, seconds: float, optimum: float | None) -> dict[str, Any]:
    """The row of a market in a comparison: see `compare`."""
    claims, summary = outcome.certificate["claims"], outcome.summary
    core = outcome.certificate["core"]
    failing = [name for name, claim in claims.items() if not claim["holds"]]
    saving = players(outcome)["saving"].to_numpy()
    traffic = summary["messages"].values()
    return {
        "status": CERTIFIED if outcome.certified else NOT_CERTIFIED,
        "claims": f"{len(claims) - len(failing)}/{len(claims)}",
        "why": "; ".join(failing),
        "total_cost": summary["cost_after"],
        "saving": summary["saving"],
        **_against_optimum(outcome, optimum),
        "jain": jain(saving),
        "gini": gini(saving),
        "gain": int((saving > MATTERS).sum()),
        "lose": int((saving < -MATTERS).sum()),
        "core_excess": None if core is None else core["largest_excess"],
        "rounds": sum(summary["rounds"].values()),
        "messages": sum(kind["messages"] for kind in traffic),
        "bytes": sum(kind["bytes"] for kind in traffic),
        "negotiation_s": seconds,
    }


def _against_optimum(outcome: Outcome, optimum: float | None) -> dict[str, float | None]:
    """Price of anarchy, and the share of the possible savings; nothing where it means nothing."""
    games = outcome.certificate.get("games", {})
    for game in games.values():
        return {"price_of_anarchy": game["price_of_anarchy"], "surplus_reached": None}
    if optimum is None:
        return {"price_of_anarchy": None, "surplus_reached": None}
    shared = outcome.accounts[outcome.accounts["kind"] != UTILITY]
    before = float(shared["cost_before"].sum())
    # What the schedules cost, whoever bears it: a rule may leave savings with the utility.
    cost, surplus = before, before - optimum
    if market_named(outcome.market).has_trading:
        cost = float([*outcome.certificate["welfare"].values()][-1]["total_cost"])
        # What a leader takes in is no cost of the schedules.
        cost -= outcome.certificate.get("leader", {}).get("income", 0.0)
    turnover = float(shared["cost_before"].abs().sum())
    return {
        "price_of_anarchy": price_of_anarchy(cost, optimum, turnover),
        "surplus_reached": (before - cost) / surplus if surplus > MATTERS else None,
    }


def jain(savings: Floats) -> float | None:
    """Jain's index (sum x)^2 / (n sum x^2): 1 when all are equal, 1/n when one has all.

    Nothing where nobody saves or loses a half cent.
    """
    if not (np.abs(savings) > MATTERS).any():
        return None
    return float(savings.sum()) ** 2 / (len(savings) * float((savings**2).sum()))


def gini(savings: Floats) -> float | None:
    """Gini index sum_ij |x_i - x_j| / (2 n sum x): 0 when all are equal; above 1 where some lose.

    Nothing where the sum is not positive.
    """
    total = float(savings.sum())
    if total <= MATTERS:
        return None
    rank = np.arange(1, len(savings) + 1)
    ordered = np.sort(savings)
    return float(
        2 * (rank * ordered).sum() / (len(savings) * total) - (len(savings) + 1) / len(savings)
    )
