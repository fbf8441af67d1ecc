"""The tables of a market over two tied feeders."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from nashgrid.runs.inputs import slot_starts
from nashgrid.runs.outcome import Tables
from nashgrid.runs.tied.half import Half

SCENARIO = "scenario"


@dataclass(frozen=True)
class TiedTables:
    """The tables of both feeders; one row is one observation.

    Those of one feeder are as `nashgrid.runs.outcome.Tables` has them, with its `scenario` in
    front; the terminal of the tie is the highest bus of each.

    Attributes
    ----------
    tie : slot, start, flow_kw from the first feeder to the second, price_per_kwh of that flow,
        first_price_per_kwh and second_price_per_kwh at the buses where the tie begins and ends, and
        what the flow earns between them: first_rent up to the middle of the tie, second_rent beyond
    prices, trades, schedules : of case "trading"
    accounts : cost_before is what each party comes to without the tie, its feeder's own market;
        empty where that feeder cannot be kept alone
    settlement : payer and payee are called "Bakery of campus33"
    rounds : of the exchange over both
    voltages, lines, losses, price_parts : the line of the tie among them
    reactive : how inverters are set; empty where there are none
    """

    tie: pd.DataFrame
    prices: pd.DataFrame
    trades: pd.DataFrame
    schedules: pd.DataFrame
    accounts: pd.DataFrame
    settlement: pd.DataFrame
    rounds: pd.DataFrame
    voltages: pd.DataFrame
    lines: pd.DataFrame
    losses: pd.DataFrame
    price_parts: pd.DataFrame
    reactive: pd.DataFrame


OF_BOTH = ("tie", "settlement", "rounds")
"""Tables that do not come apart by feeder."""
OF_EACH = tuple(field.name for field in fields(TiedTables) if field.name not in OF_BOTH)


def of_feeder(tables: TiedTables, name: str) -> Tables:
    """The tables of one feeder, as functions of a run want them."""
    own = {table: _rows_of(getattr(tables, table), name) for table in OF_EACH}
    absent = {field.name: pd.DataFrame() for field in fields(Tables) if field.name not in own}
    return Tables(**(absent | own | {"settlement": tables.settlement, "rounds": tables.rounds}))


def joined(names: Sequence[str], frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the feeders one below the other, the name of the scenario in front."""
    return pd.concat(
        [
            pd.concat([pd.Series(name, frame.index, name=SCENARIO), frame], axis=1)
            for name, frame in zip(names, frames, strict=True)
        ],
        ignore_index=True,
    )


def tie_table(first: Half, second: Half) -> pd.DataFrame:
    """The flow over the tie, its prices, and what it earns slot by slot, see `TiedTables`.

    Each operator keeps what the flow earns on its half: dt flow (price of the flow - price at the
    bus of the first end), and dt flow (price at the bus of the second end - price of the flow).
    """
    flow, price = first.into_tie_kw, first.price[:, -1]
    energy = first.scenario.horizon.slot_hours * flow
    return pd.DataFrame(
        {
            "slot": np.arange(len(flow)),
            "start": slot_starts(first.scenario.horizon),
            "flow_kw": flow,
            "price_per_kwh": price,
            "first_price_per_kwh": first.price_at_tie,
            "second_price_per_kwh": second.price_at_tie,
            "first_rent": energy * (price - first.price_at_tie),
            "second_rent": energy * (second.price_at_tie - price),
        }
    )


def _rows_of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table[SCENARIO] == name].drop(columns=SCENARIO).reset_index(drop=True)
