"""The manager of a community: it passes on what the members leave over."""

from collections.abc import Mapping, Sequence

import mesa
import numpy as np

from nashgrid.agents.passing_on import PassingOn, Wish
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats
from nashgrid.market.participation import Participation


class CommunityManager(TradingAgent):
    """Sells to its members at each of their places, and covers their residual.

    In each slot it trades, in this order: with its members at each of their places; with who
    delivers at the same places; with the managers of other communities. What the members buy at a
    place it takes there (building to community). Of the whole residual a part B is matched with
    other communities, who sell as much as this one buys; the rest D comes from or goes to who
    delivers. B moves no power of its own: all power is delivered at places, at their prices. It
    has a premium, and saves its buyer and its seller the fee of the rest.

    Parameters
    ----------
    places : numbers of the places where it has members
    slots : T
    slot_hours : dt [h]
    fees : per kWh and level
    rules : of the exchange
    """

    def __init__(
        self,
        model: mesa.Model,
        name: str,
        *,
        places: Sequence[int],
        slots: int,
        slot_hours: float,
        fees: LevelFees,
        rules: ExchangeRules,
    ) -> None:
        super().__init__(model, name)
        self.places = tuple(places)
        self._slots, self._hours = slots, slot_hours
        self._fees, self._rules = fees, rules
        self.problems: dict[str, PassingOn] = {}

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """Enrolment sums open its seat; what is left over of the last offers it takes as well."""
        if kind == "enrolment sums":
            return "enrolment", self._take_seat(topic, fields)
        if kind == "left over":
            return "commitment", {"quantity": self._taking(topic, fields["quantity"])}
        return super().react(kind, topic, fields)

    def cost(self, topic: str) -> float:
        """The fees that it pays in an outcome [currency]; nothing where it has no seat."""
        if topic not in self.problems:
            return 0.0
        _, taken, between = self._parts(self.seats[topic].quantity)
        return self.problems[topic].cost(taken.T, between)

    def inside_price(self, topic: str) -> Floats:
        """(P, T) price to its members at each of their places [currency/kWh]."""
        return self._parts(self.clearing_price[topic])[0]

    def between_price(self, topic: str) -> Floats:
        """(T,) premium of what is matched with other communities [currency/kWh]."""
        return self._parts(self.clearing_price[topic])[2]

    def between_kw(self, topic: str) -> Floats:
        """(T,) what it buys of other communities [kW]."""
        return self._parts(self.seats[topic].quantity)[2]

    def _take_seat(self, topic: str, sums: Mapping[str, Floats]) -> dict[str, Floats]:
        """Its enrolment: as large as its members, and able to take what they can, where it is."""
        inside = {name: self._parts(values)[0] for name, values in sums.items()}
        size = inside["size"]
        limit_kw = inside["connection_kw"].max(axis=1)
        problem = self.problems[topic] = PassingOn(self._fees, limit_kw, self._hours)
        sizes = self._joined(size, size, size.sum(axis=0))

        def respond(price: Floats, target: Floats, step: Floats) -> Floats:
            stiffness = self._parts(step / sizes)
            inner, outer = stiffness[0][:, 0], stiffness[1][:, 0]
            own_price, place_price, premium = self._parts(price)
            own_target, place_target, between_target = self._parts(target)
            linear = place_price - own_price
            linear = linear + inner[:, None] * own_target - outer[:, None] * place_target
            between = float(stiffness[2][0])
            wish = Wish(linear.T, inner + outer, premium - between * between_target, between)
            taken, bought = problem.answer(wish)
            return self._joined(-taken.T, taken.T, bought)

        self.seats[topic] = Participation(sizes, sizes.shape[1], respond, self._rules)
        nothing = np.zeros_like(size)
        able = {
            name: self._joined(nothing, inside[name], nothing[0])
            for name in ("connection_kw", "lowest_kw", "highest_kw")
        }
        return {"size": sizes, **able}

    def _taking(self, topic: str, left_kw: Floats) -> Floats:
        """Its last answer and what is left over: of its members all, with others its share."""
        seat = self.seats[topic]
        own, _, between = self._parts(seat.quantity)
        own_left, _, between_left = self._parts(left_kw)
        sold = own + own_left
        seat.quantity = self._joined(sold, -sold, between + between_left)
        return seat.quantity

    def _parts(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """(1, (2 P + 1) T) -> (P, T) with members, (P, T) with who delivers, (T,) with others."""
        rows = values.reshape(-1, self._slots)
        count = len(self.places)
        return rows[:count], rows[count : 2 * count], rows[2 * count]

    def _joined(self, inside: Floats, at_places: Floats, between: Floats) -> Floats:
        return np.concatenate([inside.ravel(), at_places.ravel(), between])[None]
