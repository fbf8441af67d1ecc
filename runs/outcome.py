"""The outcome of a run: tidy tables, and the certificate that proves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from nashgrid.runs.scenario import Scenario


@dataclass(frozen=True)
class Tables:
    """The tables of a run; one row is one observation.

    Powers are positive when the agent buys or consumes. Money is in the scenario's currency.
    `case` is "utility-only" (everybody pays retail for itself, the disagreement outcome) or
    "trading".

    Attributes
    ----------
    prices : case, slot, start, bus, price_per_kwh; in "utility-only" the price of congestion
    trades : case, agent, kind, community, bus, slot, trade_kw; the counterparty has a row per
        bus and slot
    schedules : case, agent, device, slot, consumption_kw and the decisions of the device
        (curtailed_kw, charge_kw, discharge_kw, energy_kwh, shiftable_kw, generation_kw,
        unserved_kw; empty where it has none)
    accounts : agent, kind, community, bus, weight, cost_before, own_cost, payment, cost_after,
        saving; one row per agent and one for the utility
    settlement : payer, payee, item, slot, energy_wh, price_micro_per_kwh, amount_nano
    rounds : topic, round, residuals, price range, clock, messages so far
    voltages : case, slot, bus, lindistflow_pu, ac_pu; empty without a feeder
    lines : case, slot, from_bus, to_bus, flow_kw, flow_kvar, limit_kva, ac_kva; likewise
    losses : case, slot, lindistflow_kw, ac_kw; likewise
    price_parts : case, slot, bus, energy_per_kwh, loss_per_kwh, congestion_per_kwh,
        voltage_per_kwh, remainder_per_kwh, which sum to the price, and flow_model, how the
        model of the wires answered in that slot; likewise
    reactive : case, slot, bus, limit_kvar, set_kvar: reactive power that inverters take as the
        operator sets them; empty without any, and written only where there are some
    levels : community, slot, inside_kw, residual_kw, between_kw, rest_kw, premium_per_kwh; trades
        of communities with managers, by level; empty without, and written only where there are some
    community_prices : community, bus, slot, price_per_kwh: what members pay at each place; likewise
    rentals : owner, agent, capacity_kwh, rent_per_kwh; capacity of batteries rented, negative: let;
        likewise where batteries are for rent
    rented_charging : owner, agent, slot, charging_kw, price_per_kwh; likewise
    charges_tried : share, charge_per_kwh, inside_kwh, income, profit, converged, rounds, messages,
        transmissions, bytes, chosen; a row for each charge that a leader tried; empty without one
    """

    prices: pd.DataFrame
    trades: pd.DataFrame
    schedules: pd.DataFrame
    accounts: pd.DataFrame
    settlement: pd.DataFrame
    rounds: pd.DataFrame
    voltages: pd.DataFrame
    lines: pd.DataFrame
    losses: pd.DataFrame
    price_parts: pd.DataFrame
    reactive: pd.DataFrame
    levels: pd.DataFrame
    community_prices: pd.DataFrame
    rentals: pd.DataFrame
    rented_charging: pd.DataFrame
    charges_tried: pd.DataFrame


@dataclass(frozen=True)
class Outcome(Tables):
    """What a run leaves behind: its tables, and what they come to.

    Attributes
    ----------
    scenario, market, seed : what was run
    certificate : the proof, as nested plain dictionaries
    summary : totals for people
    messages : one row per message, with its fields as lists (an Arrow table)
    """

    scenario: Scenario
    market: str
    seed: int
    certificate: dict[str, Any]
    summary: dict[str, Any]
    messages: pa.Table

    @property
    def certified(self) -> bool:
        """Whether the run converged and every claim of the certificate holds."""
        return bool(self.certificate["certified"])

    def save(self, folder: str | Path | None = None) -> Path:
        """Write all files into a new folder; nothing half-written, nothing overwritten.

        Without a folder it is the next number under nashgrid-runs.
        """
        from nashgrid.runs.run_folder import save

        return save(self, None if folder is None else Path(folder))

    def report(self, path: str | Path) -> Path:
        """Write the self-contained report."""
        from nashgrid.runs.report import write_report

        return write_report(self, Path(path))
