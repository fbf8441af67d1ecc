"""The feeder that a scenario names: built in, or of the user's own."""

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.feeder_files import built_in_feeders, read_feeder
from nashgrid.runs.scenario import Scenario


def has_own_feeder(scenario: Scenario) -> bool:
    """Whether the feeder is a folder or file beside the scenario."""
    return scenario.feeder is not None and scenario.feeder.name not in built_in_feeders()


def stored_feeder(scenario: Scenario) -> Feeder | None:
    """The feeder as it is stored, without the scenario's limits."""
    if scenario.feeder is None:
        return None
    name = scenario.feeder.name
    return read_feeder(scenario.folder / name if has_own_feeder(scenario) else name)
