"""What buildings, community batteries and generators share: devices behind one connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mesa
import numpy as np

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.charge import Charge
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.devices.device import Device, Horizon
from nashgrid.agents.devices.shared_battery import OwnerShare, TenantShare
from nashgrid.agents.local_problem import LocalProblem, Tariff
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation, Respond
from nashgrid.market.topics import LED, TRADING, UTILITY_ONLY


@dataclass(frozen=True)
class Connection:
    """Where and how an agent is connected.

    Parameters
    ----------
    place : bus of the feeder; 0 where there is no feeder
    limit_kw : largest power in either direction [kW]
    size_kw : rated power w_i that weighs its voice in an exchange [kW]
    """

    place: int
    limit_kw: float
    size_kw: float


class Prosumer(TradingAgent):
    """An agent with devices behind one grid connection, and a local problem of its own.

    It keeps two statements of the problem: in the market its trade is paid for by the clearing
    price, with the utility alone by the tariff.

    Parameters
    ----------
    devices, connection, horizon : what it owns, where, and for which slots
    tariff : what it pays the utility alone
    fees : what it pays in the market for each kWh it buys or sells, beside the price; None: nothing
    share : in a battery for rent, in the market
    rules : of the exchanges
    """

    def __init__(
        self,
        model: mesa.Model,
        name: str,
        *,
        devices: Sequence[Device],
        connection: Connection,
        horizon: Horizon,
        tariff: Tariff,
        rules: ExchangeRules,
        fees: Tariff | None = None,
        share: TenantShare | OwnerShare | None = None,
    ) -> None:
        super().__init__(model, name)
        self.connection = connection
        self._paid = {UTILITY_ONLY: tariff, TRADING: fees}
        self._devices, self._horizon, self._rules = devices, horizon, rules
        self._hours = horizon.slot_hours
        self._size = np.full((1, horizon.slots), connection.size_kw)
        limit_kw = connection.limit_kw
        statements = {
            UTILITY_ONLY: LocalProblem(name, devices, horizon, limit_kw, tariff),
            TRADING: LocalProblem(name, devices, horizon, limit_kw, fees, share),
        }
        self.problems = {topic: CompiledProblem(stated) for topic, stated in statements.items()}
        self._sizes = {UTILITY_ONLY: self._size, TRADING: self._size}
        if share is not None:
            self._sizes[TRADING] = np.append(self._size, share.sizes(horizon.slots)[None], axis=1)
        for topic in self.problems:
            self._sit_down(topic, rules)

    def anticipate(self, topic: str, anticipation: Anticipation) -> None:
        """Take a seat in an exchange whose price it knows to move with its own power."""
        limit_kw = self.connection.limit_kw
        problem = CompiledProblem(LocalProblem(self.name, self._devices, self._horizon, limit_kw))

        def answer(price: Floats, target: Floats, stiffness: Floats) -> Floats:
            return problem.respond(price[0], target[0], stiffness[0])[None]

        self.problems[topic] = problem
        respond = anticipation.respond(answer, self._size)
        self.seats[topic] = Participation(self._size, self._horizon.slots, respond, self._rules)

    def take_seat(self, topic: str, rules: ExchangeRules) -> None:
        """Take part in a further exchange, by rules of its own and with the problem of the market.

        What it answers there is what it has to say of that problem until it answers elsewhere.
        """
        self.problems[topic] = self.problems[TRADING]
        self._sit_down(topic, rules)

    def follow(self) -> None:
        """Be ready for exchanges that a leader opens with a charge."""
        self._charge = Charge(np.zeros(self._horizon.slots))
        limit_kw = self.connection.limit_kw
        stated = LocalProblem(self.name, self._devices, self._horizon, limit_kw, self._charge)
        self.problems |= dict.fromkeys(LED, CompiledProblem(stated))

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """A charge changes what trading costs, and opens a seat in the exchange it is for."""
        if kind != "charge":
            return super().react(kind, topic, fields)
        self._charge.change(fields["charge"][0])
        self.problems[topic].heed_parameters()
        self._sit_down(topic, self._rules)
        return None

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Tell the coordinator how large this agent is and what it is able to take."""
        size, slots = self._sizes.get(topic, self._size), self._horizon.slots
        lowest, highest = self.problems[TRADING].trade_range()
        content = {"size": size}
        for field, values in (
            ("connection_kw", np.full(slots, self.connection.limit_kw)),
            ("lowest_kw", lowest),
            ("highest_kw", highest),
        ):
            # What it can take of power says nothing of other commodities.
            content[field] = np.append(values, np.zeros(size.shape[1] - slots))[None]
        self.say("enrolment", topic, coordinator, content, now_s)

    def trade_kw(self, topic: str) -> Floats:
        """(T,) its last answer in an exchange [kW]."""
        return np.asarray(self.seats[topic].quantity[0, : self._horizon.slots])

    def cost(self, topic: str) -> float:
        """The agent's own cost in an outcome [currency].

        With the utility alone: device cost and retail bill. In the market: device cost and fees,
        before any other payment.
        """
        paid = self._paid.get(topic)
        if paid is None:
            return self.device_cost(topic)
        account_kw = self.problems[topic].recall().account_kw
        return self.device_cost(topic) + paid.bill(account_kw, self._hours)

    def device_cost(self, topic: str) -> float:
        """What its devices cost in an outcome [currency]."""
        return self.problems[topic].recall().device_cost()

    def schedule(self, topic: str) -> dict[str, dict[str, Floats]]:
        """Its devices' schedule in an outcome: device -> quantity -> (T,)."""
        return self.problems[topic].recall().schedule()

    def _sit_down(self, topic: str, rules: ExchangeRules) -> None:
        """Take a new seat in an exchange whose price is taken as given."""
        size, last = self._sizes.get(topic, self._size), self.seats.get(topic)
        self.seats[topic] = Participation(
            size,
            size.shape[1],
            self._respond(self.problems[topic], size),
            rules,
            None if last is None else last.quantity,
        )

    def _respond(self, problem: CompiledProblem, size: Floats) -> Respond:
        def respond(price: Floats, target: Floats, step: Floats) -> Floats:
            return problem.respond(price[0], target[0], (step / size)[0])[None]

        return respond


class Building(Prosumer):
    """A building: loads, and whatever else it owns."""


class CommunityBattery(Prosumer):
    """A battery that belongs to a community and trades on its own account."""


class DistributedGenerator(Prosumer):
    """A dispatchable generator with convex cost."""
