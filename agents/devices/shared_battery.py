"""A battery whose capacity is for rent: the owner's part of it, and a tenant's.

Capacity is usable energy, from the least to the highest state of charge. Who holds the share
sigma of it holds as much of everything else: power, stored energy at the start and at the end.
All constraints of a battery are linear, so that shares that each keep theirs, and sum to one,
together keep those of the battery: the owner runs it by the sum of all. Everybody bears the wear of
its own flow. The extra wear of high power is reckoned as if all had the same power, so that all
together bear no less than the battery does.

Two commodities are traded: capacity, once, and charging in every slot. The owner charges for its
tenants, at its own place and for its own account with the market, and they pay for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.devices.battery import Battery
from nashgrid.agents.devices.device import Contribution, Horizon
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class SharePart:
    """What holding or letting capacity adds to a local problem.

    Parameters
    ----------
    devices : by name
    charging_kw : (T,) charging bought of the owner; negative: done for tenants [kW]
    capacity_kwh : (1,) capacity rented; negative: let [kWh]
    constraints : beside those of the devices
    """

    devices: Mapping[str, Contribution]
    charging_kw: cp.Variable
    capacity_kwh: cp.Variable
    constraints: list[cp.Constraint]


@dataclass(frozen=True)
class Share:
    """A part in a battery for rent.

    Parameters
    ----------
    battery : of the owner
    owner : its name
    tenants : how many may rent
    """

    battery: Battery
    owner: str
    tenants: int

    @property
    def usable_kwh(self) -> float:
        """Capacity of the whole battery [kWh]."""
        return self.battery.maximum_kwh - self.battery.minimum_kwh

    @property
    def replaces(self) -> str:
        """Name of the device of its holder that it stands for; none of a tenant's."""
        return ""

    def sizes(self, slots: int) -> Floats:
        """(T + 1,) weights of its voice: who faces many has the size of all the others together."""
        whole = np.append(np.full(slots, self.battery.power_kw), self.usable_kwh)
        return np.asarray(whole / self._alike)

    @property
    def _alike(self) -> int:
        """How many have a voice like this."""
        return self.tenants

    def _storage(
        self, horizon: Horizon, share: cp.Expression, least_kwh: float
    ) -> tuple[dict[str, cp.Variable], list[cp.Constraint], cp.Expression]:
        """Power, energy and wear of a share [kWh]; energy is counted from `least_kwh`."""
        battery, hours, usable = self.battery, horizon.slot_hours, self.usable_kwh
        charge, discharge, energy = (
            cp.Variable(horizon.slots, name=name)
            for name in ("charge_kw", "discharge_kw", "energy_kwh")
        )
        first, last = (
            least_kwh + (kwh - battery.minimum_kwh) / usable * share
            for kwh in (battery.initial_kwh, battery.final_kwh)
        )
        before = cp.hstack([first, energy[:-1]])
        stored = battery.charge_efficiency * charge - discharge / battery.discharge_efficiency
        power = battery.power_kw / usable * share
        constraints = [
            *(flow >= 0 for flow in (charge, discharge)),
            *(flow <= battery.power_kw for flow in (charge, discharge)),
            *(flow <= power for flow in (charge, discharge)),
            energy >= least_kwh,
            energy <= least_kwh + usable,
            energy <= least_kwh + share,
            energy == before + hours * stored,
            energy[-1] == last,
        ]
        wear = battery.wear_per_kwh * cp.sum(charge + discharge)
        # (sum of n powers)^2 <= n (sum of their squares): never less than the battery's own.
        steep = (self.tenants + 1) * battery.wear_quadratic
        wear += steep * (cp.sum_squares(charge) + cp.sum_squares(discharge))
        variables = {"charge_kw": charge, "discharge_kw": discharge, "energy_kwh": energy}
        return variables, constraints, hours * wear


@dataclass(frozen=True)
class TenantShare(Share):
    """A tenant's share: a battery that stands elsewhere, and takes no power at its own place."""

    @property
    def device(self) -> str:
        """What it is called among the tenant's devices."""
        return f"battery rented of {self.owner}"

    def contribute(self, horizon: Horizon) -> SharePart:
        """Rent some capacity, and have the owner charge it."""
        charging = cp.Variable(horizon.slots, name="charging_kw")
        capacity = cp.Variable(1, name="capacity_kwh")
        variables, constraints, wear = self._storage(horizon, capacity[0], 0.0)
        elsewhere = cp.Constant(np.zeros(horizon.slots))
        own = Contribution(elsewhere, wear, constraints, variables)
        power = self.battery.power_kw
        linked = [
            charging == variables["charge_kw"] - variables["discharge_kw"],
            charging <= power,
            charging >= -power,
            capacity >= 0,
            capacity <= self.usable_kwh,
        ]
        return SharePart({self.device: own}, charging, capacity, linked)


@dataclass(frozen=True)
class OwnerShare(Share):
    """What the owner keeps, and what it runs for its tenants."""

    @property
    def replaces(self) -> str:
        """The battery itself."""
        return self.battery.name

    @property
    def _alike(self) -> int:
        """It faces all tenants."""
        return 1

    @property
    def device(self) -> str:
        """What the running for tenants is called among the owner's devices."""
        return f"{self.battery.name} for tenants"

    def contribute(self, horizon: Horizon) -> SharePart:
        """Let some capacity, keep the rest, and charge for tenants."""
        charging = cp.Variable(horizon.slots, name="charging_kw")
        capacity = cp.Variable(1, name="capacity_kwh")
        kept = self.usable_kwh + capacity[0]
        variables, constraints, wear = self._storage(horizon, kept, self.battery.minimum_kwh)
        own = Contribution(
            variables["charge_kw"] - variables["discharge_kw"], wear, constraints, variables
        )
        executed = cp.Variable(horizon.slots, name="consumption_kw")
        power = self.battery.power_kw
        limits = [executed <= power, executed >= -power]
        run = {"consumption_kw": executed}
        for_tenants = Contribution(executed, constraints=limits, variables=run)
        linked = [
            charging == -executed,
            charging <= power,
            charging >= -power,
            capacity <= 0,
            capacity >= -self.usable_kwh,
        ]
        devices = {self.battery.name: own, self.device: for_tenants}
        return SharePart(devices, charging, capacity, linked)
