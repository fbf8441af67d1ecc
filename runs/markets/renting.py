"""What tenants of batteries pay their owners."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import Payments, day_payments, energy_payments

RENT, CHARGING = "rent of storage", "charging of rented storage"


@dataclass(frozen=True)
class Renting:
    """Tenants of all batteries, one below the other.

    Parameters
    ----------
    tenant, owner : (m,) numbers of both parties
    rent : (m,) for the horizon [currency]
    charging_wh, price_micro : (m, T) energy charged at the owner's; negative: discharged
    charging_kw : (n, T) of all agents, bought of an owner; negative: done for tenants [kW]
    """

    tenant: Integers
    owner: Integers
    rent: Floats
    charging_wh: Integers
    price_micro: Integers
    charging_kw: Floats

    def pay(self) -> list[Payments]:
        """Rent for the horizon, and charging slot by slot."""
        payments = energy_payments(
            CHARGING, self.tenant, self.owner, self.charging_wh, self.price_micro
        )
        some = np.flatnonzero(self.rent)
        rents = day_payments(RENT, self.tenant[some], self.owner[some], self.rent[some])
        return [rents, payments]
