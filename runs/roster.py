"""Who takes part: one row for every trader, in the order of addresses."""

import pandas as pd

from nashgrid.runs.scenario import AgentEntry, BuildingEntry, CommunityBatteryEntry, Scenario


def kind_of(entry: AgentEntry) -> str:
    """Kind of an agent, for grouping."""
    if isinstance(entry, BuildingEntry):
        return entry.kind
    return "community battery" if isinstance(entry, CommunityBatteryEntry) else "generator"


def roster(scenario: Scenario) -> pd.DataFrame:
    """agent, kind, community, bus (0 without a feeder), weight in bargaining."""
    return pd.DataFrame(
        [
            {
                "agent": entry.name,
                "kind": kind_of(entry),
                "community": entry.community,
                "bus": entry.bus or 0,
                "weight": entry.bargaining_weight,
            }
            for entry in scenario.agents
        ]
    )
