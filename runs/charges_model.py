"""The Mesa model of network charges: agents, their operator, and a cloud for every rule."""

from collections.abc import Sequence

import mesa
import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.agents.charge_cloud import ChargeCloud
from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.agents.charging_operator import ChargingOperator
from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.agents.prosumer import Prosumer
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post
from nashgrid.runs.assembly import make_prosumers
from nashgrid.runs.charge_outcome import agent_places
from nashgrid.runs.charge_terms import ChargeTerms, topic_of
from nashgrid.runs.member_links import link_properties
from nashgrid.runs.model import exchange_rules
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.seating import energy_seating, opening_price
from nashgrid.runs.wires import Wires


class ChargeNegotiation(Negotiation):
    """Announcements of an operator, and the schedules that answer them.

    Parameters
    ----------
    cloud : between agents and operator
    agents : who answer
    operator : its address
    post : carries the messages
    """

    def __init__(
        self, cloud: ChargeCloud, agents: Sequence[Prosumer], operator: int, post: Post
    ) -> None:
        super().__init__(cloud, agents, operator, post)
        self._cloud = cloud

    def round(self) -> None:
        """One announcement, the schedules that answer it, and the next announcement."""
        self._cloud.quote(self._now_s)
        self._post.carry()
        self._cloud.tell_offers(self._now_s)
        self._post.carry()


class ChargesModel(mesa.Model):
    """Agents who answer prices by themselves, and an operator who hears sums. A step is a round.

    Parameters
    ----------
    scenario, wires : with a feeder
    rules : names of the rules to run, one after the other
    terms : on which they are run
    seed : of everything random

    Attributes
    ----------
    prosumers, operator, post : who takes part, and what carries their messages
    """

    def __init__(
        self,
        scenario: Scenario,
        wires: Wires,
        rules: Sequence[str],
        terms: ChargeTerms,
        seed: int,
    ) -> None:
        super().__init__(rng=seed)
        self.scenario, self.wires, self.terms = scenario, wires, terms
        usual = exchange_rules(scenario)
        self.prosumers = make_prosumers(self, scenario, wires, usual)
        self.operator = ChargingOperator(
            self,
            wires.counterparty,
            slots=scenario.horizon.slots,
            places=len(wires.places),
            slot_hours=scenario.horizon.slot_hours,
            delivery=wires.delivery,
            rules=usual,
            course=self._course,
        )
        self._rules = {topic_of(rule): rule for rule in rules}
        self._clouds = {rule: self._cloud(rule) for rule in rules}
        everybody = (*self.prosumers, self.operator, *self._clouds.values())
        self.post = Post(
            MessageNetwork(self._links(), seed), {one.unique_id: one for one in everybody}
        )
        self._talks: ChargeNegotiation | None = None

    def step(self) -> None:
        """One round of the rule under way."""
        if self._talks is None:
            raise ValueError("no rule is under way")
        self.post.network.step += 1
        self._talks.round()

    def settle(self, rule: str) -> ChargeCourse:
        """Run a rule from the enrolment to the closing; how it went."""
        topic, cloud = topic_of(rule), self._clouds[rule]
        for prosumer in self.prosumers:
            prosumer.take_seat(topic, self.terms.exchange_rules(rule))
        self._talks = ChargeNegotiation(cloud, self.prosumers, self.operator.unique_id, self.post)
        self._talks.open()
        while not cloud.finished:
            self.step()
        self.post.network.step += 1
        self._talks.close()
        self._talks = None
        return self.operator.courses[topic]

    def _course(self, topic: str, problem: DeliveryProblem, size_kw: Floats) -> ChargeCourse:
        return self.terms.course(self._rules[topic], self.terms.grid(problem, size_kw))

    def _cloud(self, rule: str) -> ChargeCloud:
        wires = self.wires
        return ChargeCloud(
            self,
            topic_of(rule),
            members=self._members(),
            rules=self.terms.exchange_rules(rule),
            opening_price=opening_price(wires.tariff.retail_price_per_kwh, len(wires.places)),
        )

    def _members(self) -> list[Members]:
        place, slots = agent_places(self.wires), self.scenario.horizon.slots
        seating = energy_seating(place, len(self.wires.places), slots)
        addresses = np.concatenate([one.addresses for one in self.prosumers])
        operator = seating.who_face_many([], self.operator.addresses)
        return [*seating.traders(addresses), *operator]

    def _links(self) -> Links:
        """Everybody is linked to the cloud of every rule."""
        members = (*self.prosumers, self.operator)
        own = link_properties(
            self.scenario.messages,
            {one.name: row for row, one in enumerate(members)},
            len(members),
        )
        clouds = [cloud.unique_id for cloud in self._clouds.values()]
        return Links(
            np.repeat(np.array(clouds, dtype=np.int64), len(members)),
            np.tile([one.unique_id for one in members], len(clouds)),
            *(np.tile(values, len(clouds)) for values in own),
        )
