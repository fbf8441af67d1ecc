"""What two feeders come to without the tie: a market of each."""

from collections.abc import Callable

from nashgrid.market.topics import TRADING
from nashgrid.runs.central import central_optimum
from nashgrid.runs.markets.competitive import COMPETITIVE
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.round_reporters import Negotiating
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.wire_laying import lay_wires


def kept_alone(scenario: Scenario) -> bool:
    """Whether there are schedules of its agents that keep all limits of a feeder by itself."""
    try:
        central_optimum(scenario, lay_wires(scenario), TRADING)
    except ValueError:
        return False
    return True


def market_alone(
    scenario: Scenario,
    seed: int,
    on_round: Callable[[Negotiating], None] | None,
    say: Callable[[str], None] | None,
) -> Outcome | None:
    """The market of a feeder at clearing prices; None where it cannot be kept by itself."""
    if not kept_alone(scenario):
        return None
    return simulate(scenario, COMPETITIVE.name, seed, on_round, say)
