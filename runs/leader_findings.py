"""What the certificate of an outcome says of a leader."""

from typing import Any

import numpy as np

from nashgrid.market.topics import STACKELBERG
from nashgrid.runs.charges_tried import ChargeTried, chosen_share, leaders_account, read_charges
from nashgrid.runs.claims import allowed, claim
from nashgrid.runs.markets.books import Books
from nashgrid.runs.outcome import Tables
from nashgrid.runs.tables import demand_kw, price_at_places
from nashgrid.runs.wires import Wires


def leader_claims(wires: Wires, tables: Tables, books: Books) -> dict[str, dict[str, Any]]:
    """No charge tried serves better than the one chosen, and that earns what its trial did.

    There are none where nobody leads.
    """
    if tables.charges_tried.empty:
        return {}
    required, tried = _required(wires), read_charges(tables.charges_tried)
    chosen = next(one for one in tried if one.share == chosen_share(tables.charges_tried))
    scale = max(1.0, abs(books.total_cost))
    own = books.accounts["agent"] == wires.counterparty
    return {
        "leader: charge": claim(
            sum(_serves_better(one, chosen, required) for one in tried),
            0,
            "charges tried that would serve the leader better than the one it chose",
        ),
        "leader: profit": claim(
            abs(_settled_profit(wires, books) - chosen.profit),
            allowed(books.tolerance, 1e-5, 1e-3) * scale + float(books.rounding[own].sum()),
            "difference of the leader's profit in the accounts to that of the trial [currency]",
        ),
    }


def leader_finding(wires: Wires, tables: Tables, books: Books) -> dict[str, Any]:
    """What the leader wanted, tried and got; nothing where nobody leads."""
    if wires.charge is None or tables.charges_tried.empty:
        return {}
    account = leaders_account(
        wires,
        wires.charge,
        price_at_places(tables.prices, STACKELBERG, wires),
        demand_kw(tables.trades, STACKELBERG, wires),
        np.abs(books.trades.trade_kw).sum(axis=0),
    )
    finding = {
        "who": wires.counterparty,
        "required": _required(wires),
        "charges_tried": len(tables.charges_tried),
        "share": wires.charge.share,
        "charge_per_kwh": account.charge_per_kwh,
        "inside_kwh": account.inside_kwh,
        "income": account.income,
        "profit": _settled_profit(wires, books),
    }
    return {"leader": finding}


def _required(wires: Wires) -> float | None:
    leader = wires.scenario.leader
    return None if leader is None else leader.required


def _serves_better(one: ChargeTried, chosen: ChargeTried, required: float | None) -> bool:
    if required is None:
        return one.serves > chosen.serves
    return one.serves >= required and (one.share < chosen.share or chosen.serves < required)


def _settled_profit(wires: Wires, books: Books) -> float:
    """What the leader receives and does not pay; the utility's energy is worth its tariff."""
    own = books.accounts["agent"] == wires.counterparty
    received = -float(books.accounts.loc[own, "payment"].sum())
    if wires.feeder is not None:
        return received
    net = books.trades.trade_kw.sum(axis=0)
    return received - wires.tariff.bill(net, books.trades.terms.slot_hours)
