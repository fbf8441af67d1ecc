"""Settlement: who pays whom for what, in whole micro-units, so that the sum is exactly zero.

Energy is whole watt-hours and prices are whole micro-units per kWh; their product is a whole
number of nano-units. Nothing is rounded twice: what each party pays is summed in nano-units over
the day, then cut to micro-units by largest remainders.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.market.messages import Floats, Integers

MICRO = 1_000_000
NANO_PER_MICRO = 1_000
SMALLEST_SHARE = 1e-6
"""A share of the surplus that settlement can tell from nothing [currency]."""

_LARGEST_NANO = 2**63 - 1


@dataclass(frozen=True)
class Payments:
    """Payments for one item as columns; negative amounts flow from payee to payer.

    Parameters
    ----------
    payer, payee : (m,) positions in a list of parties
    amount_nano : (m,) [1e-9 currency]
    slot, energy_wh, price_micro_per_kwh : (m,); None for payments over the whole day
    """

    item: str
    payer: Integers
    payee: Integers
    amount_nano: Integers
    slot: Integers | None = None
    energy_wh: Integers | None = None
    price_micro_per_kwh: Integers | None = None


def energy_payments(
    item: str,
    payer: Integers,
    payee: Integers,
    energy_wh: Integers,
    price_micro_per_kwh: Integers,
) -> Payments:
    """What payers owe for energy slot by slot: wh x micro-units/kWh = nano-units.

    Slots without energy are left out.

    Parameters
    ----------
    payer, payee : (n,) positions in a list of parties, or one for all
    energy_wh : (n, T) what each payer takes
    price_micro_per_kwh : (n, T), or (T,) for all

    Raises
    ------
    ValueError
        If an amount is beyond what 64 bits of nano-units hold.
    """
    row, slot = np.nonzero(energy_wh)
    energy = energy_wh[row, slot]
    price = np.broadcast_to(price_micro_per_kwh, energy_wh.shape)[row, slot]
    _refuse_beyond(np.abs(energy.astype(float) * price), f"the payment {item!r}")
    count = len(energy_wh)
    return Payments(
        item,
        np.broadcast_to(payer, count)[row],
        np.broadcast_to(payee, count)[row],
        energy * price,
        slot,
        energy,
        price,
    )


def day_payments(item: str, payer: Integers, payee: Integers, amount: Floats) -> Payments:
    """One payment for the whole day by each payer, cut to whole micro-units [currency]."""
    nano = NANO_PER_MICRO * whole_micro(amount)
    return Payments(item, payer, np.broadcast_to(payee, len(nano)), nano)


def settlement_table(parties: Sequence[str], payments: Sequence[Payments]) -> pd.DataFrame:
    """One row per payment, by payer in the order of the parties, then in the order given.

    payer, payee and item are categories, so that a hundred thousand agents have room.
    """
    payer = np.concatenate([one.payer for one in payments])
    payee = np.concatenate([one.payee for one in payments])
    items = list(dict.fromkeys(one.item for one in payments))
    numbers = [items.index(one.item) for one in payments]
    item = np.repeat(numbers, [len(one.payer) for one in payments])
    order = np.argsort(payer, kind="stable")
    columns = {
        "payer": pd.Categorical.from_codes(payer[order], categories=list(parties)),
        "payee": pd.Categorical.from_codes(payee[order], categories=list(parties)),
        "item": pd.Categorical.from_codes(item[order], categories=items),
    }
    for name in ("slot", "energy_wh", "price_micro_per_kwh", "amount_nano"):
        values = [getattr(one, name) for one in payments]
        filled = [np.zeros_like(p.payer) if v is None else v for p, v in zip(payments, values)]
        missing = [np.full(len(p.payer), v is None) for p, v in zip(payments, values)]
        columns[name] = pd.arrays.IntegerArray(
            np.concatenate(filled)[order], np.concatenate(missing)[order]
        )
    return pd.DataFrame(columns)


def whole_wh(power_kw: Floats, slot_hours: float) -> Integers:
    """Energy of a schedule in whole watt-hours per slot."""
    return np.rint(power_kw * slot_hours * 1000).astype(np.int64)


def whole_micro(price: Floats) -> Integers:
    """Prices or amounts in whole micro-units."""
    return np.rint(price * MICRO).astype(np.int64)


def net_payments_micro(table: pd.DataFrame, parties: Sequence[str], residual: str) -> Integers:
    """What each party pays in all, in whole micro-units; the sum is exactly zero.

    The nano-units of every party are floored to micro-units, and the missing units go to the
    largest remainders, ties by order of the parties. `residual` comes last among equals and
    closes the sum.

    Parameters
    ----------
    table : settlement with columns payer, payee, item and amount_nano

    Returns
    -------
    (n,) in the order of the parties

    Raises
    ------
    ValueError
        If a payment names a party that is not in `parties`, or the amounts are beyond what 64
        bits of nano-units hold.
    """
    amounts = table["amount_nano"].to_numpy(np.int64)
    _refuse_beyond(np.abs(amounts.astype(float)).sum(), "the sum of all payments")
    index = pd.Index(list(parties))
    nano = np.zeros(len(index), dtype=np.int64)
    np.add.at(nano, _positions(table, "payer", index), amounts)
    np.subtract.at(nano, _positions(table, "payee", index), amounts)
    return _cut_to_micro(nano, np.array([name == residual for name in parties]))


def net_payments(payments: Sequence[Payments], parties: int, residual: int) -> Integers:
    """The same from payments among `parties` numbered parties, without a table."""
    amounts = [one.amount_nano for one in payments]
    _refuse_beyond(sum(np.abs(one.astype(float)).sum() for one in amounts), "the sum of all")
    nano = np.zeros(parties, dtype=np.int64)
    for one in payments:
        np.add.at(nano, one.payer, one.amount_nano)
        np.subtract.at(nano, one.payee, one.amount_nano)
    return _cut_to_micro(nano, np.arange(parties) == residual)


def _cut_to_micro(nano: Integers, last: NDArray[np.bool_]) -> Integers:
    """Whole micro-units by largest remainders; where `last` is true comes last among equals."""
    net = nano // NANO_PER_MICRO
    # The sort is stable: equals stay in the order of the parties.
    order = np.lexsort((last, -(nano % NANO_PER_MICRO)))
    net[order[: -net.sum()]] += 1
    return net


def _positions(table: pd.DataFrame, column: str, index: pd.Index) -> Integers:
    """Where in the list of parties the names of a column stand."""
    names = pd.Categorical(table[column])
    of_category = np.append(index.get_indexer(names.categories), -1)
    positions = of_category[names.codes]
    if (positions < 0).any():
        row = int(np.argmax(positions < 0))
        item, name = table["item"].iloc[row], table[column].iloc[row]
        raise ValueError(f"the payment {item!r} names unknown party {name!r}")
    return np.asarray(positions, dtype=np.int64)


def _refuse_beyond(amount_nano: Floats, words: str) -> None:
    largest = float(np.max(amount_nano, initial=0.0))
    if largest >= _LARGEST_NANO:
        raise ValueError(
            f"{words} comes to {largest / 1e9:.3g}, more than the {_LARGEST_NANO / 1e9:.2g} "
            "currency units that can be settled exactly"
        )
