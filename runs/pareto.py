"""Cost, losses and deviations of voltage weighed against one another: a market for each weight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate

MEASURES = ("cost", "losses_kwh", "deviation_percent")
USUAL_WEIGHTS = (3.0, 10.0, 30.0)
_MARKET = "competitive"
_SAME = 1e-7
"""Relative difference below which two points measure the same: certificates leave as much open."""


@dataclass(frozen=True)
class ParetoFront:
    """Outcomes of one scenario for several objectives of its operator.

    Attributes
    ----------
    scenario, seed : what was run
    table : one row per point; see `pareto`
    """

    scenario: Scenario
    seed: int
    table: pd.DataFrame

    @property
    def certified(self) -> bool:
        """Whether every point converged and was certified."""
        return bool(self.table["certified"].all())

    def report(self, path: str | Path) -> Path:
        """Write the page: one HTML file that opens offline."""
        from nashgrid.runs.report.pareto_page import write_pareto

        return write_pareto(self, Path(path))

    def save(self, folder: str | Path | None = None) -> Path:
        """Write page and table into a new folder; without one, the next under nashgrid-runs.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.run_folder import save_study

        def write(place: Path) -> None:
            self.table.to_csv(place / "pareto.csv", index=False, lineterminator="\n")
            self.report(place / "pareto.html")

        return save_study(self.scenario, write, folder)


def pareto(
    scenario: Scenario,
    weights: Sequence[float] = USUAL_WEIGHTS,
    seed: int = 1,
    on_round: Callable[[TradingModel], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> ParetoFront:
    """Hold the market at clearing prices for objectives from money alone to losses and voltages.

    The first point minimises money. Each weight is then put on losses, on deviations of voltage,
    and on both. The table has these columns:

    - `loss_weight`, `voltage_weight`: see `nashgrid.runs.scenario.FeederEntry`;
    - `cost`: of all but the utility, in money [currency];
    - `losses_kwh`: of the horizon, by AC power flow;
    - `deviation_percent`: mean of |V - 1 pu| over buses and slots, by AC power flow [%];
    - `lowest_voltage_pu`, `highest_voltage_pu`: by AC power flow;
    - `rounds`: of the trading exchange;
    - `welfare_gap`: relative, to the central optimum of the same objective;
    - `certified`: whether the outcome converged and is proved;
    - `on_front`: whether no other point is at least as good in all three measures, and better in
      one.

    Parameters
    ----------
    scenario : what to run, with a feeder
    weights : each above 0, none twice
    seed : of everything random
    on_round : called with the model after every round, to show progress
    say : called with words before every point

    Raises
    ------
    ValueError
        If there is no feeder, a weight is bad, or the scenario allows no schedules.
    """
    if scenario.feeder is None:
        raise ValueError(f"pareto: scenario {scenario.name} has no feeder, so nothing to weigh")
    if not weights or min(weights) <= 0.0 or len(set(weights)) < len(weights):
        raise ValueError(f"pareto: weights {list(weights)} must be above 0, each given once")
    rows = []
    for point in [(0.0, 0.0), *((a * w, b * w) for a, b in _MIXES for w in weights)]:
        if say is not None:
            say(f"weight {point[0]:g} on losses, {point[1]:g} on voltages")
        outcome = simulate(_aimed(scenario, *point), _MARKET, seed, on_round)
        rows.append({"loss_weight": point[0], "voltage_weight": point[1], **_measures(outcome)})
    table = pd.DataFrame(rows)
    table["on_front"] = undominated(table[list(MEASURES)].to_numpy(float))
    return ParetoFront(scenario, seed, table)


_MIXES = ((1, 0), (0, 1), (1, 1))


def undominated(points: Floats) -> NDArray[np.bool_]:
    """(n,) rows (n, m) that no other row beats: nowhere worse, and somewhere better."""
    slack = _SAME * np.abs(points)
    no_worse = (points[:, None] <= points + slack).all(axis=2)
    better = (points[:, None] < points - slack).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0))


def _aimed(scenario: Scenario, loss_weight: float, voltage_weight: float) -> Scenario:
    aims = {
        "objective": "weighted",
        "loss_weight": loss_weight,
        "voltage_weight": voltage_weight,
    }
    feeder = None if scenario.feeder is None else scenario.feeder.model_copy(update=aims)
    return scenario.model_copy(update={"feeder": feeder})


def _measures(outcome: Outcome) -> dict[str, float | bool]:
    voltage = outcome.voltages.loc[outcome.voltages["case"] == TRADING, "ac_pu"]
    losses = outcome.losses.loc[outcome.losses["case"] == TRADING, "ac_kw"]
    return {
        "cost": float(outcome.summary["cost_after"]),
        "losses_kwh": float(losses.sum() * outcome.scenario.horizon.slot_hours),
        "deviation_percent": float(100 * (voltage - 1.0).abs().mean()),
        "lowest_voltage_pu": float(voltage.min()),
        "highest_voltage_pu": float(voltage.max()),
        "rounds": int(outcome.summary["rounds"][TRADING]),
        "welfare_gap": float(outcome.certificate["welfare"][TRADING]["relative_gap"]),
        "certified": outcome.certified,
    }
