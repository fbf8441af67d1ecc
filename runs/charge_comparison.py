"""Where network charges and the schedules that answer them come to rest, rule by rule."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nashgrid.grid.network_charges.revenue import RevenueAdequacy
from nashgrid.market.messages import Floats
from nashgrid.runs.charge_rules import KEPT_KW, KEPT_PU
from nashgrid.runs.scenario import Scenario


@dataclass(frozen=True)
class Charged:
    """Where a rule and the schedules that answer it come to rest.

    Attributes
    ----------
    rule : its name
    iterations : charges that were announced
    stable : whether schedules and charges stay; otherwise the iterations ran out
    trade_kw : (n, T) what the agents buy [kW]
    demand_kw : (T, B) what is taken at each place [kW]
    price_per_kwh : (T, B) energy at the root and charge [currency/kWh]
    trades : slot, seller and buyer (buses; the utility is at the root), power_kw, charge_per_kwh,
        each with the nearest partner
    device_cost, upstream_bill, loss_cost : of the outcome [currency]
    revenue : what the agents pay beyond the bill upstream, against losses and fixed cost
    largest_epsilon : what an agent could save at most by another schedule at these prices, by weak
        duality, relative to max(1, its cost)
    excess_kw, excess_pu : how far limits are exceeded, by LinDistFlow
    ac_losses_kwh, ac_loading, ac_lowest_pu, ac_highest_pu : by AC power flow; the largest loading
        is a share of a line's limit
    """

    rule: str
    iterations: int
    stable: bool
    trade_kw: Floats
    demand_kw: Floats
    price_per_kwh: Floats
    trades: pd.DataFrame
    device_cost: float
    upstream_bill: float
    loss_cost: float
    revenue: RevenueAdequacy
    largest_epsilon: float
    excess_kw: float
    excess_pu: float
    ac_losses_kwh: float
    ac_loading: float
    ac_lowest_pu: float
    ac_highest_pu: float

    @property
    def total_cost(self) -> float:
        """Of all agents and of the operator, payments between them apart [currency]."""
        return self.device_cost + self.upstream_bill + self.loss_cost

    @property
    def keeps_limits(self) -> bool:
        """Whether the wires can carry it."""
        return self.excess_kw <= KEPT_KW and self.excess_pu <= KEPT_PU


@dataclass(frozen=True)
class ChargeComparison:
    """Rules side by side on one scenario.

    Attributes
    ----------
    scenario : what they were run on
    places : (B,) buses with a price
    fixed_cost : what the charges have to bring in beside the losses [currency]
    outcomes : in the order asked for
    """

    scenario: Scenario
    places: tuple[int, ...]
    fixed_cost: float
    outcomes: tuple[Charged, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row for each rule; money in the scenario's currency."""
        hours = self.scenario.horizon.slot_hours
        rows = []
        for one in self.outcomes:
            traded_kwh = hours * float(np.abs(one.trade_kw).sum())
            rows.append(
                {
                    "rule": one.rule,
                    "iterations": one.iterations,
                    "stable": one.stable,
                    "keeps_limits": one.keeps_limits,
                    "excess_kw": one.excess_kw,
                    "excess_pu": one.excess_pu,
                    "total_cost": one.total_cost,
                    "ac_losses_kwh": one.ac_losses_kwh,
                    "ac_loading": one.ac_loading,
                    "mean_charge_per_kwh": one.revenue.revenue / traded_kwh,
                    "revenue": one.revenue.revenue,
                    "cost_to_recover": one.revenue.cost,
                    "adequacy": one.revenue.ratio,
                    "largest_epsilon": one.largest_epsilon,
                }
            )
        return pd.DataFrame(rows)

    def save(self, folder: str | Path | None = None) -> Path:
        """Write scenario, table (CSV and Markdown), trades and page into a new folder.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.charges_table import markdown
        from nashgrid.runs.report.charges_page import write_charges
        from nashgrid.runs.run_folder import study_folder

        with study_folder(folder, self.scenario) as place:
            self.table.to_csv(place / "charges.csv", index=False, lineterminator="\n")
            trades = pd.concat([one.trades.assign(rule=one.rule) for one in self.outcomes])
            trades.to_csv(place / "trades.csv", index=False, lineterminator="\n")
            (place / "charges.md").write_text(markdown(self), encoding="utf-8")
            write_charges(self, place / "charges.html")
        return place
