"""Generators that know what their output does to the price, beside those that take it as given."""

from collections.abc import Collection

import pandas as pd

from nashgrid.runs.generator_profits import generator_profits
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate


def strategic_generators(scenario: Scenario, seed: int = 1) -> pd.DataFrame:
    """Profit of every generator that takes prices as given, and that anticipates its influence.

    Market `cournot` twice, all other agents taking prices as given: first the generators do, too,
    then they know what their output does to the price. Columns agent, energy_kwh and profit of
    either, `_taking` and `_anticipating`, and what anticipation gains.

    Raises
    ------
    ValueError
        If the scenario has no generators, or as `simulate`.
    """
    if not scenario.generators:
        raise ValueError(f"{scenario.name}: there are no generators")
    names = [entry.name for entry in scenario.generators]
    found = []
    for strategists in ([], names):
        outcome = simulate(with_strategists(scenario, strategists), "cournot", seed)
        found.append(generator_profits(outcome.scenario, outcome.accounts, outcome.schedules))
    taking, anticipating = found
    return pd.DataFrame(
        {
            "agent": taking["agent"],
            "energy_kwh_taking": taking["energy_kwh_market"],
            "energy_kwh_anticipating": anticipating["energy_kwh_market"],
            "profit_taking": taking["profit_market"],
            "profit_anticipating": anticipating["profit_market"],
            "gain": anticipating["profit_market"] - taking["profit_market"],
        }
    )


def with_strategists(scenario: Scenario, names: Collection[str]) -> Scenario:
    """The same scenario, in which these agents and no others anticipate their influence on prices.

    Raises
    ------
    ValueError
        If there is no such agent.
    """
    unknown = set(names) - {agent.name for agent in scenario.agents}
    if unknown:
        raise ValueError(f"{scenario.name}: there is no agent {min(unknown)!r}")
    groups = ("buildings", "community_batteries", "generators")
    return scenario.model_copy(
        update={
            group: tuple(
                agent.model_copy(update={"anticipates": agent.name in names})
                for agent in getattr(scenario, group)
            )
            for group in groups
        }
    )
