"""Scenarios that once showed an error in the mathematics of a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.exchange import Exchange, ExchangeRules, OfferSums
from nashgrid.runs.central import local_problem
from nashgrid.runs.certificate import certify
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario_files import parse_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.wire_laying import lay_wires

PAIR = """
name = "pair"
[horizon]
start = "2016-06-23T10:00:00"
slots = 4
slot_minutes = 15
[utility]
exchange_limit_kw = 50
tariff = [{ start = 00:00:00, retail_price_per_kwh = 0.30, feed_in_price_per_kwh = 0.10 }]
[negotiation]
tolerance = 1e-6
maximum_rounds = 250
[bargaining]
operator_weight = OPERATOR
[feeder]
name = "ieee33"
line_limits = [{ from_bus = 4, to_bus = 5, limit_kva = LINE }]
[[buildings]]
name = "Buyer"
bus = 5
connection_kw = 20
bargaining_weight = BUYER
loads = [{ values = [1.0003, 2.0006, 3.0009, 1.0002], unit = "kw" }]
[[buildings]]
name = "Seller"
bus = 9
connection_kw = 20
loads = [{ values = [1.0001, 0.0, 0.0, 1.0001], unit = "kw" }]
pv = [{ values = [0.0, 3.0007, 3.0003, 0.0], unit = "kw", rating_kw = 4 }]
"""
VEHICLE = """
[[buildings]]
name = "Depot"
bus = 5
connection_kw = 20
loads = [{ values = [0.5, 0.5, 0.5, 0.5], unit = "kw" }]
vehicles = [{ capacity_kwh = 30, power_kw = 19, arrival = 10:00:00, departure = 11:00:00 }]
"""


def run(
    operator_weight: float = 0.0, buyer_weight: float = 1.0, line_kva: float = 50.0, more: str = ""
) -> Outcome:
    text = PAIR.replace("OPERATOR", str(operator_weight)).replace("BUYER", str(buyer_weight))
    text = text.replace("LINE", str(line_kva)) + more
    return simulate(parse_scenario(text, "pair", Path()))


@pytest.mark.parametrize(("operator", "buyer"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.01)])
def test_small_gains_are_certified_although_payments_are_whole_micro_units(
    operator: float, buyer: float
) -> None:
    outcome = run(operator, buyer)
    failing = [name for name, one in outcome.certificate["claims"].items() if not one["holds"]]
    assert failing == []


def claims_with_savings(outcome: Outcome, extra: float) -> dict[str, Any]:
    """The claims if every player saved so much more, at the cost of the operator."""
    accounts = outcome.accounts.copy()
    players = accounts["weight"] > 0
    accounts.loc[players, "saving"] += extra
    accounts.loc[accounts["agent"] == "operator", "saving"] -= extra * players.sum()
    scenario, wires = outcome.scenario, lay_wires(outcome.scenario)
    problems = {
        case: [CompiledProblem(local_problem(i, scenario, wires, case)) for i in range(2)]
        for case in ("utility-only", "trading")
    }
    certificate = certify(
        MARKETS[outcome.market],
        wires,
        problems,
        replace(outcome, accounts=accounts),
        outcome.messages,
    )
    claims: dict[str, Any] = certificate["claims"]
    return claims


def test_savings_that_the_operator_pays_for_are_no_division_of_the_surplus() -> None:
    """The excess alone is negative there, and would pass."""
    outcome = run()
    assert claims_with_savings(outcome, 0.0)["surplus shared"]["holds"]
    claims = claims_with_savings(outcome, 0.05)
    assert claims["Nash bargaining"]["value"] < 0
    assert not claims["surplus shared"]["holds"]


def test_energy_upstream_is_rounded_once() -> None:
    outcome = run()
    settled = outcome.settlement[outcome.settlement["item"] == "energy upstream"]
    own = outcome.trades[
        (outcome.trades["case"] == "trading") & (outcome.trades["agent"] != "operator")
    ]
    root_wh = 250 * own.groupby("slot")["trade_kw"].sum()
    paid_wh = pd.Series(settled["energy_wh"].to_numpy(float), index=settled["slot"].astype(int))
    difference = paid_wh.reindex(root_wh.index, fill_value=0.0) - root_wh
    assert float(difference.abs().max()) <= 0.5 + 1e-6


def test_step_stays_in_reach_where_nothing_balances() -> None:
    """An imbalance that no price removes drove the step beyond what the solvers bear."""
    exchange = Exchange(
        ExchangeRules(step=0.2, tolerance=1e-6, memory=1), np.array([10.0]), np.array([0.3])
    )
    for _ in range(400):
        # The same imbalance of 2 kW in every round, in answers that no longer move.
        exchange.close(OfferSums(np.array([2.0]), 1.0, np.array([0.4, 0.4])))
    assert exchange.step == pytest.approx(0.2e4)


def test_feeder_without_a_joint_schedule_is_named() -> None:
    """In any one slot the vehicle need not charge; over its stay it must, on too weak a line."""
    with pytest.raises(ValueError, match="no schedules of the agents together keep the limits"):
        run(line_kva=12.0, more=VEHICLE)
