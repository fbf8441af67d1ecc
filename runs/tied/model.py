"""Two feeders with a tie: agents and operators of both in one exchange."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import mesa
import numpy as np
import pandas as pd

from nashgrid.agents.cloud import Cloud
from nashgrid.agents.prosumer import Prosumer
from nashgrid.agents.tied_operator import TiedOperator
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.negotiation import Negotiation, Participant
from nashgrid.market.post import Post
from nashgrid.market.topics import TRADING
from nashgrid.runs.assembly import make_prosumers
from nashgrid.runs.member_links import link_properties
from nashgrid.runs.model import exchange_rules
from nashgrid.runs.roster import roster
from nashgrid.runs.round_reporters import ROUND_REPORTERS
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tied.seating import tied_members, tied_opening_price
from nashgrid.runs.tied.tie import TiedWires


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
        """Announce the price; each operator hears what it has to take; inverters are set."""
        self.coordinator.announce_closing(self._now_s)
        self._post.carry()
        for operator in self._managers:
            self.coordinator.tell_remainder(operator, self._now_s)
            self._post.carry()
        self.coordinator.pass_on_set_points(self._now_s)
        self._post.carry()


@dataclass(frozen=True)
class Side:
    """One of two tied feeders: its agents, and the operator who delivers to them.

    Parameters
    ----------
    study, wires : its scenario, and where trade takes place in it
    prosumers, counterparty : the agents in the order of the scenario, and the operator
    population : none
    """

    study: Scenario
    wires: TiedWires
    prosumers: list[Prosumer]
    counterparty: TiedOperator
    population: None = None

    @cached_property
    def roster(self) -> pd.DataFrame:
        """One row per agent."""
        return roster(self.study, None)

    def trade_kw(self, topic: str) -> Floats:
        """(n, T) what every agent buys in an outcome [kW]."""
        return np.concatenate([agent.seats[topic].quantity for agent in self.prosumers])

    def device_cost(self, topic: str) -> Floats:
        """(n,) what the agents' devices cost in an outcome, before any payment [currency]."""
        return np.array([agent.device_cost(topic) for agent in self.prosumers])

    @property
    def place(self) -> Integers:
        """(n,) which of the places of the wires each agent is at."""
        return self.wires.place_of(self.roster["bus"])


class TiedModel(mesa.Model):
    """The exchange of two scenarios whose feeders are tied. One `step` is one round.

    A commodity is power at a place of either feeder in a slot, and the flow over the tie in a
    slot, which both operators trade and nobody else. The rules are those of the first scenario.

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
        self._rules = exchange_rules(scenarios[0])
        prosumers = [
            make_prosumers(self, scenario, own, self._rules)
            for scenario, own in zip(scenarios, wires)
        ]
        operators = [
            self._operator(scenario, own, proposes)
            for scenario, own, proposes in zip(scenarios, wires, (True, False))
        ]
        first, second = map(Side, scenarios, wires, prosumers, operators)
        self.sides = first, second
        self.cloud = Cloud(
            self,
            TRADING,
            members=tied_members(wires, [first.place, second.place]),
            rules=self._rules,
            opening_price=tied_opening_price(wires),
        )
        traders = [*first.prosumers, *second.prosumers]
        self.post = Post(
            MessageNetwork(self._links(), seed),
            {one.unique_id: one for one in (*traders, *operators, self.cloud)},
        )
        addresses = [operator.unique_id for operator in operators]
        self.negotiation = JointNegotiation(self.cloud, traders, addresses, self.post)
        self.running = True
        self.datacollector = mesa.DataCollector(model_reporters=ROUND_REPORTERS)

    def step(self) -> None:
        """One round; before the first everybody enrols, after the last the exchange is closed."""
        self.post.network.step += 1
        if self.post.network.step == 1:
            self.negotiation.open()
        self.negotiation.round()
        self.datacollector.collect(self)
        if self.cloud.exchange.finished:
            self.negotiation.close()
            self.running = False

    def _operator(self, scenario: Scenario, wires: TiedWires, proposes: bool) -> TiedOperator:
        return TiedOperator(
            self,
            f"operator of {scenario.name}",
            tie_kw=wires.tie_kw,
            proposes=proposes,
            slots=scenario.horizon.slots,
            places=len(wires.places),
            slot_hours=scenario.horizon.slot_hours,
            delivery=wires.delivery,
            rules=self._rules,
        )

    def _links(self) -> Links:
        """Everybody is linked to the cloud, as its own scenario has it."""
        members, properties = [], []
        for side in self.sides:
            everybody = (*side.prosumers, side.counterparty)
            members += [one.unique_id for one in everybody]
            row = {one.name: number for number, one in enumerate(everybody)}
            properties.append(link_properties(side.study.messages, row, len(everybody)))
        return Links(
            np.full(len(members), self.cloud.unique_id),
            np.array(members),
            *(np.concatenate(values) for values in zip(*properties)),
        )
