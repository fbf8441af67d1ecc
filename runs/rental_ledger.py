"""From what was rented to what is settled."""

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import whole_micro, whole_wh
from nashgrid.runs.markets.renting import Renting
from nashgrid.runs.rental_outcome import RentalOutcome


def renting(found: RentalOutcome | None, trade_kw: Floats) -> Renting | None:
    """Who pays whom for what; None where there are no batteries for rent.

    Parameters
    ----------
    trade_kw : (n, T) of all agents
    """
    if found is None:
        return None
    pairs = [(row, one.owner) for one in found.rentals.each for row in one.tenants]
    tenant, owner = np.array(pairs).T
    quantity = np.array([found.quantity(row) for row in tenant])
    price = np.array([found.price(row) for row in tenant])
    return Renting(
        tenant,
        owner,
        found.slot_hours * quantity[:, -1] * price[:, -1],
        whole_wh(quantity[:, :-1], found.slot_hours),
        whole_micro(price[:, :-1]),
        found.account_kw(trade_kw) - trade_kw,
    )
