"""Buildings with a standard problem: autonomous agents whose arithmetic is done together."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mesa
import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.population.accounting import device_costs, sums_by_owner
from nashgrid.agents.population.buildings import BuildingArrays
from nashgrid.agents.population.feasibility import storage_limits
from nashgrid.agents.population.population import Population
from nashgrid.agents.population.schedules import Schedules
from nashgrid.agents.speaker import Speaker
from nashgrid.market.crowd_participation import CrowdParticipation
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.participation import Respond
from nashgrid.market.topics import TRADING, UTILITY_ONLY


class StandardBuilding(mesa.Agent):
    """One of them: an agent of the model with an address, an inbox and private data of its own.

    Row `row` of every array of the `StandardBuildings` is this building's; nobody else's answer
    depends on it.
    """

    def __init__(self, model: mesa.Model, row: int) -> None:
        super().__init__(model)
        self.row = row


def one_agent_each(model: mesa.Model, count: int) -> list[StandardBuilding]:
    """As many agents as buildings.

    The collector of garbage, which would look at all of them again and again, rests meanwhile.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [StandardBuilding(model, row) for row in range(count)]
    finally:
        if collecting:
            gc.enable()


@dataclass(frozen=True)
class StandardAnswers:
    """What the buildings do in one outcome.

    Parameters
    ----------
    trade_kw : (n, T)
    device_cost : (n,) before any payment [currency]
    schedules : of all devices
    """

    trade_kw: Floats
    device_cost: Floats
    schedules: Schedules


class StandardBuildings(Speaker):
    """Standard buildings, who answer side by side.

    Parameters
    ----------
    addresses : (n,) rising
    names : (n,)
    kernel : that answers for them, with the private data of each in a row
    tariff : of the utility
    rules : of the exchanges
    """

    def __init__(
        self,
        addresses: Integers,
        names: Sequence[str],
        *,
        kernel: Population,
        tariff: Tariff,
        rules: ExchangeRules,
    ) -> None:
        self.names = names
        buildings = kernel.buildings
        super().__init__(f"{buildings.count} standard buildings", addresses)
        self.tariff = tariff
        self.kernel = kernel
        self.answers: dict[str, StandardAnswers] = {}
        self._size = buildings.size_kw[:, None]
        for topic in (UTILITY_ONLY, TRADING):
            self.seats[topic] = CrowdParticipation(
                self._size, buildings.slots, self._respond(topic), rules
            )

    def __len__(self) -> int:
        return len(self.addresses)

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Tell the cloud how large each building is, what it is able to take, and what it expects.

        What is expected serves to open a market at nearly the right price.
        """
        buildings = self.kernel.buildings
        lowest, highest = trade_ranges(buildings)
        content = {
            "size": np.broadcast_to(self._size, lowest.shape),
            "connection_kw": np.broadcast_to(buildings.connection_kw[:, None], lowest.shape),
            "lowest_kw": lowest,
            "highest_kw": highest,
        }
        if topic == TRADING:
            content["expected_kw"] = buildings.load_kw - buildings.available_kw
        self.say("enrolment", topic, coordinator, content, now_s)

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """Quotes are answered by the kernel; at the closing everybody notes what it will do."""
        if kind == "closing" and topic in (UTILITY_ONLY, TRADING):
            self._note(topic)
        return super().react(kind, topic, fields)

    def cost(self, topic: str) -> Floats:
        """(n,) own cost in an outcome [currency]; with the utility alone, the bill included."""
        if topic != UTILITY_ONLY:
            return self.device_cost(topic)
        hours = self.kernel.buildings.slot_hours
        return self.device_cost(topic) + self.tariff.bills(self.answers[topic].trade_kw, hours)

    def device_cost(self, topic: str) -> Floats:
        """(n,) what their devices cost in an outcome [currency]."""
        return self.answers[topic].device_cost

    def _respond(self, topic: str) -> Respond:
        def respond(price: Floats, target: Floats, step: Floats) -> Floats:
            buying, selling = self._prices(topic, price)
            trade = self.kernel.answer(buying, target, float(step[0]), sale_price=selling)
            if len(self.kernel.failed):
                raise ValueError(f"{self.names[self.kernel.failed[0]]}: its problem was not solved")
            return trade

        return respond

    def _note(self, topic: str) -> None:
        trade_kw = self.seats[topic].close()
        schedules = self.kernel.schedules(np.arange(len(self)))
        cost = device_costs(self.kernel.buildings, schedules)
        self.answers[topic] = StandardAnswers(trade_kw, cost, schedules)

    def _prices(self, topic: str, price: Floats) -> tuple[Floats, Floats | None]:
        """What buying costs and what selling earns: in the market the same."""
        if price.strides[0] == 0:
            price = price[0]
        if topic != UTILITY_ONLY:
            return price, None
        retail, feed_in = self.tariff.retail_price_per_kwh, self.tariff.feed_in_price_per_kwh
        return price + retail, price + feed_in


def trade_ranges(buildings: BuildingArrays) -> tuple[Floats, Floats]:
    """(n, T) least and most power each trade can take in each slot alone [kW].

    Every schedule lies within; not every power within belongs to a schedule.
    """
    lowest = buildings.load_kw - buildings.available_kw
    highest = buildings.load_kw.copy()
    limits = storage_limits(buildings.storages, buildings.slots)
    owner, count = buildings.storages.owner, buildings.count
    lowest -= sums_by_owner(owner, limits.discharge, count)
    highest += sums_by_owner(owner, limits.charge, count)
    highest += sums_by_owner(buildings.loads.owner, buildings.loads.limit_kw, count)
    most = buildings.connection_kw[:, None]
    return np.clip(lowest, -most, most), np.clip(highest, -most, most)
