"""Totals of a run, for people."""

from typing import Any

import pandas as pd
import pyarrow as pa

from nashgrid.market.topics import CHARGE_TRIAL
from nashgrid.runs.charges_tried import trials_totals
from nashgrid.runs.generator_profits import generator_profits
from nashgrid.runs.level_totals import level_totals
from nashgrid.runs.scenario import UTILITY, Scenario


def summarise(
    scenario: Scenario,
    accounts: pd.DataFrame,
    schedules: pd.DataFrame,
    rounds: pd.DataFrame,
    messages: pa.Table,
    levels: pd.DataFrame,
    charges_tried: pd.DataFrame,
) -> dict[str, Any]:
    """Costs before and after, the utility's receipts, rounds, and what the messages came to.

    The utility is not a player: its receipts stand beside the savings, not among them.
    """
    players = accounts[accounts["kind"] != UTILITY]
    utility = accounts[accounts["agent"] == UTILITY]
    generators = {}
    if scenario.generators:
        profits = generator_profits(scenario, accounts, schedules).set_index("agent")
        generators["generators"] = profits.to_dict("index")
    rounds_led, traffic_led = trials_totals(charges_tried)
    managed = {"levels": level_totals(levels, scenario)} if len(levels) else {}
    return {
        "currency": scenario.currency,
        "cost_before": float(players["cost_before"].sum()),
        "cost_after": float(players["cost_after"].sum()),
        "saving": float(players["saving"].sum()),
        "utility_receipts_before": float(-utility["cost_before"].sum()),
        "utility_receipts_after": float(-utility["payment"].sum()),
        **generators,
        **managed,
        "rounds": {
            str(topic): int(rows["round"].max())
            for topic, rows in rounds.groupby("topic", sort=False)
        }
        | rounds_led,
        "messages": traffic_by_kind(messages) | traffic_led,
        "simulated_seconds": float(messages["arrived_s"].to_numpy().max()),
    }


def traffic_by_kind(messages: pa.Table) -> dict[str, dict[str, int]]:
    """topic/kind -> how many messages, transmissions and bytes."""
    traffic = messages.select(["topic", "kind", "attempts", "bytes", "count"]).to_pandas()
    traffic["bytes"] *= traffic["attempts"]
    traffic = traffic[traffic["topic"] != CHARGE_TRIAL]  # of trials only accounts are kept
    return {
        f"{topic}/{kind}": {
            "messages": int(rows["count"].sum()),
            "transmissions": int(rows["attempts"].sum()),
            "bytes": int(rows["bytes"].sum()),
        }
        for (topic, kind), rows in traffic.groupby(["topic", "kind"], sort=True, observed=True)
    }
