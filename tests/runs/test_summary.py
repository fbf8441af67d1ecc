"""Totals of a run."""

import pandas as pd
import pyarrow as pa

from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.summary import summarise

ACCOUNTS = pd.DataFrame(
    {
        "agent": ["A", "B", "utility"],
        "kind": ["house", "house", "utility"],
        "cost_before": [1.0, 2.0, -3.0],
        "cost_after": [0.5, 1.5, -1.75],
        "saving": [0.5, 0.5, -1.25],
        "payment": [0.5, 1.25, -1.75],
    }
)
ROUNDS = pd.DataFrame({"topic": ["trading", "trading", "money"], "round": [1, 2, 1]})
MESSAGES = pa.table(
    {
        "topic": ["trading", "trading", "trading"],
        "kind": ["quote", "offer", "offer"],
        "attempts": [1, 2, 1004],
        "bytes": [10, 20, 20],
        "count": [1, 1, 1000],
        "arrived_s": [0.25, 0.5, 0.75],
    }
)


def test_totals_leave_the_utility_out_and_count_long_columns_in_full() -> None:
    found = summarise(
        load_scenario("duet"), ACCOUNTS, pd.DataFrame(), ROUNDS, MESSAGES, *2 * (pd.DataFrame(),)
    )
    assert found == {
        "currency": "EUR",
        "cost_before": 3.0,
        "cost_after": 2.0,
        "saving": 1.0,
        "utility_receipts_before": 3.0,
        "utility_receipts_after": 1.75,
        "rounds": {"trading": 2, "money": 1},
        "messages": {
            "trading/offer": {"messages": 1001, "transmissions": 1006, "bytes": 20120},
            "trading/quote": {"messages": 1, "transmissions": 1, "bytes": 10},
        },
        "simulated_seconds": 0.75,
    }
