"""A Stackelberg game by name: the market with a leader that has to earn something, or all it can.

The game itself is market `stackelberg`: see `nashgrid.runs.leaders_charge` for what the leader
charges, `nashgrid.market.games.charge_search` for how it searches, and `nashgrid.runs.led_model`
for how agents answer.
"""

from collections.abc import Callable

from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import LeaderEntry, Scenario
from nashgrid.runs.simulate import simulate


def stackelberg(
    scenario: Scenario,
    required: float | None = None,
    seed: int = 1,
    on_round: Callable[[TradingModel], None] | None = None,
) -> Outcome:
    """Let a leader try charges that the agents answer, and settle on one.

    Parameters
    ----------
    scenario : with agents that it names
    required : what the leader has to earn, with the least charge [currency]; by default what the
        scenario says, and where it says nothing as much as can be
    seed, on_round : as of `simulate`

    Returns
    -------
    Outcome
        Of market `stackelberg`; `charges_tried` has a row for each charge.

    Raises
    ------
    ValueError
        If `required` is not above 0 and finite, no charge tried earns it, or as `simulate`.
    """
    if required is not None:
        if not 0 < required < float("inf"):
            raise ValueError(f"required = {required:g} {scenario.currency} must be above 0, finite")
        scenario = scenario.model_copy(update={"leader": LeaderEntry(required=required)})
    return simulate(scenario, "stackelberg", seed, on_round)
