"""What distributed generators earn, with the utility alone and in a market.

    profit = revenue - cost,    cost = dt sum_t (a g_t^2 + b g_t)

Revenue is what a generator is paid for its energy: feed-in price alone, and in a market whatever
that market's settlement comes to.
"""

import pandas as pd

from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.scenario import GeneratorEntry, Scenario

QUANTITIES = ("energy_kwh", "revenue", "cost", "profit")


def generator_profits(
    scenario: Scenario, accounts: pd.DataFrame, schedules: pd.DataFrame
) -> pd.DataFrame:
    """agent, then energy, revenue, cost and profit without and with the market.

    A row for every generator; columns end in `_alone` for everybody dealing with the utility
    alone, and in `_market`. Money is in the scenario's currency.
    """
    last = str(schedules["case"].iloc[-1])
    paid = accounts.set_index("agent")
    rows = []
    for entry in scenario.generators:
        row: dict[str, object] = {"agent": entry.name}
        for suffix, case, column in (
            ("alone", UTILITY_ONLY, "cost_before"),
            ("market", last, "cost_after"),
        ):
            profit = -float(paid.loc[entry.name, column])
            energy, cost = _output(scenario, schedules, entry, case)
            values = energy, profit + cost, cost, profit
            row |= {f"{name}_{suffix}": value for name, value in zip(QUANTITIES, values)}
        rows.append(row)
    return pd.DataFrame(rows)


def _output(
    scenario: Scenario, schedules: pd.DataFrame, entry: GeneratorEntry, case: str
) -> tuple[float, float]:
    """Energy [kWh] and its cost [currency] in a case."""
    hours = scenario.horizon.slot_hours
    own = schedules[(schedules["case"] == case) & (schedules["agent"] == entry.name)]
    output = own["generation_kw"].to_numpy(dtype=float)
    energy = hours * float(output.sum())
    quadratic = hours * entry.quadratic_cost_per_kw2h * float((output**2).sum())
    return energy, quadratic + entry.linear_cost_per_kwh * energy
