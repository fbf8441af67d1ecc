"""The participant at every place: it takes whatever the others leave, as far as it may."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypedDict

import mesa
import numpy as np

from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation


class DeliveryAnswer(Protocol):
    """A best response of a delivery problem."""

    @property
    def demand_kw(self) -> Floats:
        """(T, B) power delivered at each place in each slot [kW]."""
        ...


class DeliveryProblem(Protocol):
    """What it costs, and what it allows, to deliver power at places in slots.

    Demand d (T, B) is the power delivered; the counterparty's trade is -d, for it sells.
    """

    def answer(self, linear: Floats, curvature: Floats) -> DeliveryAnswer:
        """Minimise objective(d) + sum linear d + 1/2 sum curvature d^2; (T, B) and (B,)."""
        ...

    def cost(self, demand_kw: Floats) -> float:
        """Cost of a demand, what it pays for it [currency]."""
        ...

    def objective(self, demand_kw: Floats) -> float:
        """What it minimises: its cost, and what counts beside money."""
        ...

    def least_cost(self, linear: Floats) -> float:
        """Lower bound of objective(d) + sum linear d over all demands (T, B), by duality."""
        ...

    def set_share(self, demand_kw: Floats) -> Floats | None:
        """(T, B) part of what they can take to which inverters are set; None without any."""
        ...

    def statement(self) -> DeliveryStatement:
        """The problem in CVXPY."""
        ...

    def violation(self, demand_kw: Floats) -> tuple[float, float]:
        """Largest violation of a power limit [kW] and of a voltage limit [pu] by a demand."""
        ...

    def infeasibility(self, lowest_kw: Floats, highest_kw: Floats) -> Sequence[object]:
        """Limits that no demand within (T, B) ranges can keep, worst first, each printable."""
        ...


Delivery = Callable[[str, Floats], DeliveryProblem]
"""(topic, (B,) connection limits at the places [kW]) -> the problem of that exchange."""


class CounterpartyTerms(TypedDict):
    """What every counterparty is made of, see `Counterparty`."""

    slots: int
    places: int
    slot_hours: float
    delivery: Delivery
    rules: ExchangeRules


class Counterparty(TradingAgent):
    """An agent that trades every commodity, with the size of all the others together.

    Parameters
    ----------
    slots, places : its commodities are all pairs, slot by slot within a place
    slot_hours : dt [h]
    delivery : makes its private problem once it knows the connection limits
    """

    def __init__(
        self,
        model: mesa.Model,
        name: str,
        *,
        slots: int,
        places: int,
        slot_hours: float,
        delivery: Delivery,
        rules: ExchangeRules,
    ) -> None:
        super().__init__(model, name)
        self._shape = (places, slots)
        self._hours = slot_hours
        self._delivery = delivery
        self._rules = rules
        self.problems: dict[str, DeliveryProblem] = {}
        self.demand_kw: dict[str, Floats] = {}
        self.volume_kw: dict[str, Floats] = {}

    def lead(
        self, topic: str, coordinator: int, charge: Floats, delivery: Delivery, now_s: float
    ) -> None:
        """Open an exchange with a charge (T,) for trades inside, and deliver at what it leaves.

        Parameters
        ----------
        delivery : makes its private problem with that charge
        """
        self._delivery = delivery
        self.say("charge", topic, coordinator, {"charge": charge[None]}, now_s)

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """Enrolment sums open its seat; a remainder settles what it delivers.

        A leader hears of the volume that its charge is paid on.
        """
        if kind == "enrolment sums":
            self._take_seat(topic, fields)
            return "enrolment", {"size": fields["size"]}
        if kind == "closing":
            self.clearing_price[topic] = fields["price"]
            return None
        if kind == "remainder":
            self.demand_kw[topic] = -self._by_slot(fields["quantity"])
            return None
        if kind == "volume":
            self.volume_kw[topic] = fields["volume"][0]
            return None
        return super().react(kind, topic, fields)

    def cost(self, topic: str) -> float:
        """Its cost in an outcome, before any payment [currency]."""
        return self.problems[topic].cost(self.demand_kw[topic])

    def price(self, topic: str) -> Floats:
        """(T, B) clearing prices [currency/kWh]."""
        return self._by_slot(self.clearing_price[topic])

    def _take_seat(self, topic: str, sums: Mapping[str, Floats]) -> None:
        limits = self._by_slot(sums["connection_kw"]).max(axis=0)
        size = sums["size"]
        problem = self._delivery(topic, limits)
        broken = problem.infeasibility(
            self._by_slot(sums["lowest_kw"]), self._by_slot(sums["highest_kw"])
        )
        if broken:
            more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            raise ValueError(
                f"{self.name}: no schedule of the agents keeps all limits, whatever the price. "
                f"{broken[0]}{more}. Widen the limit, let load go unserved at a price "
                "(unserved_load_price_per_kwh), or connect less"
            )
        self.problems[topic] = problem

        def respond(price: Floats, target: Floats, step: Floats) -> Floats:
            curvature = self._hours * self._by_slot(step / size)
            linear = curvature * self._by_slot(target) - self._hours * self._by_slot(price)
            return -problem.answer(linear, curvature[0]).demand_kw.T.reshape(1, -1)

        last = self.demand_kw.get(topic)
        aim = None if last is None else -last.T.reshape(1, -1)
        self.seats[topic] = Participation(size, size.shape[1], respond, self._rules, aim)

    def _by_slot(self, commodities: Floats) -> Floats:
        """(1, B T) by commodity -> (T, B)."""
        return np.ascontiguousarray(commodities.reshape(self._shape).T)


class SystemOperator(Counterparty):
    """The distribution system operator: it delivers within what the wires can carry.

    For what it has to deliver it sets the inverters, at each place all to the same part of what
    they can.
    """

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """As who delivers; a remainder also settles how inverters are set."""
        answer = super().react(kind, topic, fields)
        if kind != "remainder":
            return answer
        share = self.problems[topic].set_share(self.demand_kw[topic])
        return None if share is None else ("set points", {"reactive_share": share.T.reshape(1, -1)})


class Utility(Counterparty):
    """The utility itself, where a community has no feeder of its own."""
