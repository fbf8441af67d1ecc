"""The Mesa model of a run: agents, their network, and one negotiation after the other."""

from dataclasses import replace
from functools import cached_property

import mesa
import numpy as np
import pandas as pd

from nashgrid.agents.bargainer import Bargainer
from nashgrid.agents.bench import Members
from nashgrid.agents.cloud import Cloud
from nashgrid.agents.community_manager import CommunityManager
from nashgrid.agents.counterparty import Counterparty
from nashgrid.agents.forecast_cloud import ForecastCloud
from nashgrid.agents.mediator import Mediator
from nashgrid.agents.money_exchange import MoneyCloud
from nashgrid.agents.prosumer import Prosumer
from nashgrid.agents.standard_buildings import StandardBuildings
from nashgrid.agents.wards import ward_starts
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post
from nashgrid.market.topics import MONEY_EXCHANGES, TRADING, UTILITY_ONLY
from nashgrid.runs.assembly import make_counterparty, make_managers, make_population, make_prosumers
from nashgrid.runs.charges_tried import charges_table
from nashgrid.runs.influence import anticipations
from nashgrid.runs.inputs import tariff
from nashgrid.runs.member_links import link_properties
from nashgrid.runs.money import MEDIATED, Stakes, mediation
from nashgrid.runs.roster import roster
from nashgrid.runs.round_reporters import ROUND_REPORTERS
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.seating import Seating, energy_seating, money_seating, opening_price
from nashgrid.runs.wire_laying import lay_wires
from nashgrid.runs.wires import Wires

MONEY_TOLERANCE = 1e-10
# The residuals are norms over all commodities; the outcome is held to its worst agent and line.
STRICTER = 30.0
# Many buildings without wires leave it more room: nothing but epsilons and welfare depend on them.
MANY, STRICTER_FOR_MANY = 300, 10.0
STRICTER_WITH_FEES = 3.0
# What a certificate allows grows with the tolerance up to 1e-4, and no further.
LARGEST_RESIDUAL_OF_DRAWN = 3e-5


def residual_tolerance(study: Scenario) -> float:
    """What the residuals are held to, so that the outcome keeps the tolerance of the study."""
    drawn, tolerance = study.population, study.negotiation.tolerance
    if drawn is None:
        return tolerance / STRICTER
    many = drawn.count > MANY and not study.agents and not study.feeder
    stricter = STRICTER_FOR_MANY if many else STRICTER
    return min(tolerance / stricter, LARGEST_RESIDUAL_OF_DRAWN)


def exchange_rules(study: Scenario) -> ExchangeRules:
    """The rules of the exchanges of energy."""
    entry = study.negotiation
    return ExchangeRules(
        step=entry.step * float(np.abs(tariff(study).retail_price_per_kwh).mean()),
        tolerance=residual_tolerance(study),
        maximum_rounds=entry.maximum_rounds,
        over_relaxation=entry.over_relaxation,
        memory=entry.memory,
    )


