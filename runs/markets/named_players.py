"""Games among those whom a scenario names: a population takes prices as given."""

from nashgrid.agents.local_problem import Tariff
from nashgrid.runs.influence import anticipations
from nashgrid.runs.markets.market import Presumes
from nashgrid.runs.scenario import Scenario


def named_players(topic: str) -> Presumes:
    """Refuse, with ValueError, a population where an exchange is a game."""

    def presumes(scenario: Scenario, tariff: Tariff) -> None:
        anticipations(scenario, tariff, topic)

    return presumes
