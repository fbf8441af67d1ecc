"""What came of batteries for rent: who holds how much, who charges when, and at what prices."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.rentals import Rentals
from nashgrid.runs.wires import Wires

if TYPE_CHECKING:
    from nashgrid.runs.model import TradingModel

CAPACITY_COLUMNS = ["owner", "agent", "capacity_kwh", "rent_per_kwh"]
CHARGING_COLUMNS = ["owner", "agent", "slot", "charging_kw", "price_per_kwh"]


@dataclass(frozen=True)
class RentalOutcome:
    """Capacity and charging of every battery, in the order of its members.

    Parameters
    ----------
    rentals : whose they are, and who may rent
    capacity_kwh : (m,) of each battery: rented; negative: let
    charging_kw : (m, T) of each battery: bought of the owner; negative: done for tenants
    rent_per_kwh : (n,) for the horizon [currency/kWh]
    charging_price_per_kwh : (n, T) [currency/kWh]
    slot_hours : dt [h]
    """

    rentals: Rentals
    capacity_kwh: tuple[Floats, ...]
    charging_kw: tuple[Floats, ...]
    rent_per_kwh: Floats
    charging_price_per_kwh: Floats
    slot_hours: float

    def quantity(self, row: int) -> Floats:
        """What an agent buys of these commodities, charging before capacity; empty if none."""
        if row not in self.rentals.of_agent:
            return np.zeros(0)
        number = self.rentals.of_agent[row]
        member = self.rentals.each[number].members.index(row)
        own = self.charging_kw[number][member]
        return np.append(own, self.capacity_kwh[number][member])

    def price(self, row: int) -> Floats:
        """What they cost it, for each hour of a slot; empty if none."""
        if row not in self.rentals.of_agent:
            return np.zeros(0)
        number = self.rentals.of_agent[row]
        rent = self.rent_per_kwh[number] / self.slot_hours
        return np.append(self.charging_price_per_kwh[number], rent)

    def account_kw(self, trade_kw: Floats) -> Floats:
        """(n, T) trades and the charging done for tenants elsewhere, agent by agent."""
        account = trade_kw.copy()
        for row in self.rentals.of_agent:
            account[row] += self.quantity(row)[:-1]
        return account

    @property
    def largest_imbalance(self) -> float:
        """Of capacity and of charging, as a share of the battery's."""
        shares = [0.0]
        for number, rental in enumerate(self.rentals.each):
            usable = rental.battery.maximum_kwh - rental.battery.minimum_kwh
            shares.append(abs(float(self.capacity_kwh[number].sum())) / usable)
            over = np.abs(self.charging_kw[number].sum(axis=0)).max()
            shares.append(float(over) / rental.battery.power_kw)
        return max(shares)


def rental_outcome(model: "TradingModel") -> RentalOutcome | None:
    """Of a finished negotiation; None where there are no batteries for rent, or was no trade."""
    rentals = model.wires.rentals
    if rentals is None or TRADING not in model.coordinators:
        return None
    slots, hours = model.study.horizon.slots, model.study.horizon.slot_hours
    seats = [one.seats[TRADING] for one in model.prosumers]
    held = [[seats[row].quantity[0, slots:] for row in one.members] for one in rentals.each]
    prices = [model.prosumers[one.owner].clearing_price[TRADING][0, slots:] for one in rentals.each]
    return RentalOutcome(
        rentals,
        tuple(np.array([own[-1] for own in members]) for members in held),
        tuple(np.array([own[:-1] for own in members]) for members in held),
        hours * np.array([own[-1] for own in prices]),
        np.array([own[:-1] for own in prices]),
        hours,
    )


def rental_tables(found: RentalOutcome | None) -> dict[str, pd.DataFrame]:
    """The tables `rentals` and `rented_charging` of an outcome; empty without batteries."""
    capacity, charging = [pd.DataFrame(columns=CAPACITY_COLUMNS)], []
    charging.append(pd.DataFrame(columns=CHARGING_COLUMNS))
    if found is not None:
        names, slots = np.array(found.rentals.agents), found.rentals.slots
        capacity, charging = [], []
        for number, rental in enumerate(found.rentals.each):
            own, count = names[rental.members], len(rental.members)
            values = (
                names[rental.owner],
                own,
                found.capacity_kwh[number],
                found.rent_per_kwh[number],
            )
            capacity.append(pd.DataFrame(dict(zip(CAPACITY_COLUMNS, values, strict=True))))
            flows = (
                names[rental.owner],
                np.repeat(own, slots),
                np.tile(np.arange(slots), count),
                found.charging_kw[number].ravel(),
                np.tile(found.charging_price_per_kwh[number], count),
            )
            charging.append(pd.DataFrame(dict(zip(CHARGING_COLUMNS, flows, strict=True))))
    return {
        "rentals": pd.concat(capacity, ignore_index=True),
        "rented_charging": pd.concat(charging, ignore_index=True),
    }


def read_rental_outcome(
    wires: Wires, capacity: pd.DataFrame, charging: pd.DataFrame
) -> RentalOutcome | None:
    """From the tables, whose rows stand in the order in which they were made.

    Raises
    ------
    ValueError
        If the tables have other rows.
    """
    rentals = wires.rentals
    if rentals is None or capacity.empty:
        return None
    ends = np.cumsum([len(one.members) for one in rentals.each])[:-1]
    flows, prices = (
        np.split(charging[name].to_numpy(float).reshape(-1, rentals.slots), ends)
        for name in ("charging_kw", "price_per_kwh")
    )
    held, rents = (
        np.split(capacity[name].to_numpy(float), ends) for name in ("capacity_kwh", "rent_per_kwh")
    )
    return RentalOutcome(
        rentals,
        tuple(held),
        tuple(flows),
        np.array([own[0] for own in rents]),
        np.array([own[0] for own in prices]),
        wires.scenario.horizon.slot_hours,
    )