class TradingModel(mesa.Model):
    """Agents that negotiate. One `step` is one round of the negotiation under way.

    Parameters
    ----------
    study : the scenario: the community, its wires, its day
    topics : the negotiations to lead, in this order: "utility-only", "trading", "money"
    seed : of everything random in the run
    """

    def __init__(self, study: Scenario, topics: tuple[str, ...], seed: int) -> None:
        super().__init__(rng=seed)
        self.study = study
        self.rules = exchange_rules(study)
        self.wires = self._lay_wires(topics)
        self.roster = self._list_everybody()
        self.prosumers = make_prosumers(self, study, self.wires, self.rules)
        for topic in topics:
            known = anticipations(study, self.wires.tariff, topic) or ()
            for prosumer, anticipation in zip(self.prosumers, known):
                prosumer.anticipate(topic, anticipation)
        self.population = self._make_population()
        self.managers = make_managers(self, study, self.wires, self.rules)
        self.counterparty = make_counterparty(self, study, self.wires, self.rules)
        self.coordinators = {topic: self._cloud(topic) for topic in topics}
        self.post = self._open_post(seed)
        self._waiting = list(topics)
        self.negotiation: Negotiation | None = None
        self.running = True
        self.datacollector = mesa.DataCollector(model_reporters=ROUND_REPORTERS)

    def step(self) -> None:
        """One round; the first of a negotiation enrols everybody, the last one closes it."""
        self.post.network.step += 1
        if self.negotiation is None:
            self.negotiation = self._next_negotiation()
            if not self.negotiation.open():
                self.end_negotiation()
                return
        self.negotiation.round()
        self.datacollector.collect(self)
        if self.negotiation.coordinator.exchange.finished:
            self.negotiation.close()
            self.end_negotiation()

    def end_negotiation(self) -> None:
        """Leave the negotiation under way, finished or not, and go on to the next."""
        self.negotiation = None
        self.running = bool(self._waiting)

    @property
    def traders(self) -> tuple[Prosumer | StandardBuildings, ...]:
        """Who trades on its own account, in the order of the roster."""
        return (*self.prosumers, self.population) if self.population else (*self.prosumers,)

    @property
    def players(
        self,
    ) -> tuple[Prosumer | StandardBuildings | CommunityManager | Counterparty, ...]:
        """The traders, the managers of communities and their counterparty, by address."""
        return (*self.traders, *self.managers, self.counterparty)

    def trade_kw(self, topic: str) -> Floats:
        """(n, T) what every trader buys in an outcome [kW]."""
        slots = self.study.horizon.slots
        return np.concatenate([one.seats[topic].quantity[:, :slots] for one in self.traders])

    def cost(self, topic: str) -> Floats:
        """(n,) own cost of every trader in an outcome, before payments in a market [currency].

        With the utility alone: C0, its device cost and retail bill.
        """
        return np.concatenate([np.atleast_1d(one.cost(topic)) for one in self.traders])

    @property
    def place(self) -> Integers:
        """(n,) which of the places of the wires each trader is at."""
        return self.wires.place_of(self.roster["bus"])

    @property
    def loss_cost_before(self) -> float:
        """C0 of the operator: the losses in the disagreement outcome [currency]."""
        return self.wires.loss_cost(UTILITY_ONLY, self.counterparty.demand_kw[UTILITY_ONLY])

    @property
    def charges_tried(self) -> pd.DataFrame:
        """What a leader tried: nobody leads here."""
        return charges_table([], None)

    def _lay_wires(self, topics: tuple[str, ...]) -> Wires:
        return lay_wires(self.study)

    def _list_everybody(self) -> pd.DataFrame:
        return roster(self.study, self.wires.population)

    def _make_population(self) -> StandardBuildings | None:
        return make_population(self, self.wires, self.rules)

    def _open_post(self, seed: int) -> Post:
        everybody = (*self.players, *self.coordinators.values())
        return Post(
            MessageNetwork(self._links(), seed),
            {int(address): one for one in everybody for address in one.addresses},
        )

    def _next_negotiation(self) -> Negotiation:
        topic = self._waiting.pop(0)
        if topic in MONEY_EXCHANGES:
            return Negotiation(self.coordinators[topic], self._bargainers(topic), None, self.post)
        managers = [one.unique_id for one in self.managers] if topic == TRADING else []
        return Negotiation(
            self.coordinators[topic], self.traders, self.counterparty.unique_id, self.post, managers
        )

    @cached_property
    def _stakes(self) -> Stakes:
        """What everybody brings to the exchanges of money, once energy is traded."""
        # Managers come out even: the fees that they pay are the community's cost.
        even = np.zeros(len(self.managers))
        passed_on = [one.cost(TRADING) for one in self.managers]
        before = np.concatenate([self.cost(UTILITY_ONLY), even, [self.loss_cost_before]])
        delivery = [*passed_on, self.counterparty.cost(TRADING)]
        saving = before - np.concatenate([self.cost(TRADING), delivery])
        stated = self.roster["weight"].to_numpy(dtype=float)
        weight = np.concatenate([stated, even, [self.study.bargaining.operator_weight]])
        return Stakes(
            saving=saving,
            weight=weight,
            alone_kw=self.trade_kw(UTILITY_ONLY),
            agreed_kw=self.trade_kw(TRADING),
            price_per_kwh=self.counterparty.price(TRADING).T[self.place],
            tariff=self.wires.tariff,
            slot_hours=self.study.horizon.slot_hours,
        )

    def _bargainers(self, topic: str) -> list[Bargainer]:
        stakes, rules = self._stakes, self.coordinators[topic].rules
        weight = stakes.weights(topic)
        bargainers, start = [], 0
        for one in self.players:
            rows = slice(start, start + len(one.addresses))
            told = stakes.statement(topic, rows)
            bargainers.append(Bargainer(one, stakes.saving[rows], weight[rows], rules, topic, told))
            start = rows.stop
        return bargainers

    def _cloud(self, topic: str) -> Cloud:
        if topic in MONEY_EXCHANGES:
            members = self._members(money_seating(len(self.roster), len(self.managers)))
            rules = replace(self.rules, tolerance=MONEY_TOLERANCE)
            if topic not in MEDIATED:
                return MoneyCloud(
                    self, topic, members=members, rules=rules, opening_price=np.zeros(1)
                )
            return Mediator(
                self,
                topic,
                members=members,
                rules=rules,
                opening_price=np.zeros(1),
                weigh=mediation(
                    topic, self.roster["kind"], self.wires.tariff, self.study.horizon.slot_hours
                ),
            )
        members = self._members(self._energy_seating(topic))
        if topic == TRADING and self.study.population is not None:
            return ForecastCloud(
                self,
                topic,
                members=members,
                rules=self.rules,
                tariff=self.wires.tariff,
                places=len(self.wires.places),
            )
        opening = self._opening_price(topic)
        rules = self.rules
        if topic == UTILITY_ONLY and self.wires.levels is not None:
            # Fees on both sides of the tariff give agents more kinks to rest on.
            rules = replace(rules, tolerance=rules.tolerance / STRICTER_WITH_FEES)
        return Cloud(self, topic, members=members, rules=rules, opening_price=opening)

    def _energy_seating(self, topic: str) -> Seating:
        places, slots = len(self.wires.places), self.study.horizon.slots
        if topic != TRADING:
            return energy_seating(self.place, places, slots)
        return energy_seating(self.place, places, slots, self.wires.levels, self.wires.rentals)

    def _members(self, seating: Seating) -> list[Members]:
        """Everybody, in the order of addresses."""
        rows, row = seating.rows, seating.row
        alone = len(self.prosumers)
        addresses = np.concatenate([one.addresses for one in self.traders])
        groups = seating.traders(addresses[:alone])
        if self.population is not None:
            wards = ward_starts(len(self.population))
            drawn = slice(alone, None)
            groups.append(Members(addresses[drawn], rows, row[drawn], wards=wards))
        return [*groups, *self._who_face_many(seating)]

    def _who_face_many(self, seating: Seating) -> list[Members]:
        managers = [one.addresses for one in self.managers]
        return seating.who_face_many(managers, self.counterparty.addresses)

    def _opening_price(self, topic: str) -> Floats:
        """The retail price; nothing where everybody pays the utility for itself."""
        retail = self.wires.tariff.retail_price_per_kwh
        opening = np.zeros_like(retail) if topic == UTILITY_ONLY else retail
        places = len(self.wires.places)
        if topic != TRADING:
            return opening_price(opening, places)
        return opening_price(opening, places, self.wires.levels, self.wires.rentals)

    def _links(self) -> Links:
        """Everybody is linked to the coordinator of every exchange."""
        members = np.concatenate([one.addresses for one in self.players])
        row = {one.name: number for number, one in enumerate(self.prosumers)}
        row[self.counterparty.name] = len(members) - 1
        own = link_properties(self.study.messages, row, len(members))
        coordinators = [one.unique_id for one in self.coordinators.values()]
        return Links(
            np.repeat(np.array(coordinators, dtype=np.int64), len(members)),
            np.tile(members, len(coordinators)),
            *(np.tile(values, len(self.coordinators)) for values in own),
        )
