"""From a scenario to its agents."""

import mesa
import numpy as np

from nashgrid.agents.community_manager import CommunityManager
from nashgrid.agents.counterparty import Counterparty, SystemOperator, Utility
from nashgrid.agents.prosumer import (
    Building,
    CommunityBattery,
    Connection,
    DistributedGenerator,
    Prosumer,
)
from nashgrid.agents.standard_buildings import StandardBuildings, one_agent_each
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.topics import TRADING
from nashgrid.runs import inputs
from nashgrid.runs.scenario import (
    AgentEntry,
    BuildingEntry,
    CommunityBatteryEntry,
    GeneratorEntry,
    Scenario,
    manager_name,
)
from nashgrid.runs.wires import Wires

SMALLEST_SIZE = 1e-3
"""An agent's size is at least this share of its connection: one without power still takes part."""


def make_prosumers(
    model: mesa.Model, scenario: Scenario, wires: Wires, rules: ExchangeRules
) -> list[Prosumer]:
    """One agent for every entry, in the order of the scenario."""
    return [_prosumer(model, row, scenario, wires, rules) for row in range(len(scenario.agents))]


def make_population(
    model: mesa.Model, wires: Wires, rules: ExchangeRules
) -> StandardBuildings | None:
    """The buildings drawn at random, one agent each; None where there are none."""
    drawn = wires.population
    if drawn is None:
        return None
    agents = one_agent_each(model, drawn.buildings.count)
    return StandardBuildings(
        np.array([agent.unique_id for agent in agents]),
        drawn.roster["agent"],
        kernel=drawn.kernel,
        tariff=wires.tariff,
        rules=rules,
    )


def make_counterparty(
    model: mesa.Model, scenario: Scenario, wires: Wires, rules: ExchangeRules
) -> Counterparty:
    """The system operator, or the utility itself where there is no feeder."""
    kind = Utility if wires.feeder is None else SystemOperator
    return kind(
        model,
        wires.counterparty,
        slots=scenario.horizon.slots,
        places=len(wires.places),
        slot_hours=scenario.horizon.slot_hours,
        delivery=wires.delivery,
        rules=rules,
    )


def make_managers(
    model: mesa.Model, scenario: Scenario, wires: Wires, rules: ExchangeRules
) -> list[CommunityManager]:
    """One manager for every community with buildings, where the scenario asks for managers."""
    levels = wires.levels
    if levels is None:
        return []
    return [
        CommunityManager(
            model,
            manager_name(name),
            places=[int(place) for place in levels.places_of(number)],
            slots=scenario.horizon.slots,
            slot_hours=scenario.horizon.slot_hours,
            fees=levels.fees,
            rules=rules,
        )
        for number, name in enumerate(levels.communities)
    ]


def connection(entry: AgentEntry, scenario: Scenario) -> Connection:
    """Where an agent is connected, how strongly, and how loud its voice is."""
    size = inputs.size_kw(entry, scenario)
    limit = entry.connection_kw if isinstance(entry, BuildingEntry) else size
    return Connection(
        place=entry.bus or 0, limit_kw=limit, size_kw=max(size, SMALLEST_SIZE * limit)
    )


_KINDS: dict[type[AgentEntry], type[Prosumer]] = {
    BuildingEntry: Building,
    CommunityBatteryEntry: CommunityBattery,
    GeneratorEntry: DistributedGenerator,
}


def _prosumer(
    model: mesa.Model, row: int, scenario: Scenario, wires: Wires, rules: ExchangeRules
) -> Prosumer:
    entry = scenario.agents[row]
    return _KINDS[type(entry)](
        model,
        entry.name,
        devices=inputs.devices(entry, scenario),
        connection=connection(entry, scenario),
        horizon=inputs.horizon(scenario),
        tariff=wires.paid_alone(entry),
        rules=rules,
        fees=wires.paid_beside(TRADING, entry),
        share=wires.share(row),
    )
