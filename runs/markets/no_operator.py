"""Rules among those who trade alone: the operator of the wires is no player."""

from nashgrid.agents.local_problem import Tariff
from nashgrid.runs.scenario import Scenario


def operator_is_no_player(scenario: Scenario, tariff: Tariff) -> None:
    """Refuse an operator with a bargaining weight: it trades nothing to be measured by.

    Raises
    ------
    ValueError
        If it has one.
    """
    weight = scenario.bargaining.operator_weight
    if scenario.feeder is not None and weight > 0:
        raise ValueError(
            f"bargaining: operator_weight = {weight:g} must be 0 in this market, which shares the "
            "savings among those who trade"
        )
