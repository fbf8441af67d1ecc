"""Stationary battery and electric vehicle: one storage, present all day or for a stay."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from nashgrid.agents.devices.device import Contribution, Horizon


@dataclass(frozen=True)
class Battery:
    """A battery that ends the horizon with a stated energy.

    e(t) = e(t-1) + eta_c c(t) dt - d(t) dt / eta_d,   e_min <= e <= e_max,   0 <= c, d <= power
    e(T) = final energy;   cost = sum (wear (c + d) + wear_quadratic (c^2 + d^2)) dt

    Charging and discharging at once is never optimal while the price is above
    -wear (1 + eta_c eta_d) / (1 - eta_c eta_d); below, it is reported, not forbidden.

    Parameters
    ----------
    power_kw : largest charging and discharging power [kW]
    minimum_kwh, maximum_kwh, initial_kwh, final_kwh : stored energy [kWh]
    charge_efficiency, discharge_efficiency : in (0, 1]
    wear_per_kwh : cost of each kWh charged or discharged [currency/kWh]
    wear_quadratic : extra wear of high power [currency/kW^2h]
    """

    name: str
    power_kw: float
    minimum_kwh: float
    maximum_kwh: float
    initial_kwh: float
    final_kwh: float
    charge_efficiency: float
    discharge_efficiency: float
    wear_per_kwh: float
    wear_quadratic: float

    def contribute(self, horizon: Horizon) -> Contribution:
        """The battery, plugged in all day."""
        present = np.ones(horizon.slots, dtype=bool)
        contribution = state_storage(self, horizon, present)
        energy = contribution.variables["energy_kwh"]
        constraints = [*contribution.constraints, energy[-1] == self.final_kwh]
        return Contribution(
            contribution.consumption_kw, contribution.cost, constraints, contribution.variables
        )


@dataclass(frozen=True)
class ElectricVehicle(Battery):
    """A battery that is there from the slot of arrival up to the slot of departure.

    It arrives with `initial_kwh` and must hold at least `final_kwh` at departure.

    Parameters
    ----------
    arrival_slot, departure_slot : present in arrival_slot <= t < departure_slot
    """

    arrival_slot: int = 0
    departure_slot: int = 1

    def contribute(self, horizon: Horizon) -> Contribution:
        """The vehicle, idle outside its stay."""
        slots = np.arange(horizon.slots)
        present = (self.arrival_slot <= slots) & (slots < self.departure_slot)
        contribution = state_storage(self, horizon, present)
        energy = contribution.variables["energy_kwh"]
        constraints = [
            *contribution.constraints,
            energy[self.departure_slot - 1] >= self.final_kwh,
        ]
        return Contribution(
            contribution.consumption_kw, contribution.cost, constraints, contribution.variables
        )


def state_storage(battery: Battery, horizon: Horizon, present: NDArray[np.bool_]) -> Contribution:
    """Power limits, energy balance and wear of a storage; no power where it is not present."""
    hours = horizon.slot_hours
    charge = cp.Variable(horizon.slots, name=f"{battery.name}.charge_kw")
    discharge = cp.Variable(horizon.slots, name=f"{battery.name}.discharge_kw")
    energy = cp.Variable(horizon.slots, name=f"{battery.name}.energy_kwh")
    limit = battery.power_kw * present
    stored = battery.charge_efficiency * charge - discharge / battery.discharge_efficiency
    before = cp.hstack([np.array([battery.initial_kwh]), energy[:-1]])
    return Contribution(
        consumption_kw=charge - discharge,
        cost=hours * battery.wear_per_kwh * cp.sum(charge + discharge)
        + hours * battery.wear_quadratic * (cp.sum_squares(charge) + cp.sum_squares(discharge)),
        constraints=[
            charge >= 0,
            charge <= limit,
            discharge >= 0,
            discharge <= limit,
            energy >= battery.minimum_kwh,
            energy <= battery.maximum_kwh,
            energy == before + hours * stored,
        ],
        variables={"charge_kw": charge, "discharge_kw": discharge, "energy_kwh": energy},
    )
