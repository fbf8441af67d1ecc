"""Who takes part: one row for every trader, in the order of addresses."""

import pandas as pd

from nashgrid.runs.population_draw import DrawnPopulation
from nashgrid.runs.population_outline import Outline
from nashgrid.runs.scenario import AgentEntry, BuildingEntry, CommunityBatteryEntry, Scenario
from nashgrid.runs.stacking import stack


def kind_of(entry: AgentEntry) -> str:
    """Kind of an agent, for grouping."""
    if isinstance(entry, BuildingEntry):
        return entry.kind
    return "community battery" if isinstance(entry, CommunityBatteryEntry) else "generator"


COLUMNS = ["agent", "kind", "community", "bus", "weight"]


def roster(scenario: Scenario, drawn: DrawnPopulation | Outline | None) -> pd.DataFrame:
    """agent, kind, community, bus (0 without a feeder), weight in bargaining."""
    stated = pd.DataFrame(
        [
            {
                "agent": entry.name,
                "kind": kind_of(entry),
                "community": entry.community,
                "bus": entry.bus or 0,
                "weight": entry.bargaining_weight,
            }
            for entry in scenario.agents
        ],
        columns=COLUMNS,
    )
    if drawn is None:
        return stated
    # Names as codes: the tables of all agents and slots repeat them.
    names = drawn.roster["agent"]
    coded = drawn.roster[COLUMNS].assign(agent=pd.Categorical(names, categories=names))
    return stack([stated, coded]) if len(stated) else coded
