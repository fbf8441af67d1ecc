"""Payments of every market on a case worked out by hand."""

from typing import Any

import numpy as np
import pytest

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.settlement import Payment, net_payments_micro
from nashgrid.runs.assembly import Wires
from nashgrid.runs.ledger import (
    MARKETS,
    UTILITY,
    Trades,
    payments,
    settlement_payments,
    settlement_table,
)
from nashgrid.runs.scenario import Scenario

# Two agents, two slots of half an hour; retail .30 and .40, feed-in .10, clearing .25 and .15.
SLOTS = 2


def scenario(duet: dict[str, Any]) -> Scenario:
    horizon = {"start": "2016-06-23T10:00:00", "slots": SLOTS, "slot_minutes": 30}
    return Scenario.model_validate({**duet, "horizon": horizon})


def wires(feeder: object = None) -> Wires:
    tariff = Tariff(np.array([0.30, 0.40]), np.array([0.10, 0.10]))
    return Wires(None, tariff, (0,), feeder, np.zeros((SLOTS, 0)))  # type: ignore[arg-type]


TRADES = Trades(
    baseline_kw={"A": np.array([2.0, -4.0]), "B": np.array([1.0, 3.0])},
    trade_kw={"A": np.array([-1.0, -4.0]), "B": np.array([4.0, 3.0])},
    price_per_kwh={"A": np.array([0.25, 0.15]), "B": np.array([0.25, 0.15])},
    bargained={"A": -0.1234567, "B": 0.5},
    losses_kw=np.array([0.2, 0.0]),
)


def sums(market: str, duet: dict[str, Any], feeder: object = None) -> dict[str, float]:
    """Who pays how much in all [currency]."""
    counterparty = UTILITY if feeder is None else "operator"
    listed = payments(market, TRADES, scenario(duet), wires(feeder), counterparty)
    total = {"A": 0, "B": 0, UTILITY: 0, "operator": 0}
    for payment in listed:
        total[payment.payer] += payment.amount_nano
        total[payment.payee] -= payment.amount_nano
    assert sum(total.values()) == 0
    return {name: nano / 1e9 for name, nano in total.items()}


def test_the_utility_alone_charges_retail_and_pays_feed_in(duet: dict[str, Any]) -> None:
    # A: 1 kWh at .30, 2 kWh sold at .10;  B: .5 kWh at .30, 1.5 kWh at .40.
    assert sums("utility-only", duet) == {"A": 0.10, "B": 0.75, UTILITY: -0.85, "operator": 0}


def test_competitive_everybody_pays_the_clearing_price(duet: dict[str, Any]) -> None:
    # A: -.5 kWh at .25, -2 kWh at .15;  B: 2 kWh at .25, 1.5 kWh at .15.
    assert sums("competitive", duet) == {"A": -0.425, "B": 0.725, UTILITY: -0.30, "operator": 0}


def test_two_part_charges_the_baseline_and_prices_the_deviation(duet: dict[str, Any]) -> None:
    # A: .10 and -1.5 kWh at .25;  B: .75 and 1.5 kWh at .25.
    assert sums("two-part", duet) == {"A": -0.275, "B": 1.125, UTILITY: -0.85, "operator": 0}


def test_bargained_payments_are_whole_micro_units(duet: dict[str, Any]) -> None:
    found = sums("nash-bargaining", duet)
    assert found == {"A": -0.123457, "B": 0.5, UTILITY: -0.376543, "operator": 0}


def test_the_operator_pays_upstream_for_energy_and_losses(duet: dict[str, Any]) -> None:
    # Slot 0: 3 kW for half an hour at .30; slot 1: -1 kW at .10; losses .1 kWh at .30.
    upstream = 0.45 - 0.05 + 0.03
    found = sums("competitive", duet, feeder="wires")
    assert found[UTILITY] == pytest.approx(-upstream, abs=1e-12)
    assert found["operator"] == pytest.approx(upstream - 0.30, abs=1e-12)
    # Without a market the bills go to the utility directly; the operator buys its losses.
    alone = sums("utility-only", duet, feeder="wires")
    assert alone["operator"] == pytest.approx(0.03)
    assert alone[UTILITY] == pytest.approx(-0.88)


def test_an_unknown_market_is_refused_with_the_known_ones(duet: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no market 'fair'; the markets are nash-bargaining, co"):
        payments("fair", TRADES, scenario(duet), wires(), UTILITY)


@pytest.mark.parametrize("market", list(MARKETS))
def test_a_settlement_table_reads_back_as_the_same_payments(
    market: str, duet: dict[str, Any]
) -> None:
    listed = payments(market, TRADES, scenario(duet), wires("feeder"), "operator")
    table = settlement_table(listed)
    assert settlement_payments(table) == listed
    assert list(table["amount_nano"]) == [payment.amount_nano for payment in listed]
    # Energy times price is the amount, to the nano-unit.
    priced = table.dropna(subset=["energy_wh"])
    assert (priced["energy_wh"] * priced["price_micro_per_kwh"] == priced["amount_nano"]).all()
    assert len(priced) > 0


def test_missing_numbers_of_a_table_are_none() -> None:
    whole = Payment("A", UTILITY, "bargained payment", None, None, None, 5_000)
    assert settlement_payments(settlement_table([whole])) == [whole]
    assert net_payments_micro([whole], ["A", UTILITY], UTILITY) == {"A": 5, UTILITY: -5}
