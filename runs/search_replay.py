"""A leader's search once more, from what it said and heard."""

from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.market.games.charge_search import ChargeSearch
from nashgrid.market.topics import CHARGE_TRIAL
from nashgrid.runs.charges_tried import charges_table, leaders_account, read_charges
from nashgrid.runs.leaders_charge import LeadersCharge
from nashgrid.runs.message_log import MessageLog, differ
from nashgrid.runs.table_comparison import table_differences
from nashgrid.runs.wires import Wires


def search_misfits(
    stored: pd.DataFrame, messages: pa.Table, wires: Wires, agents: int
) -> Iterator[str]:
    """The table of charges tried must follow from the search, and from the messages.

    The search is replayed on the profits of the table, which gives every share and the one chosen;
    the account of every charge is drawn up anew from what the leader said and heard.

    Raises
    ------
    ValueError
        If no share of the table earns what is required, or messages have odd widths.
    """
    if stored.empty:
        return
    log, leader = MessageLog(messages, CHARGE_TRIAL, agents, 0), wires.scenario.leader
    said = log.values(log.of_counterparty("charge"), "charge")
    heard = {
        kind: log.values(log.to_counterparty(kind), field)
        for kind, field in (("closing", "price"), ("remainder", "quantity"), ("volume", "volume"))
    }
    search, again = ChargeSearch(None if leader is None else leader.required), []
    tried = read_charges(stored)
    for number, one in enumerate(tried[: len(said)]):
        charge = LeadersCharge(search.share, wires.tariff)
        if differ(said[number], charge.per_kwh, float(charge.per_kwh.max(initial=1.0))):
            yield f"charges_tried.csv: row {number + 1}: the leader announced another charge"
        account = leaders_account(
            wires,
            charge,
            _by_slot(heard["closing"][number], wires),
            -_by_slot(heard["remainder"][number], wires),
            heard["volume"][number],
        )
        again.append(replace(one, **asdict(account)))
        search.learn(one.serves)
    chosen = search.share if search.finished else None
    yield from table_differences("charges_tried.csv", stored, charges_table(again, chosen))


def _by_slot(by_commodity: np.ndarray, wires: Wires) -> np.ndarray:
    """(B T,) by place and slot -> (T, B)."""
    return np.ascontiguousarray(by_commodity.reshape(len(wires.places), -1).T)
