"""A shard of a population: buildings that take part in the exchanges as one member.

The shard hears one quote and says one sum, ward by ward. Inside it every building is a participant
like any other: it is sent the quote over its own link, answers alone, and its offer travels back.
The desk of the shard adds up what has arrived, and nothing else leaves it. A coordinator's
arithmetic is sums over its members, so it comes to the same whether it hears the buildings or
their sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nashgrid.agents.bargainer import Bargainer
from nashgrid.agents.bench import Bench, Members
from nashgrid.agents.standard_buildings import StandardBuildings
from nashgrid.agents.wards import sums_by_ward
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.message_network import MessageNetwork, Traffic, Transmission
from nashgrid.market.messages import Floats, Integers, Messages
from nashgrid.market.post import Post
from nashgrid.market.topics import MONEY, TRADING, UTILITY_ONLY

BY_COMMODITY = (
    "price", "imbalance", "size", "connection_kw", "lowest_kw", "highest_kw", "expected_kw",
)  # fmt: skip
"""Fields with a number for each commodity, besides the quantities; others have their own width."""


@dataclass(frozen=True)
class Statement:
    """What a shard says: sums over its buildings, and what it took to find them.

    Parameters
    ----------
    kind : of the message
    fields : name -> (W, width) sums, ward by ward
    clock_s : when the last of the buildings' messages came in [s]
    traffic, log : messages inside the shard since its last statement
    """

    kind: str
    fields: Mapping[str, Floats]
    clock_s: float
    traffic: dict[str, Traffic]
    log: list[Transmission]


class Desk:
    """Stands for a coordinator inside a shard: passes its messages on, adds up the answers.

    Parameters
    ----------
    address : of the coordinator
    topic : of its exchange
    members : the buildings, and which commodities of the shard each trades
    """

    def __init__(self, address: int, topic: str, members: Members) -> None:
        self.address, self.topic = address, topic
        self.outbox: list[Messages] = []
        self.bench = Bench(members)
        self._places = len(members.commodities)
        self._wards = np.zeros(1, np.int64) if members.wards is None else members.wards
        self._kind = ""

    def receive(self, messages: Messages) -> None:
        """Note a column of enrolments, offers or commitments."""
        self._kind = messages.kind
        self.bench.hear(messages)

    def pass_on(self, kind: str, fields: Mapping[str, Floats], now_s: float) -> None:
        """Send every building the part of a message to the shard that concerns it."""
        addresses = self.bench.members.addresses
        count = len(addresses)
        own = {
            name: self.bench.own(values[0])
            if name in BY_COMMODITY
            else np.broadcast_to(values[0], (count, values.shape[1]))
            for name, values in fields.items()
        }
        sender, sent_s = np.full(count, self.address), np.full(count, now_s)
        self.outbox.append(Messages(kind, self.topic, sender, addresses, own, sent_s))

    def sums(self) -> tuple[str, dict[str, Floats]]:
        """Kind and sums of what has been heard; then it is forgotten."""
        sums, members = {}, self.bench.members
        for name, values in self.bench.heard.items():
            if name in (*BY_COMMODITY, "quantity"):
                by_place = sums_by_ward(values, members.trades, self._wards, self._places)
                sums[name] = by_place.reshape(len(self._wards), -1)
            else:
                sums[name] = self.bench.totals(name)
        self.bench.heard.clear()
        return self._kind, sums


class PopulationShard:
    """Buildings, their links to the coordinators, and a desk for each of these.

    Parameters
    ----------
    buildings : who live here
    weight : (n,) their bargaining weights
    place : (n,) which of the shard's places each is at, counted from 0, rising
    wards : (W,) first rows of the shard's wards
    network : with a link between every building and every coordinator
    coordinators : topic -> address
    """

    def __init__(
        self,
        buildings: StandardBuildings,
        weight: Floats,
        place: Integers,
        wards: Integers,
        network: MessageNetwork,
        coordinators: Mapping[str, int],
    ) -> None:
        self.buildings = buildings
        self._weight = weight
        self._bargainer: Bargainer | None = None
        places, slots = 1 + int(place.max()), buildings.kernel.buildings.slots
        energy = np.arange(places * slots).reshape(places, slots)
        money = np.zeros((1, 1), dtype=np.int64), np.zeros_like(place)
        addresses = buildings.addresses
        self._desks = {
            topic: Desk(
                address,
                topic,
                Members(addresses, *(money if topic == MONEY else (energy, place)), wards=wards),
            )
            for topic, address in coordinators.items()
        }
        self._post = Post(
            network,
            {int(address): buildings for address in addresses}
            | {desk.address: desk for desk in self._desks.values()},
        )

    def enrol(self, topic: str, now_s: float) -> Statement:
        """All buildings enrol; in the exchange of money they must have been told its rules."""
        who = self._bargainer if topic == MONEY else self.buildings
        if who is None:
            raise ValueError(f"{self.buildings.name} enrol in {topic!r} without its rules")
        who.enrol(topic, self._desks[topic].address, now_s)
        return self._after_post(topic)

    def hear(self, kind: str, topic: str, fields: Mapping[str, Floats], now_s: float) -> Statement:
        """A quote or a closing price reaches every building, and their answers the desk."""
        self._desks[topic].pass_on(kind, fields, now_s)
        return self._after_post(topic)

    def bargain(self, rules: ExchangeRules) -> None:
        """Every building takes its seat in the exchange of money, with what it has saved."""
        saving = self.buildings.cost(UTILITY_ONLY) - self.buildings.cost(TRADING)
        self._bargainer = Bargainer(self.buildings, saving, self._weight, rules)

    def _after_post(self, topic: str) -> Statement:
        self._post.carry()
        network = self._post.network
        kind, fields = self._desks[topic].sums()
        return Statement(kind, fields, network.clock_s, *network.hand_over())
