"""Settlement: who pays whom for what, in whole micro-units, so that the sum is exactly zero.

Energy is whole watt-hours and prices are whole micro-units per kWh; their product is a whole
number of nano-units. Nothing is rounded twice: each pair of payer, payee and item is summed in
nano-units over the day, then cut to micro-units by largest remainders.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nashgrid.market.messages import Floats, Integers

MICRO = 1_000_000
NANO_PER_MICRO = 1_000


@dataclass(frozen=True)
class Payment:
    """One payment; negative amounts flow from payee to payer.

    Parameters
    ----------
    slot : None for a payment over the whole day
    energy_wh, price_micro_per_kwh : None where no energy is priced
    amount_nano : [1e-9 currency]
    """

    payer: str
    payee: str
    item: str
    slot: int | None
    energy_wh: int | None
    price_micro_per_kwh: int | None
    amount_nano: int


def energy_payments(
    payer: str, payee: str, item: str, energy_wh: Integers, price_micro_per_kwh: Integers
) -> list[Payment]:
    """What a payer owes for energy slot by slot: wh x micro-units/kWh = nano-units."""
    return [
        Payment(payer, payee, item, slot, int(wh), int(price), int(wh) * int(price))
        for slot, (wh, price) in enumerate(zip(energy_wh, price_micro_per_kwh, strict=True))
        if wh != 0
    ]


def whole_wh(power_kw: Floats, slot_hours: float) -> Integers:
    """Energy of a schedule in whole watt-hours per slot."""
    return np.rint(power_kw * slot_hours * 1000).astype(np.int64)


def whole_micro(price: Floats) -> Integers:
    """Prices or amounts in whole micro-units."""
    return np.rint(price * MICRO).astype(np.int64)


def net_payments_micro(
    payments: Sequence[Payment], parties: Sequence[str], residual: str
) -> dict[str, int]:
    """What each party pays in all, in whole micro-units; the sum is exactly zero.

    The nano-units of every party are floored to micro-units, and the missing units go to the
    largest remainders, ties by order of the parties. `residual` comes last among equals and
    closes the sum.

    Raises
    ------
    ValueError
        If a payment names a party that is not in `parties`.
    """
    nano = dict.fromkeys(parties, 0)
    for payment in payments:
        for name in (payment.payer, payment.payee):
            if name not in nano:
                raise ValueError(f"the payment {payment.item!r} names unknown party {name!r}")
        nano[payment.payer] += payment.amount_nano
        nano[payment.payee] -= payment.amount_nano
    floors = {name: value // NANO_PER_MICRO for name, value in nano.items()}
    missing = -sum(floors.values())
    # Python's sort is stable: equals stay in the order of the parties.
    order = sorted(parties, key=lambda name: (-(nano[name] % NANO_PER_MICRO), name == residual))
    for name in order[:missing]:
        floors[name] += 1
    return floors
