"""Batteries for rent: whose they are, and who may rent."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nashgrid.agents.devices.battery import Battery
from nashgrid.agents.devices.shared_battery import OwnerShare, TenantShare
from nashgrid.market.messages import Integers
from nashgrid.runs import inputs
from nashgrid.runs.scenario import AgentEntry, BuildingEntry, Scenario


@dataclass(frozen=True)
class Rental:
    """One battery for rent.

    Parameters
    ----------
    owner : row of its owner among the agents
    tenants : rows of the buildings that may rent
    battery : the whole of it
    """

    owner: int
    tenants: tuple[int, ...]
    battery: Battery

    @property
    def members(self) -> list[int]:
        """Rows of all who trade its capacity, rising."""
        return sorted((self.owner, *self.tenants))


@dataclass(frozen=True)
class Rentals:
    """All batteries for rent of a scenario; nobody trades the capacity of two.

    Parameters
    ----------
    each : the batteries
    agents : names
    slots : T
    """

    each: tuple[Rental, ...]
    agents: tuple[str, ...]
    slots: int

    @cached_property
    def of_agent(self) -> dict[int, int]:
        """Row of an agent -> number of the battery whose capacity it trades."""
        return {row: number for number, one in enumerate(self.each) for row in one.members}

    def share(self, row: int) -> TenantShare | OwnerShare | None:
        """The part that an agent may have; None for those who have nothing to do with any."""
        if row not in self.of_agent:
            return None
        rental = self.each[self.of_agent[row]]
        kind = OwnerShare if row == rental.owner else TenantShare
        return kind(rental.battery, self.agents[rental.owner], len(rental.tenants))

    def commodities(self, number: int, first: int) -> Integers:
        """(T + 1,) charging by slot and capacity of a battery, where others come before."""
        width = self.slots + 1
        return first + number * width + np.arange(width)


def rentals_of(scenario: Scenario) -> Rentals | None:
    """The batteries for rent; None where there are none."""
    entries = scenario.agents
    each = []
    for owner, entry in enumerate(entries):
        tenants = tuple(
            row
            for row, other in enumerate(entries)
            if row != owner
            and isinstance(other, BuildingEntry)
            and other.community == entry.community
        )
        each += [Rental(owner, tenants, battery) for battery in _for_rent(entry, scenario)]
    if not each:
        return None
    return Rentals(tuple(each), tuple(e.name for e in entries), scenario.horizon.slots)


def _for_rent(entry: AgentEntry, scenario: Scenario) -> Iterator[Battery]:
    """Those of the batteries of an agent that it lets."""
    names = entry.for_rent
    for device in inputs.devices(entry, scenario) if names else ():
        if isinstance(device, Battery) and device.name in names:
            yield device
