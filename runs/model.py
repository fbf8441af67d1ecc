"""The Mesa model of a run: agents, their network, and one negotiation after the other."""

from collections.abc import Callable
from dataclasses import replace

import mesa
import networkx as nx
import numpy as np

from nashgrid.agents.bargainer import MONEY, Bargainer
from nashgrid.agents.coordinator import Coordinator
from nashgrid.agents.counterparty import Counterparty
from nashgrid.agents.money_exchange import MoneyCoordinator
from nashgrid.agents.prosumer import TRADING, UTILITY_ONLY, Prosumer
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post
from nashgrid.runs.assembly import lay_wires, make_counterparty, make_prosumers
from nashgrid.runs.scenario import Scenario

MONEY_TOLERANCE = 1e-10
# The residuals are norms over all commodities; the outcome is held to its worst agent and line.
STRICTER = 30.0


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
        self.wires = lay_wires(study)
        entry = study.negotiation
        self.rules = ExchangeRules(
            step=entry.step * float(np.abs(self.wires.tariff.retail_price_per_kwh).mean()),
            tolerance=entry.tolerance / STRICTER,
            maximum_rounds=entry.maximum_rounds,
            over_relaxation=entry.over_relaxation,
            memory=entry.memory,
        )
        self.prosumers = make_prosumers(self, study, self.wires, self.rules)
        self.counterparty = make_counterparty(self, study, self.wires, self.rules)
        self.coordinators = {topic: self._coordinator(topic) for topic in topics}
        self.post = Post(
            MessageNetwork(self._links(), seed), {one.unique_id: one for one in self.agents}
        )
        self._waiting = list(topics)
        self.negotiation: Negotiation | None = None
        self.running = True
        self.datacollector = mesa.DataCollector(model_reporters=_ROUND_REPORTERS)

    def step(self) -> None:
        """One round; the first of a negotiation enrols everybody, the last one closes it."""
        self.post.network.step += 1
        if self.negotiation is None:
            self.negotiation = self._next_negotiation()
            if not self.negotiation.open():
                self.negotiation = None
                self.running = bool(self._waiting)
                return
        self.negotiation.round()
        self.datacollector.collect(self)
        if self.negotiation.coordinator.exchange.finished:
            self.negotiation.close()
            self.negotiation = None
            self.running = bool(self._waiting)

    def cost_before(self, agent: Prosumer | Counterparty) -> float:
        """C0: what an agent bears in the disagreement outcome [currency].

        A prosumer its device cost and retail bill, the operator the losses.
        """
        if isinstance(agent, Prosumer):
            return agent.cost(UTILITY_ONLY)
        return self.wires.loss_cost(agent.demand_kw[UTILITY_ONLY])

    def _next_negotiation(self) -> Negotiation:
        topic = self._waiting.pop(0)
        if topic == MONEY:
            return Negotiation(self.coordinators[topic], self._bargainers(), None, self.post)
        return Negotiation(
            self.coordinators[topic], self.prosumers, self.counterparty.unique_id, self.post
        )

    def _bargainers(self) -> list[Bargainer]:
        weights = {entry.name: entry.bargaining_weight for entry in self.study.agents}
        weights[self.counterparty.name] = self.study.bargaining.operator_weight
        return [
            Bargainer(
                agent,
                saving=self.cost_before(agent) - agent.cost(TRADING),
                weight=weights[agent.name],
                rules=self.coordinators[MONEY].rules,
            )
            for agent in (*self.prosumers, self.counterparty)
        ]

    def _coordinator(self, topic: str) -> Coordinator:
        if topic == MONEY:
            everybody = (*self.prosumers, self.counterparty)
            return MoneyCoordinator(
                self,
                topic,
                members={agent.unique_id: np.zeros(1, dtype=np.int64) for agent in everybody},
                rules=replace(self.rules, tolerance=MONEY_TOLERANCE),
                opening_price=np.zeros(1),
            )
        slots = self.study.horizon.slots
        index = {place: number for number, place in enumerate(self.wires.places)}
        members = {
            agent.unique_id: index[agent.connection.place] * slots + np.arange(slots)
            for agent in self.prosumers
        }
        members[self.counterparty.unique_id] = np.arange(slots * len(index))
        return Coordinator(
            self,
            topic,
            members=members,
            rules=self.rules,
            opening_price=self._opening_price(topic),
        )

    def _opening_price(self, topic: str) -> Floats:
        """The retail price; nothing where everybody pays the utility for itself."""
        retail = self.wires.tariff.retail_price_per_kwh
        opening = np.zeros_like(retail) if topic == UTILITY_ONLY else retail
        return np.tile(opening, len(self.wires.places))

    def _links(self) -> nx.Graph:
        """Everybody is linked to the coordinator of every exchange."""
        entry = self.study.messages
        usual = {"latency_s": entry.latency_s, "jitter_s": entry.jitter_s, "loss": entry.loss}
        own = {
            link.agent: link.model_dump(exclude={"agent"}, exclude_none=True)
            for link in entry.links
        }
        links = nx.Graph()
        for agent in (*self.prosumers, self.counterparty):
            properties = usual | own.get(agent.name, {})
            for coordinator in self.coordinators.values():
                links.add_edge(coordinator.unique_id, agent.unique_id, **properties)
        return links


def _of_last_round(attribute: str) -> Callable[[TradingModel], object]:
    def report(model: TradingModel) -> object:
        if model.negotiation is None:
            raise ValueError("no negotiation is under way")
        return getattr(model.negotiation.coordinator.exchange.records[-1], attribute)

    return report


def _of_prices(statistic: Callable[[Floats], float]) -> Callable[[TradingModel], float]:
    def report(model: TradingModel) -> float:
        if model.negotiation is None:
            raise ValueError("no negotiation is under way")
        return float(statistic(model.negotiation.coordinator.exchange.clearing_price))

    return report


_ROUND_REPORTERS: dict[str, Callable[[TradingModel], object]] = {
    "topic": lambda model: model.negotiation.coordinator.topic if model.negotiation else "",
    "round": _of_last_round("round"),
    "primal_residual": _of_last_round("primal_residual"),
    "dual_residual": _of_last_round("dual_residual"),
    "restarted": _of_last_round("restarted"),
    "lowest_price": _of_prices(np.min),
    "highest_price": _of_prices(np.max),
    "clock_s": lambda model: model.post.network.clock_s,
    "messages": lambda model: model.post.network.totals()["messages"],
}
