"""Totals of a market over two tied feeders, for people."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.runs.scenario import OPERATOR, UTILITY
from nashgrid.runs.summary import traffic_by_kind
from nashgrid.runs.tied.half import Half
from nashgrid.runs.tied.tables import SCENARIO, TiedTables

_AT_LIMIT = 0.999


def summarise_tied(
    first: Half, second: Half, tables: TiedTables, messages: pa.Table
) -> dict[str, Any]:
    """Costs without the tie and with it, what flows over it and earns, rounds and messages.

    Costs are those of all but the utilities, with what the operators pay one another; they are
    None where a feeder cannot be kept without the tie.
    """
    players = tables.accounts[tables.accounts["kind"] != UTILITY]
    return {
        "currency": first.scenario.currency,
        "feeders": {
            half.name: _costs(players[players[SCENARIO] == half.name]) for half in (first, second)
        },
        "all": _costs(players),
        "tie": _tie(first, second, tables.tie),
        "rounds": int(tables.rounds["round"].max()),
        "messages": traffic_by_kind(messages),
        "simulated_seconds": float(messages["arrived_s"].to_numpy().max()),
    }


def _costs(rows: pd.DataFrame) -> dict[str, float | None]:
    """Of all rows; of the operator what it comes to is its payments alone."""
    agents = rows[rows["kind"] != OPERATOR]
    operators = rows[rows["kind"] == OPERATOR]
    return {
        f"{who}{column}": _total(some[column])
        for who, some in (("", rows), ("agents_", agents), ("operator_", operators))
        for column in ("cost_before", "cost_after", "saving")
    }


def _total(values: pd.Series) -> float | None:
    total = float(values.sum(skipna=False))
    return None if np.isnan(total) else total


def _tie(first: Half, second: Half, tie: pd.DataFrame) -> dict[str, Any]:
    flow, hours = tie["flow_kw"].to_numpy(float), first.scenario.horizon.slot_hours
    return {
        "forward_kwh": float(hours * np.maximum(flow, 0.0).sum()),
        "backward_kwh": float(hours * np.maximum(-flow, 0.0).sum()),
        "largest_flow_kw": float(np.abs(flow).max()),
        "slots_at_limit": int((np.abs(flow) >= _AT_LIMIT * first.wires.tie_kw).sum()),
        "rent": {
            first.name: float(tie["first_rent"].sum()),
            second.name: float(tie["second_rent"].sum()),
        },
    }
