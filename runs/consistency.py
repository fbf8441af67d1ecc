"""A run's prices and trades against its scenario and against what the messages said."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import NANO_PER_MICRO, whole_micro
from nashgrid.market.topics import MONEY
from nashgrid.runs.assembly import Wires
from nashgrid.runs.inputs import slot_starts
from nashgrid.runs.markets.bargained_payments import BARGAINED
from nashgrid.runs.run_folder import StoredRun
from nashgrid.runs.table_comparison import table_differences

_NUMBERS = {"prices": "price_per_kwh", "trades": "trade_kw"}


def misfits(
    run: StoredRun, wires: Wires, roster: pd.DataFrame, cases: Sequence[str]
) -> Iterator[str]:
    """Who, where and when of prices and trades must be the scenario's, their numbers finite."""
    starts = slot_starts(run.scenario.horizon)
    name = wires.counterparty
    last = pd.DataFrame({"agent": name, "kind": name, "community": "", "bus": wires.places})
    traders = pd.concat([roster[list(last)], last], ignore_index=True)
    slots = pd.DataFrame({"slot": range(len(starts))})
    expected = {
        "prices": slots.assign(start=starts).merge(pd.DataFrame({"bus": wires.places}), "cross"),
        "trades": traders.merge(slots, "cross"),
    }
    for table, once in expected.items():
        stored = getattr(run.tables, table)
        own = stored.drop(columns=_NUMBERS[table])
        keys = pd.concat([once.assign(case=case) for case in cases], ignore_index=True)
        yield from table_differences(f"{table}.csv", own, keys[["case", *once.columns]])
        numbers = stored[_NUMBERS[table]].to_numpy(float)
        for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
            yield f"{table}.csv: row {row + 1}, {_NUMBERS[table]} is {numbers[row]}, not a number"


def unsaid(run: StoredRun, wires: Wires, cases: Sequence[str]) -> Iterator[str]:
    """Prices and trades must be what the closing messages said, to the last digit.

    Agents got their addresses in the order of the scenario, the counterparty after them.
    """
    columns = ["topic", "kind", "sender", "receiver", "price", "quantity"]
    said = run.messages.select(columns).to_pandas()
    agents = run.scenario.agents
    for case in cases:
        rows = said[said["topic"] == case]
        own = rows[rows["kind"] == "closing"].sort_values("receiver")["price"]
        table = run.tables.prices
        table = table[table["case"] == case].pivot(
            index="bus", columns="slot", values="price_per_kwh"
        )
        price = {bus: table.loc[bus].to_numpy(float) for bus in wires.places}
        everywhere = np.concatenate([price[bus] for bus in wires.places])
        if not _same(own, [*(price[entry.bus or 0] for entry in agents), everywhere]):
            yield f"prices.csv: prices of {case!r} are not those of the closing messages"
        committed = rows[rows["kind"] == "commitment"].sort_values("sender")["quantity"]
        remainder = rows[rows["kind"] == "remainder"]["quantity"]
        trades = run.tables.trades
        trade = trades[trades["case"] == case]["trade_kw"].to_numpy(float)
        of_agents = len(agents) * run.scenario.horizon.slots
        if not _same(
            [*committed, *remainder], [*np.split(trade[:of_agents], len(agents)), trade[of_agents:]]
        ):
            yield f"trades.csv: trades of {case!r} are not those that the agents committed to"


def unsaid_payments(run: StoredRun) -> Iterator[str]:
    """Bargained payments must be what the agents committed to, where they had to negotiate."""
    said = run.messages.select(["topic", "kind", "sender", "quantity"]).to_pandas()
    said = said[(said["topic"] == MONEY) & (said["kind"] == "commitment")].sort_values("sender")
    if said.empty:
        return
    settlement = run.tables.settlement
    agreed = settlement.loc[settlement["item"] == BARGAINED, "amount_nano"]
    asked = whole_micro(np.concatenate(list(said["quantity"])))
    if not np.array_equal(-NANO_PER_MICRO * asked, agreed.to_numpy(np.int64)):
        yield "settlement.csv: bargained payments are not those that the agents committed to"


def _same(said: Sequence[Floats], listed: Sequence[Floats]) -> bool:
    pairs = zip(said, listed, strict=False)
    return len(said) == len(listed) and all(np.array_equal(one, other) for one, other in pairs)
