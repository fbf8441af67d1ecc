"""Payments of every market on a case worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from nashgrid.market.settlement import net_payments_micro
from nashgrid.runs.ledger import settlement_of
from nashgrid.runs.markets import MARKETS, market_named
from nashgrid.runs.markets.bargained_payments import agreed_payments
from nashgrid.runs.markets.trades import Terms, Trades
from nashgrid.runs.scenario import UTILITY

# Two agents, two slots of half an hour; retail .30 and .40, feed-in .10, clearing .25 and .15.
TERMS = Terms(
    slot_hours=0.5,
    retail_price_per_kwh=np.array([0.30, 0.40]),
    feed_in_price_per_kwh=np.array([0.10, 0.10]),
    loss_price_per_kwh=np.array([0.30, 0.40]),
)
WITH_OPERATOR = replace(TERMS, losses_kw=np.array([0.2, 0.0]))
TRADES = Trades(
    agents=("A", "B"),
    baseline_kw=np.array([[2.0, -4.0], [1.0, 3.0]]),
    trade_kw=np.array([[-1.0, -4.0], [4.0, 3.0]]),
    price_per_kwh=np.broadcast_to([0.25, 0.15], (2, 2)),
    terms=TERMS,
    bargained=np.array([-0.1234567, 0.5]),
)


def sums(market: str, terms: Terms = TERMS) -> dict[str, float]:
    """Who pays how much in all [currency]."""
    table = settlement_of(MARKETS[market], replace(TRADES, terms=terms))
    total = {"A": 0, "B": 0, UTILITY: 0, "operator": 0}
    for row in table.itertuples():
        total[row.payer] += row.amount_nano
        total[row.payee] -= row.amount_nano
    assert sum(total.values()) == 0
    return {name: nano / 1e9 for name, nano in total.items()}


def test_the_utility_alone_charges_retail_and_pays_feed_in() -> None:
    # A: 1 kWh at .30, 2 kWh sold at .10;  B: .5 kWh at .30, 1.5 kWh at .40.
    assert sums("utility-only") == {"A": 0.10, "B": 0.75, UTILITY: -0.85, "operator": 0}


def test_competitive_everybody_pays_the_clearing_price() -> None:
    # A: -.5 kWh at .25, -2 kWh at .15;  B: 2 kWh at .25, 1.5 kWh at .15.
    assert sums("competitive") == {"A": -0.425, "B": 0.725, UTILITY: -0.30, "operator": 0}


def test_two_part_charges_the_baseline_and_prices_the_deviation() -> None:
    # A: .10 and -1.5 kWh at .25;  B: .75 and 1.5 kWh at .25.
    assert sums("two-part") == {"A": -0.275, "B": 1.125, UTILITY: -0.85, "operator": 0}


BY_HAND = {
    # Slot 0: A sells .5 kWh, B takes 2 kWh at tariffs .30 and .10; slot 1: 2 and 1.5 kWh at .40 and
    # .10. In slot 0 buyers share what 1.5 kWh cost, in slot 1 sellers what .5 kWh earn.
    "bill-sharing": {"A": -0.5 * 0.10, "B": 1.5 * 0.30},
    # .20 and .25 inside; B then pays (.5 x .20 + 1.5 x .30) / 2, A gets (1.5 x .25 + .05) / 2.
    "mid-market-rate": {"A": -0.5 * 0.20 - 2 * 0.2125, "B": 2 * 0.275 + 1.5 * 0.25},
    # R = .25: .1 x .3 / (.2 x .25 + .1) = .20 and .20 x .25 + .30 x .75; R > 1: both .10.
    "supply-demand-ratio": {"A": -0.5 * 0.20 - 2 * 0.10, "B": 2 * 0.275 + 1.5 * 0.10},
    # c = .10: .2 x .3 / (.1 x .25 + .2) = 4/15; c = .15: .10 + .15 x .75 and .10 + .15.
    "compensated-supply-demand-ratio": {
        "A": -0.5 * 4 / 15 - 2 * 0.2125,
        "B": 2 * (4 / 15 * 0.25 + 0.225) + 1.5 * 0.25,
    },
    # .15 and .175 inside.
    "incentive-price": {"A": -0.5 * 0.15 - 2 * 0.15625, "B": 2 * 0.2625 + 1.5 * 0.175},
}


@pytest.mark.parametrize("market", list(BY_HAND))
def test_sharing_prices_by_hand(market: str) -> None:
    found = sums(market)
    assert {"A": found["A"], "B": found["B"]} == pytest.approx(BY_HAND[market], abs=2e-6)
    # What the utility receives is its bill, whatever the rule: 1.5 kWh at .30 less .5 kWh at .10.
    assert found[UTILITY] == pytest.approx(-0.40, abs=2e-6)


def test_bargained_payments_are_whole_micro_units() -> None:
    found = sums("nash-bargaining")
    assert found == {"A": -0.123457, "B": 0.5, UTILITY: -0.376543, "operator": 0}


def test_bargained_payments_must_have_been_agreed_on() -> None:
    with pytest.raises(ValueError, match="none were agreed on"):
        settlement_of(MARKETS["nash-bargaining"], replace(TRADES, bargained=None))


def test_the_operator_pays_upstream_for_energy_and_losses() -> None:
    # Slot 0: 3 kW for half an hour at .30; slot 1: -1 kW at .10; losses .1 kWh at .30.
    upstream = 0.45 - 0.05 + 0.03
    found = sums("competitive", WITH_OPERATOR)
    assert found[UTILITY] == pytest.approx(-upstream, abs=1e-12)
    assert found["operator"] == pytest.approx(upstream - 0.30, abs=1e-12)
    # Without a market the bills go to the utility directly; the operator buys its losses.
    alone = sums("utility-only", WITH_OPERATOR)
    assert alone["operator"] == pytest.approx(0.03)
    assert alone[UTILITY] == pytest.approx(-0.88)


@pytest.mark.parametrize("name", ["fair", ["nash-bargaining"], None])
def test_an_unknown_market_is_refused_with_the_known_ones(name: object) -> None:
    with pytest.raises(ValueError, match=r"no market .*; the markets are nash-bargaining, "):
        market_named(name)


@pytest.mark.parametrize("market", list(MARKETS))
def test_energy_times_price_is_the_amount_to_the_nano_unit(market: str) -> None:
    table = settlement_of(MARKETS[market], replace(TRADES, terms=WITH_OPERATOR))
    priced = table.dropna(subset=["energy_wh"])
    assert (priced["energy_wh"] * priced["price_micro_per_kwh"] == priced["amount_nano"]).all()
    assert len(priced) > 0
    # One agent after the other, what goes upstream last.
    payers = table["payer"].astype(str)
    assert payers.drop_duplicates().tolist() == ["A", "B", "operator"]
    upstream = table["item"].isin(["energy upstream", "losses"])
    assert (upstream == (payers == "operator")).all()


def test_agreed_payments_are_read_back_agent_by_agent() -> None:
    table = settlement_of(MARKETS["nash-bargaining"], replace(TRADES, terms=WITH_OPERATOR))
    agents = table["payer"].iloc[[1, 0]]
    assert agreed_payments(table, agents).tolist() == [0.5, -0.123457]
    with pytest.raises(KeyError, match="operator"):
        agreed_payments(table, table["payer"].iloc[[0, -1]])


@pytest.mark.parametrize("market", list(MARKETS))
def test_a_hundred_thousand_agents_are_settled_in_seconds(market: str) -> None:
    """24 slots each: a loop over agents and slots would take minutes."""
    agents, slots = 100_000, 24
    rng = np.random.default_rng(1)
    alone, power = rng.normal(size=(2, agents, slots))
    many = Trades(
        agents=tuple(f"House {number}" for number in range(agents)),
        baseline_kw=alone,
        trade_kw=power,
        price_per_kwh=np.broadcast_to(np.linspace(0.1, 0.3, slots), (agents, slots)),
        terms=Terms(1.0, np.full(slots, 0.3), np.full(slots, 0.1), np.full(slots, 0.3)),
        bargained=rng.normal(size=agents),
    )
    table = settlement_of(MARKETS[market], many)
    paid = net_payments_micro(table, many.parties, UTILITY)
    assert paid.sum() == 0
    # The last agent by its own rows.
    own = table[table["payer"] == many.agents[-1]]["amount_nano"]
    assert abs(int(own.sum()) / 1000 - paid[agents - 1]) < 1
