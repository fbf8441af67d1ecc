"""The Mesa model of a run whose population is held by workers, shard by shard."""

from dataclasses import replace

import numpy as np
import pandas as pd

from nashgrid.agents.bargainer import Bargainer
from nashgrid.agents.bench import Members
from nashgrid.agents.shard_member import ShardMember
from nashgrid.agents.standard_buildings import StandardBuildings
from nashgrid.agents.wards import wards_within
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats
from nashgrid.market.negotiation import Negotiation, Participant
from nashgrid.market.post import Post
from nashgrid.market.topics import MONEY, MONEY_EXCHANGES, TRADING, UTILITY_ONLY
from nashgrid.runs.central import connection_limits
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_outline import Outline, join_outlines
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.seating import Seating
from nashgrid.runs.shard_office import ShardTask
from nashgrid.runs.shard_workers import Crew, ask_all, shares
from nashgrid.runs.wire_laying import lay_wires
from nashgrid.runs.wires import Wires


class ShardedModel(TradingModel):
    """Agents that negotiate; those of the population with one voice for each shard.

    There is a Mesa agent for each shard, not for each building. Buildings have the addresses, and
    their messages the fates, that they would have in one process.

    Parameters
    ----------
    study, topics, seed : see `TradingModel`
    crew : starts the workers

    Raises
    ------
    ValueError
        As `TradingModel`, and if the scenario has no population, or an exchange needs to know more
        of the buildings than sums.
    """

    def __init__(self, study: Scenario, topics: tuple[str, ...], seed: int, crew: Crew) -> None:
        for topic in topics:
            if topic in MONEY_EXCHANGES and topic != MONEY:
                raise ValueError(
                    f"the exchange {topic!r} is not held with workers: its rule needs more of the "
                    "buildings than sums. Run it in one process"
                )
        if study.population is None:
            raise ValueError(f"{study.name}: workers share a population, but there is none")
        self._crew, self._run_seed, self._count = crew, seed, study.population.count
        self.shards: list[ShardMember] = []
        super().__init__(study, topics, seed)

    @property
    def traders(self) -> tuple[object, ...]:  # type: ignore[override]
        """Prosumers and shards, in the order of addresses."""
        return (*self.prosumers, *self.shards)

    def gather(self, task: str, *arguments: object) -> list[Floats]:
        """What every worker has to say, in the order of the population."""
        return ask_all(self._workers, lambda worker: worker.ask(task, *arguments))

    def trade_kw(self, topic: str) -> Floats:
        """(n, T) what every trader buys in an outcome [kW]; fetched from the workers."""
        stated = [one.seats[topic].quantity for one in self.prosumers]
        return np.concatenate([*stated, *self.gather("trade_kw", topic)])

    def cost(self, topic: str) -> Floats:
        """(n,) own cost of every trader in an outcome [currency]; fetched from the workers."""
        stated = [np.atleast_1d(one.cost(topic)) for one in self.prosumers]
        return np.concatenate([*stated, *self.gather("cost", topic)])

    def device_cost(self, topic: str) -> Floats:
        """(n,) what the devices of every trader cost in an outcome [currency]."""
        stated = [np.atleast_1d(one.device_cost(topic)) for one in self.prosumers]
        return np.concatenate([*stated, *self.gather("device_cost", topic)])

    @property
    def connection_kw(self) -> Floats:
        """(B,) sum of the connection limits of everybody at each place [kW]."""
        limits = connection_limits(self.study, self.wires)
        limits[self.wires.place_of(self.outline.places)] += self.outline.connection_kw
        return limits

    def bargained(self) -> Floats:
        """(n,) what every trader agreed to pay [currency]."""
        stated = [one.seats[MONEY].quantity[:, 0] for one in self.prosumers]
        return -np.concatenate([*stated, *self.gather("money")])

    def _lay_wires(self, topics: tuple[str, ...]) -> Wires:
        first = 1 + len(self.study.agents)
        # The counterparty follows the population, and the coordinators it.
        coordinators = {topic: first + self._count + 1 + n for n, topic in enumerate(topics)}
        self._rows = shares(self._count, self._crew.workers)
        tasks = [
            ShardTask(self.study, self._run_seed, self.rules, rows, first, coordinators)
            for rows in self._rows
        ]
        self._workers = [self._crew.start(task) for task in tasks]
        self.outlines: list[Outline] = self.gather("outline")  # type: ignore[assignment]
        self.outline = join_outlines(self.outlines)
        return lay_wires(self.study, self.outline)

    def _list_everybody(self) -> pd.DataFrame:
        return roster(self.study, self.outline)

    def _make_population(self) -> StandardBuildings | None:
        self.shards = [
            ShardMember(self, f"shard {number + 1}", worker, stop - start, wards)
            for number, (worker, (start, stop)) in enumerate(zip(self._workers, self._rows))
            for wards in [wards_within(self._count, start, stop)]
        ]
        return None

    def _open_post(self, seed: int) -> Post:
        everybody = (*self.players, *self.coordinators.values())
        network = MessageNetwork(self._links(), seed, self._relays)
        for shard in self.shards:
            shard.network = network
        correspondents = {int(address): one for one in everybody for address in one.addresses}
        return Post(network, correspondents, self.shards)

    @property
    def _relays(self) -> list[int]:
        return [int(address) for shard in self.shards for address in shard.addresses]

    def _next_negotiation(self) -> Negotiation:
        if self._waiting[0] != MONEY:
            return super()._next_negotiation()
        topic = self._waiting.pop(0)
        rules = self.coordinators[topic].rules
        bargainers: list[Participant] = []
        for one, entry in zip(self.prosumers, self.study.agents):
            saving = np.array([one.cost(UTILITY_ONLY) - one.cost(TRADING)])
            bargainers.append(Bargainer(one, saving, np.array([entry.bargaining_weight]), rules))
        for shard in self.shards:
            shard.bargain(rules)
            bargainers.append(shard)
        operator = self.counterparty
        saving = np.array([self.loss_cost_before - operator.cost(TRADING)])
        weight = np.array([float(self.study.bargaining.operator_weight)])
        bargainers.append(Bargainer(operator, saving, weight, rules))
        return Negotiation(self.coordinators[topic], bargainers, None, self.post)

    def _members(self, seating: Seating) -> list[Members]:
        """Everybody; a shard trades the commodities of all of its places."""
        rows = seating.rows
        stated = np.array([agent.unique_id for agent in self.prosumers], dtype=np.int64)
        groups = [Members(stated, rows, seating.row[: len(stated)])] if len(stated) else []
        for shard, outline in zip(self.shards, self.outlines):
            lists = rows[[0] if len(rows) == 1 else self.wires.place_of(outline.places)]
            wards = np.arange(len(shard.addresses))
            groups.append(
                Members(
                    shard.addresses,
                    lists.reshape(1, -1),
                    np.zeros_like(wards),
                    speak_for=len(shard),
                    wards=wards,
                )
            )
        return [*groups, *self._who_face_many(seating)]

    def _links(self) -> Links:
        """Everybody's; those of shards are within the run, the buildings' are in the shards."""
        links = super()._links()
        relays = np.isin(links.other, self._relays)
        own = {
            n: np.where(relays, 0.0, getattr(links, n)) for n in ("latency_s", "jitter_s", "loss")
        }
        return replace(links, **own)
