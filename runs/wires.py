"""Where trade takes place, and what it costs to deliver there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.agents.devices.shared_battery import OwnerShare, TenantShare
from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.sloping_supply import SlopingSupply
from nashgrid.agents.utility_supply import UtilitySupply
from nashgrid.grid.feeder import Feeder
from nashgrid.grid.inverters import NO_INVERTERS, Inverters
from nashgrid.grid.operator_terms import MONEY_ALONE
from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.topics import COURNOT, LED, TRADING, UTILITY_ONLY
from nashgrid.runs.grid_operator import (
    GridOperator,
    Upstream,
    grid_operator,
    priorities_of,
)
from nashgrid.runs.influence import price_curve
from nashgrid.runs.leaders_charge import LeadersCharge
from nashgrid.runs.levels import Levels, levels_of
from nashgrid.runs.population_draw import DrawnPopulation
from nashgrid.runs.rentals import Rentals, rentals_of
from nashgrid.runs.scenario import (
    OPERATOR,
    UTILITY,
    AgentEntry,
    BuildingEntry,
    Scenario,
)


@dataclass(frozen=True)
class Wires:
    """Where trade takes place, and what it costs to deliver there.

    Parameters
    ----------
    places : buses at which power is reported, rising: those with at least one agent, but for those
        reported at another; (0,) without a feeder
    feeder : None without one
    reactive_kvar : (T, n) reactive demand at every bus of the feeder, of loads
    inverter_kvar : (n,) what inverters at every bus take or give as the operator sets them
    population : the buildings drawn at random; None where the scenario has none
    reported_at : buses whose power is reported to who delivers at another bus -> that bus
    charge : what a leader asks for in the exchanges that it opens; None where nobody leads
    """

    scenario: Scenario
    tariff: Tariff
    places: tuple[int, ...]
    feeder: Feeder | None
    reactive_kvar: Floats
    inverter_kvar: Floats
    population: DrawnPopulation | None = None
    reported_at: Mapping[int, int] = field(default_factory=dict)
    charge: LeadersCharge | None = None

    @property
    def counterparty(self) -> str:
        """Name of who delivers: the operator of the feeder, or the utility itself without one."""
        return UTILITY if self.feeder is None else OPERATOR

    @cached_property
    def levels(self) -> Levels | None:
        """Who trades with whom where communities have managers; None where they have none."""
        place = self.place_of([entry.bus or 0 for entry in self.scenario.agents])
        return levels_of(self.scenario, place, len(self.places))

    @cached_property
    def rentals(self) -> Rentals | None:
        """Batteries whose capacity is for rent; None where there are none."""
        return rentals_of(self.scenario)

    def share(self, row: int) -> TenantShare | OwnerShare | None:
        """The part that an agent of the scenario may have in a battery for rent."""
        return None if self.rentals is None else self.rentals.share(row)

    def manager_addresses(self, agents: int) -> list[int]:
        """Addresses of the managers of communities, which follow those of the agents."""
        count = 0 if self.levels is None else len(self.levels.communities)
        return [agents + 1 + number for number in range(count)]

    def paid_alone(self, entry: AgentEntry) -> Tariff:
        """What an agent pays the utility alone: its tariff, and with levels a member's fee."""
        fees = self._fees(entry)
        return self.tariff.with_fee(0.0 if fees is None else fees.rest)

    def paid_beside(self, case: str, entry: AgentEntry) -> Tariff | None:
        """What an agent pays for what it buys and sells in a case, beside the clearing price."""
        if case == UTILITY_ONLY:
            return self.paid_alone(entry)
        if case in LED and self.charge is not None:
            return self.charge.beside_price
        fees = self._fees(entry)
        if case != TRADING or fees is None or fees.inside == 0:
            return None
        nothing = np.zeros(self.scenario.horizon.slots)
        return Tariff(nothing, nothing).with_fee(fees.inside)

    def _fees(self, entry: AgentEntry) -> LevelFees | None:
        """The fees that a member of a community pays; None for those outside."""
        inside = self.levels is not None and isinstance(entry, BuildingEntry)
        return self.levels.fees if inside and self.levels is not None else None

    def place_of(self, buses: ArrayLike) -> Integers:
        """(n,) at which of the places the power of each bus is reported."""
        reported = np.array(buses)
        for bus, place in self.reported_at.items():
            reported[reported == bus] = place
        return np.searchsorted(np.array(self.places), reported)

    @property
    def reported_kvar(self) -> Floats:
        """(T, n) reactive demand of loads at the buses where it is reported."""
        return self._reported(self.reactive_kvar)

    @property
    def reported_inverter_kvar(self) -> Floats:
        """(n,) what inverters take or give, at the buses where it is reported."""
        return self._reported(self.inverter_kvar)

    def _reported(self, at_bus: Floats) -> Floats:
        if self.feeder is None or not self.reported_at:
            return at_bus
        reported = at_bus.copy()
        for bus, place in self.reported_at.items():
            here, there = self.feeder.bus_positions([bus, place])
            reported[..., there] += reported[..., here]
            reported[..., here] = 0.0
        return reported

    def set_share(self, topic: str, demand_kw: Floats) -> Floats | None:
        """(T, B) part of what they can take (negative: give) to which inverters are set.

        As the operator decides for (T, B) delivered in an exchange; None without inverters.
        """
        if self.feeder is None:
            return None
        return self._deliverer(topic, demand_kw).set_share(demand_kw)

    def bus_kvar(self, topic: str, demand_kw: Floats) -> Floats:
        """(T, n) reactive power taken at every bus, with (T, B) delivered in an exchange.

        Inverters at one place are all set to the same part of what they can.
        """
        share = self.set_share(topic, demand_kw)
        if self.feeder is None or share is None:
            return self.reactive_kvar
        with_some = np.flatnonzero(self.inverter_kvar)
        taken, place = self.reactive_kvar.copy(), self.place_of(self.feeder.buses[with_some])
        taken[:, with_some] += share[:, place] * self.inverter_kvar[with_some]
        return taken

    @property
    def root_voltage_pu(self) -> float:
        """Voltage held at the root of the feeder; 1 without one."""
        return 1.0 if self.scenario.feeder is None else self.scenario.feeder.root_voltage_pu

    @property
    def loss_price_per_kwh(self) -> Floats:
        """(T,) losses are bought at the retail price, and cost nothing where that is negative."""
        return np.maximum(self.tariff.retail_price_per_kwh, 0.0)

    def bus_power_kw(self, demand_kw: Floats) -> Floats:
        """(T, n) power taken at every bus of the feeder, from (T, B) delivered at the places."""
        power = np.zeros_like(self.reactive_kvar)
        if self.feeder is not None:
            power[:, self.feeder.bus_positions(self.places)] = demand_kw
        return power

    def losses_kw(self, topic: str, demand_kw: Floats) -> Floats:
        """(T,) losses by the model of the feeder, those of reactive power included; else none."""
        if self.feeder is None:
            return np.zeros(len(demand_kw))
        return self._deliverer(topic, demand_kw).losses_kw(demand_kw)

    def _deliverer(self, topic: str, demand_kw: Floats) -> GridOperator:
        """Who can deliver (T, B), and says what follows from it."""
        return self.operator(topic, np.abs(demand_kw).max(axis=0))

    def loss_cost(self, topic: str, demand_kw: Floats) -> float:
        """What the losses of a delivery in an exchange cost over the day [currency]."""
        hours = self.scenario.horizon.slot_hours
        return float(hours * self.losses_kw(topic, demand_kw) @ self.loss_price_per_kwh)

    def delivery(self, topic: str, demand_limit_kw: Floats) -> DeliveryProblem:
        """The counterparty's problem in an exchange.

        In the market it pays the utility for the energy at the root and for the losses; with
        everybody paying retail for itself it only guards its limits. In market `cournot` the
        utility's price slopes with the community's power, and is the same either way.
        """
        if self.feeder is not None:
            return self.operator(topic, demand_limit_kw)
        upstream, hours = self._upstream(topic), self.scenario.horizon.slot_hours
        price, slope = upstream.tariff.retail_price_per_kwh, upstream.slope_per_kw2h
        if topic == COURNOT:
            return SlopingSupply(price, slope, upstream.limit_kw, hours)
        return UtilitySupply(upstream.tariff, upstream.limit_kw, hours)

    def operator(self, topic: str, demand_limit_kw: Floats) -> GridOperator:
        """The operator's problem in an exchange: see `delivery`.

        Raises
        ------
        ValueError
            If there is no feeder.
        """
        entry = self.scenario.feeder
        if self.feeder is None or entry is None:
            raise ValueError(f"scenario {self.scenario.name} has no feeder, so nobody operates one")
        return grid_operator(
            self.feeder,
            entry,
            self._upstream(topic),
            places=self.places,
            reactive_kvar=self.reported_kvar,
            inverters=self._inverters,
            slot_hours=self.scenario.horizon.slot_hours,
            # Twice what can flow: a limit that merely repeats an agent's own would leave the
            # price there without a single value.
            demand_limit_kw=2 * demand_limit_kw,
            mean_retail_price_per_kwh=self._mean_retail_price_per_kwh,
        )

    @property
    def _inverters(self) -> Inverters:
        """Those that the operator sets, where it hears of them."""
        if self.feeder is None:
            return NO_INVERTERS
        limit = self.reported_inverter_kvar
        at = np.flatnonzero(limit)
        return Inverters(self.feeder.buses[at], limit[at])

    @property
    def _mean_retail_price_per_kwh(self) -> float:
        return float(np.abs(self.tariff.retail_price_per_kwh).mean())

    def _upstream(self, topic: str) -> Upstream:
        """What energy and losses cost upstream in an exchange, and what counts beside money."""
        free, entry = np.zeros(self.scenario.horizon.slots), self.scenario.feeder
        limit_kw, loss_price = self.scenario.utility.exchange_limit_kw, self.loss_price_per_kwh
        if topic == UTILITY_ONLY:
            return Upstream(Tariff(free, free), free, free, limit_kw)
        own = MONEY_ALONE
        if entry is not None:
            own = priorities_of(entry, self._mean_retail_price_per_kwh)
        if topic == COURNOT:
            curve = price_curve(self.scenario, self.tariff)
            there = Tariff(curve.price_per_kwh, curve.price_per_kwh)
            return Upstream(there, curve.slope_per_kw2h, loss_price, limit_kw, own)
        charge = self.charge if topic in LED else None
        tariff = self.tariff if charge is None else charge.upstream
        return Upstream(tariff, free, loss_price, limit_kw, own)
