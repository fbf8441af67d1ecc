"""What a certificate tells beside its claims: true, worth knowing, promised by nobody."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.runs.markets.books import Books
from nashgrid.runs.outcome import Tables
from nashgrid.runs.positions import Position
from nashgrid.runs.potential import GameFinding
from nashgrid.runs.price_of_anarchy import price_of_anarchy
from nashgrid.runs.proof import CaseProof
from nashgrid.runs.scenario import Scenario

POPULATION = "population"
MOST_NAMED = 100
SHARES = (50.0, 90.0, 99.0, 99.9)
"""Percent of the buildings of a population for which the certificate says how much they gain."""


def game_against_optimum(proof: CaseProof, game: GameFinding) -> dict[str, Any]:
    """Where the game ends up against the optimum of the same agents and the same supply."""
    turnover = sum(
        abs(position.cost) + abs(position.scale - position.cost)
        for position in proof.positions.values()
    )
    return {
        "potential": game.potential,
        "least_potential": game.least_potential,
        "natural_map_kw": float(game.natural_map_kw.max()),
        "loss_to_optimum": proof.total_cost - proof.central_cost,
        "price_of_anarchy": price_of_anarchy(proof.total_cost, proof.central_cost, turnover),
    }


def epsilons(proof: CaseProof) -> dict[str, Any]:
    """By name; of a population the largest and the sum."""
    by_name = each_epsilon(proof.positions)
    drawn = proof.population
    if drawn is None:
        return by_name
    together = {
        "buildings": len(drawn.cost),
        "largest_epsilon": float(drawn.epsilon.max()),
        "sum_of_epsilons": float(drawn.epsilon.sum()),
        "largest_relative_epsilon": float(drawn.relative_epsilon.max()),
        "relative_epsilon_quantiles": {
            f"{share:.6g} %": float(np.quantile(drawn.relative_epsilon, share / 100))
            for share in SHARES
        },
        "largest_violation": float(drawn.violation.max()),
    }
    return by_name | {POPULATION: together}


def each_epsilon(positions: Mapping[str, Position]) -> dict[str, Any]:
    """By name."""
    return {
        name: {
            "epsilon": position.epsilon,
            "relative_epsilon": position.relative_epsilon,
            "violation": position.violation,
            "violation_pu": position.violation_pu,
        }
        for name, position in positions.items()
    }


def rationality(books: Books) -> dict[str, Any]:
    """The losers by name, the worst first; of many only the worst."""
    players = books.players
    losers = players[books.gains < -books.slack].sort_values("saving", kind="stable")
    named = losers[:MOST_NAMED]
    return {
        "smallest_saving": float(books.gains.min()),
        "number_of_losers": len(losers),
        "losers": dict(zip(named["agent"].tolist(), named["saving"].tolist(), strict=True)),
    }


def charging_both_ways_kw(schedules: pd.DataFrame) -> float:
    """Largest power that a battery charges and discharges at once [kW].

    Never optimal above a price of -wear (1 + eta_c eta_d) / (1 - eta_c eta_d); below it may be,
    and no real battery could do it.
    """
    both = schedules[["charge_kw", "discharge_kw"]].dropna().min(axis=1)
    return max(float(both.max()), 0.0) if len(both) else 0.0


def ac_check(scenario: Scenario, tables: Tables) -> dict[str, Any] | None:
    """What AC power flow says of the schedules; a finding, for LinDistFlow is optimistic.

    `flow_model` counts the slots that the model of the operator answered in a way.
    """
    if scenario.feeder is None:
        return None
    findings = {}
    for case, rows in tables.voltages.groupby("case", sort=False):
        flows = tables.lines[tables.lines["case"] == case]
        loading = flows["ac_kva"] / flows["limit_kva"]
        lost = tables.losses[tables.losses["case"] == case]
        low, high = rows.loc[rows["ac_pu"].idxmin()], rows.loc[rows["ac_pu"].idxmax()]
        parts = tables.price_parts[tables.price_parts["case"] == case].drop_duplicates("slot")
        findings[str(case)] = {
            "flow_model": parts.groupby("flow_model", sort=False)["slot"].count().to_dict(),
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
