"""Where a shard of a population lives: all that a worker does for a run."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.agents.population.population import Population
from nashgrid.agents.population.schedules import Schedules
from nashgrid.agents.population_shard import PopulationShard, Statement
from nashgrid.agents.standard_buildings import StandardBuildings
from nashgrid.agents.wards import wards_within
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.topics import MONEY, UTILITY_ONLY
from nashgrid.runs.group_sums import GROUP
from nashgrid.runs.inputs import tariff
from nashgrid.runs.population_draw import STORAGE_KINDS, DrawnPopulation, draw
from nashgrid.runs.population_outline import Outline, outline_of
from nashgrid.runs.population_proof import PopulationPosition, prove_population
from nashgrid.runs.population_tables import PV, SHIFTABLE
from nashgrid.runs.scenario import Scenario


@dataclass(frozen=True)
class ShardTask:
    """All that a worker needs to make its shard: the buildings are drawn where they live.

    Parameters
    ----------
    scenario, seed : of the run
    rules : of the exchanges of energy
    rows : first row of the population that is the shard's, and the first that is not
    first_address : of the whole population
    coordinators : topic -> address
    threads : that share the arithmetic; all processors if None
    """

    scenario: Scenario
    seed: int
    rules: ExchangeRules
    rows: tuple[int, int]
    first_address: int
    coordinators: dict[str, int]
    threads: int | None = None


class ShardOffice:
    """A shard and the numbers it was made from.

    What it holds is a function of its task and of what it has been told since, message by message.

    Raises
    ------
    ValueError
        If the scenario has no population, or a building has no feasible schedule; names it.
    """

    def __init__(self, task: ShardTask) -> None:
        scenario = task.scenario
        if scenario.population is None:
            raise ValueError("a shard needs a scenario with a population")
        self.drawn = draw(scenario.population, scenario, slice(*task.rows))
        addresses = task.first_address + np.arange(*task.rows)
        self.buildings = StandardBuildings(
            addresses,
            self.drawn.roster["agent"],
            kernel=Population(self.drawn.buildings, task.threads),
            tariff=tariff(scenario),
            rules=task.rules,
        )
        self._place = np.searchsorted(self.drawn.places, self.drawn.roster["bus"])
        self.shard = PopulationShard(
            self.buildings,
            self.drawn.roster["weight"].to_numpy(dtype=float),
            self._place,
            wards_within(scenario.population.count, *task.rows),
            MessageNetwork(_links(scenario, addresses, [*task.coordinators.values()]), task.seed),
            task.coordinators,
        )

    def outline(self) -> Outline:
        """Who is here, where, and how large."""
        return outline_of(self.drawn)

    def enrol(self, topic: str, now_s: float) -> Statement:
        """See `PopulationShard`."""
        return self.shard.enrol(topic, now_s)

    def hear(self, kind: str, topic: str, fields: dict[str, Floats], now_s: float) -> Statement:
        """See `PopulationShard`."""
        return self.shard.hear(kind, topic, fields, now_s)

    def bargain(self, rules: ExchangeRules) -> None:
        """See `PopulationShard`."""
        self.shard.bargain(rules)

    def trade_kw(self, case: str) -> Floats:
        """(n, T) what every building buys in an outcome [kW]."""
        return self.buildings.seats[case].quantity

    def cost(self, case: str) -> Floats:
        """(n,) own cost before payments in a market [currency]; alone, the bill included."""
        return self.buildings.cost(case)

    def device_cost(self, case: str) -> Floats:
        """(n,) what the devices cost [currency]."""
        return self.buildings.device_cost(case)

    def money(self) -> Floats:
        """(n,) what every building gets by the exchange of money [currency]."""
        return self.buildings.seats[MONEY].quantity[:, 0]

    def prove(self, case: str, price: Floats) -> PopulationPosition:
        """Epsilon and violation of every building at prices (T, places of the shard)."""
        terms = self.buildings.tariff if case == UTILITY_ONLY else None
        own = price[:, 0] if price.shape[1] == 1 else price.T[self._place]
        return prove_population(self.buildings.kernel.anew(), self._schedules(case), own, terms)

    def schedule_sums(self, case: str) -> pd.DataFrame:
        """Schedules summed over the buildings of a kind at a bus: `population_tables`' columns."""
        return sums_by_group(self.drawn, self._schedules(case))

    def both_ways_kw(self, case: str) -> float:
        """Largest power that a storage charges and discharges at once [kW]."""
        schedules = self._schedules(case)
        both = np.minimum(schedules.charge_kw, schedules.discharge_kw)
        return float(both.max(initial=0.0))

    def _schedules(self, case: str) -> Schedules:
        return self.buildings.answers[case].schedules


def sums_by_group(drawn: DrawnPopulation, schedules: Schedules) -> pd.DataFrame:
    """kind, community, bus, device, slot, and the sums of what the devices of a group do."""
    buildings = drawn.buildings
    groups = drawn.roster[GROUP].groupby(GROUP, sort=False, observed=True)
    group = groups.ngroup().to_numpy()
    first = drawn.roster[GROUP].iloc[groups.head(1).index]
    own, storage = buildings.storages.owner, schedules.charge_kw - schedules.discharge_kw
    curtailed = schedules.curtailment_kw
    producers = np.flatnonzero(buildings.available_kw.any(axis=1))
    parts = [
        (
            PV,
            producers,
            {
                "consumption_kw": (curtailed - buildings.available_kw)[producers],
                "curtailed_kw": curtailed[producers],
            },
        ),
        *(
            (
                name,
                own[drawn.storage_kind == number],
                {
                    quantity: values[drawn.storage_kind == number]
                    for quantity, values in (
                        ("consumption_kw", storage),
                        ("charge_kw", schedules.charge_kw),
                        ("discharge_kw", schedules.discharge_kw),
                        ("energy_kwh", schedules.energy_kwh),
                    )
                },
            )
            for number, name in enumerate(STORAGE_KINDS)
        ),
        (
            SHIFTABLE,
            buildings.loads.owner,
            dict.fromkeys(("consumption_kw", "shiftable_kw"), schedules.shiftable_kw),
        ),
    ]
    slots, frames = buildings.slots, []
    for device, owner, quantities in parts:
        there = np.unique(group[owner])
        table = first.iloc[np.repeat(there, slots)].reset_index(drop=True)
        table["device"], table["slot"] = device, np.tile(np.arange(slots), len(there))
        for name, values in quantities.items():
            sums = np.zeros((len(first), slots))
            np.add.at(sums, group[owner], values)
            table[name] = sums[there].ravel()
        frames.append(table)
    return pd.concat(frames, ignore_index=True)


def _links(scenario: Scenario, addresses: Integers, coordinators: list[int]) -> Links:
    """Between every building and every coordinator, as the scenario has it for the population."""
    usual, count = scenario.messages, len(addresses) * len(coordinators)
    return Links(
        np.repeat(np.array(coordinators, dtype=np.int64), len(addresses)),
        np.tile(addresses, len(coordinators)),
        np.full(count, usual.latency_s),
        np.full(count, usual.jitter_s),
        np.full(count, usual.loss),
    )
