"""Two feeders with a tie: agents and operators of both in one exchange."""

from collections.abc import Sequence

import mesa
import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.agents.cloud import Cloud
from nashgrid.agents.tied_operator import TiedOperator
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.negotiation import Negotiation, Participant
from nashgrid.market.post import Post
from nashgrid.market.topics import TRADING
from nashgrid.runs.assembly import make_prosumers
from nashgrid.runs.model import exchange_rules
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tie import TiedWires


class JointNegotiation(Negotiation):
    """A negotiation with an operator for each feeder: they enrol, and take what is left, in turn.

    Parameters
    ----------
    operators : their addresses
    """

    def __init__(
        self,
        cloud: Cloud,
        participants: Sequence[Participant],
        operators: Sequence[int],
        post: Post,
    ) -> None:
        super().__init__(cloud, participants, None, post, managers=operators)

    def close(self) -> None:
        """Announce the price; then each operator hears what it has to take."""
        self.coordinator.announce_closing(self._now_s)
        self._post.carry()
        for operator in self._managers:
            self.coordinator.tell_remainder(operator, self._now_s)
            self._post.carry()


class TiedModel(mesa.Model):
    """The exchange of two scenarios whose feeders are tied.

    A commodity is power at a place of either feeder in a slot, and the flow over the tie in a
    slot, which both operators trade and nobody else.

    Parameters
    ----------
    scenarios, wires : of the first and the second feeder
    seed : of everything random
    """

    def __init__(
        self,
        scenarios: tuple[Scenario, Scenario],
        wires: tuple[TiedWires, TiedWires],
        seed: int,
    ) -> None:
        super().__init__(rng=seed)
        self.scenarios, self.wires = scenarios, wires
        rules = exchange_rules(scenarios[0])
        horizon = scenarios[0].horizon
        self.prosumers = [
            make_prosumers(self, scenario, own, rules) for scenario, own in zip(scenarios, wires)
        ]
        self.operators = [
            TiedOperator(
                self,
                f"operator of {scenario.name}",
                slots=horizon.slots,
                places=len(own.places),
                slot_hours=horizon.slot_hours,
                delivery=own.delivery,
                rules=rules,
                tie_kw=own.tie_kw,
                proposes=first,
            )
            for scenario, own, first in zip(scenarios, wires, (True, False))
        ]
        self.cloud = Cloud(
            self,
            TRADING,
            members=self._members(),
            rules=rules,
            opening_price=self._opening_price(),
        )
        everybody = [*self.prosumers[0], *self.prosumers[1], *self.operators]
        post = Post(
            MessageNetwork(self._links([one.unique_id for one in everybody]), seed),
            {one.unique_id: one for one in (*everybody, self.cloud)},
        )
        addresses = [operator.unique_id for operator in self.operators]
        self.negotiation = JointNegotiation(self.cloud, everybody[:-2], addresses, post)

    def negotiate(self) -> None:
        """Hold the exchange from enrolment to closing."""
        self.negotiation.open()
        while not self.cloud.exchange.finished:
            self.negotiation.round()
        self.negotiation.close()

    def places_of(self, side: int) -> Integers:
        """(n,) place of each agent of a feeder."""
        buses = [entry.bus or 0 for entry in self.scenarios[side].agents]
        return self.wires[side].place_of(buses)

    def _members(self) -> list[Members]:
        slots = self.scenarios[0].horizon.slots
        counts = [len(own.places) - 1 for own in self.wires]
        tie = np.arange(sum(counts), sum(counts) + 1)
        blocks = [np.arange(counts[0]), counts[0] + np.arange(counts[1])]
        groups = []
        for side, block in enumerate(blocks):
            addresses = np.array([one.unique_id for one in self.prosumers[side]], dtype=np.int64)
            groups.append(Members(addresses, _slots_of(block, slots), self.places_of(side)))
        for operator, block in zip(self.operators, blocks):
            every = _slots_of(np.append(block, tie), slots).reshape(1, -1)
            alone = np.zeros(1, dtype=np.int64)
            groups.append(Members(operator.addresses, every, alone, role="counterparty"))
        return groups

    def _opening_price(self) -> Floats:
        """Retail at every place, between the two at the tie."""
        retail = [own.tariff.retail_price_per_kwh for own in self.wires]
        places = [np.tile(price, len(own.places) - 1) for price, own in zip(retail, self.wires)]
        return np.concatenate([*places, 0.5 * (retail[0] + retail[1])])

    def _links(self, members: Sequence[int]) -> Links:
        usual, count = self.scenarios[0].messages, len(members)
        return Links(
            np.full(count, self.cloud.unique_id),
            np.array(members),
            np.full(count, usual.latency_s),
            np.full(count, usual.jitter_s),
            np.full(count, usual.loss),
        )


def _slots_of(places: Integers, slots: int) -> Integers:
    """(P, T) commodities of places."""
    return np.asarray(places[:, None] * slots + np.arange(slots))
