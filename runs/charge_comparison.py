"""Where network charges and the schedules that answer them come to rest, rule by rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.agents.charge_rules import KEPT_KW, KEPT_PU
from nashgrid.grid.network_charges.revenue import RevenueAdequacy
from nashgrid.market.messages import Floats
from nashgrid.runs.charge_terms import ChargeTerms, topic_of
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.summary import traffic_by_kind


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
    schedules : case (the rule), agent, device, slot and the decisions of the device
    device_cost, upstream_bill, loss_cost : of the outcome [currency]
    revenue : what the agents pay beyond the bill upstream, against losses and fixed cost
    largest_epsilon : what an agent could save at most by another schedule at these prices, by weak
        duality, relative to max(1, its cost)
    largest_violation : of an agent's own constraints [kW, kWh]
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
    schedules: pd.DataFrame
    device_cost: float
    upstream_bill: float
    loss_cost: float
    revenue: RevenueAdequacy
    largest_epsilon: float
    largest_violation: float
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
    terms, seed : on which they were run
    outcomes : in the order asked for
    messages : one row per message, with its fields as lists
    certificate : the proof, as nested plain dictionaries
    """

    scenario: Scenario
    places: tuple[int, ...]
    terms: ChargeTerms
    seed: int
    outcomes: tuple[Charged, ...]
    messages: pa.Table
    certificate: dict[str, Any]

    @property
    def certified(self) -> bool:
        """Whether all came to rest and every claim of the certificate holds."""
        return bool(self.certificate["certified"])

    @property
    def table(self) -> pd.DataFrame:
        """A row for each rule; money in the scenario's currency."""
        hours = self.scenario.horizon.slot_hours
        traffic = traffic_by_kind(self.messages)
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
                    **_of_topic(traffic, topic_of(one.rule)),
                }
            )
        return pd.DataFrame(rows)

    @property
    def summary(self) -> dict[str, Any]:
        """Totals for people: currency, what the messages came to, and the simulated time."""
        return {
            "currency": self.scenario.currency,
            "messages": traffic_by_kind(self.messages),
            "simulated_seconds": float(self.messages["arrived_s"].to_numpy().max()),
        }

    def save(self, folder: str | Path | None = None) -> Path:
        """Write scenario, tables (CSV and Markdown), messages, proof and page into a new folder.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.charge_folder import save_charges

        return save_charges(self, None if folder is None else Path(folder))


def _of_topic(traffic: Mapping[str, Mapping[str, int]], topic: str) -> dict[str, int]:
    """Messages, transmissions and bytes of an exchange, of all kinds together."""
    own = [kind for name, kind in traffic.items() if name.startswith(f"{topic}/")]
    return {name: sum(kind[name] for kind in own) for name in own[0]}
