"""A run's prices and trades against its scenario and against what the messages said."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import NANO_PER_MICRO, whole_micro
from nashgrid.runs.inputs import slot_starts
from nashgrid.runs.layers import Layers
from nashgrid.runs.markets.bargained_payments import BARGAINED
from nashgrid.runs.run_folder import StoredRun, table_file
from nashgrid.runs.stacking import repeated, stack
from nashgrid.runs.table_comparison import table_differences
from nashgrid.runs.tables import demand_kw, price_at_places
from nashgrid.runs.wires import Wires

SAME_KW = 1e-9
"""Sums of powers in another order may differ by so much."""
SAME_SHARE = 1e-6
"""Set points found from the same delivery may differ by so much, in parts of the limit."""
_NUMBERS = {"prices": "price_per_kwh", "trades": "trade_kw"}


def misfits(
    run: StoredRun, wires: Wires, roster: pd.DataFrame, cases: Sequence[str]
) -> Iterator[str]:
    """Who, where and when of prices and trades must be the scenario's, their numbers finite."""
    starts = slot_starts(run.scenario.horizon)
    who = wires.counterparty
    last = pd.DataFrame({"agent": who, "kind": who, "community": "", "bus": wires.places})
    traders = stack([roster[list(last)], last])
    slots = pd.DataFrame({"slot": range(len(starts))})
    expected = {
        "prices": slots.assign(start=starts).merge(pd.DataFrame({"bus": wires.places}), "cross"),
        "trades": traders.merge(slots, "cross"),
    }
    for table, once in expected.items():
        stored = getattr(run.tables, table)
        own = stored.drop(columns=_NUMBERS[table])
        keys = stack([once.assign(case=repeated(case, len(once))) for case in cases])
        name = table_file(run.folder, table)
        yield from table_differences(name, own, keys[["case", *once.columns]])
        numbers = stored[_NUMBERS[table]].to_numpy(float)
        for row in np.flatnonzero(~np.isfinite(numbers))[:1]:
            yield f"{name}: row {row + 1}, {_NUMBERS[table]} is {numbers[row]}, not a number"


def unsaid(
    run: StoredRun, wires: Wires, roster: pd.DataFrame, cases: Sequence[str], layers: Layers
) -> Iterator[str]:
    """Prices and trades must be what the closing messages said, to the last digit.

    Agents got their addresses in the order of the roster, after them managers of communities, and
    last the counterparty.
    """
    columns = ["topic", "kind", "sender", "receiver", "price", "quantity", "count"]
    columns.append("reactive_share")
    said = run.messages.select(columns).to_pandas()
    for case in cases:
        rows = said[said["topic"] == case]
        yield from _unsaid_prices(run, wires, roster, case, rows, layers.of(case))
        yield from _unsaid_trades(run, wires, roster, case, rows, layers.of(case))
        counterparty = 1 + len(roster) + len(wires.manager_addresses(len(roster)))
        yield from _unsaid_set_points(run, wires, case, rows, counterparty)


def _unsaid_prices(
    run: StoredRun,
    wires: Wires,
    roster: pd.DataFrame,
    case: str,
    said: pd.DataFrame,
    layers: Layers,
) -> Iterator[str]:
    closing, managers = said[said["kind"] == "closing"], wires.manager_addresses(len(roster))
    price = price_at_places(run.tables.prices, case, wires).T
    own = layers.energy_price(price, wires.place_of(roster["bus"]))
    expected = dict(enumerate(layers.price(own), start=1))
    if layers.levels is not None:
        expected |= dict(zip(managers, layers.levels.manager_price(price), strict=True))
    expected[len(roster) + len(managers) + 1] = price.ravel()
    if not _same(closing["price"], closing["receiver"], closing["count"], expected):
        yield f"prices.csv: prices of {case!r} are not those of the closing messages"


def _unsaid_trades(
    run: StoredRun,
    wires: Wires,
    roster: pd.DataFrame,
    case: str,
    said: pd.DataFrame,
    layers: Layers,
) -> Iterator[str]:
    trades, managers = run.tables.trades, wires.manager_addresses(len(roster))
    trade = trades[trades["case"] == case]["trade_kw"].to_numpy(float)
    own, rest = np.split(trade, [len(roster) * run.scenario.horizon.slots])
    traded_kw = own.reshape(len(roster), -1)
    commitment = said[said["kind"] == "commitment"]
    of_manager = commitment["sender"].isin(managers)
    if layers.levels is not None:
        at_last = commitment[of_manager].groupby("sender").last()
        yield from _not_passed_on(at_last["quantity"], layers.levels.manager_kw(traded_kw))
    own_words = commitment[~of_manager]
    expected = dict(enumerate(layers.quantity(traded_kw), start=1))
    quantity, sender = own_words["quantity"], own_words["sender"]
    remainder = np.concatenate([*said[said["kind"] == "remainder"]["quantity"]])
    if not _same(quantity, sender, own_words["count"], expected) or not np.array_equal(
        remainder, rest
    ):
        name = table_file(run.folder, "trades")
        yield f"{name}: trades of {case!r} are not those that the agents committed to"


def _unsaid_set_points(
    run: StoredRun, wires: Wires, case: str, said: pd.DataFrame, counterparty: int
) -> Iterator[str]:
    """What the operator said of inverters must be what serves the delivery best."""
    own = said[(said["kind"] == "set points") & (said["sender"] == counterparty)]
    share = wires.set_share(case, demand_kw(run.tables.trades, case, wires))
    expected = [] if share is None else [share.T.ravel()]
    if len(own) != len(expected) or any(
        len(words) != len(values) or not np.abs(words - values).max() <= SAME_SHARE
        for words, values in zip(own["reactive_share"], expected, strict=False)
    ):
        yield f"messages.parquet: inverters in {case!r} are not set as serves the delivery best"


def _not_passed_on(said: Iterable[Floats], expected: Sequence[Floats]) -> Iterator[str]:
    """Managers must have taken what their members trade, and been matched as the table says."""
    for words, own in zip(said, expected, strict=True):
        if words.shape != own.shape or not np.abs(words - own).max() <= SAME_KW:
            yield "levels.csv: what a manager took at last is not what its members trade"


def unsaid_payments(run: StoredRun, topic: str | None) -> Iterator[str]:
    """Bargained payments must be what the agents committed to, where they had to negotiate."""
    said = run.messages.select(["topic", "kind", "sender", "quantity", "count"]).to_pandas()
    said = said[(said["topic"] == topic) & (said["kind"] == "commitment")]
    if said.empty:
        return
    settlement = run.tables.settlement
    agreed = settlement.loc[settlement["item"] == BARGAINED, "amount_nano"].to_numpy(np.int64)
    own = said[said["sender"] <= len(agreed)]
    asked = [-NANO_PER_MICRO * whole_micro(one) for one in own["quantity"]]
    if not _same(asked, own["sender"], own["count"], dict(enumerate(agreed[:, None], start=1))):
        name = table_file(run.folder, "settlement")
        yield f"{name}: bargained payments are not those that the agents committed to"


def _same(
    said: Iterable[NDArray[Any]],
    addresses: Iterable[int],
    counts: Iterable[int],
    listed: Mapping[int, NDArray[Any]],
) -> bool:
    """Whether everybody's words are those listed, by address.

    A long column stands for many whose words are not in the log.
    """
    rows = list(zip(said, addresses, counts, strict=True))
    in_full = sum(count for _, _, count in rows) == len(listed)
    return in_full and all(
        np.array_equal(words, listed[address]) for words, address, count in rows if count == 1
    )
