"""Settlement: exact to the micro-unit, whatever the payments."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.settlement import (
    MICRO,
    day_payments,
    energy_payments,
    net_payments_micro,
    settlement_table,
    whole_micro,
    whole_wh,
)

PARTIES = ["Ann", "Bob", "Cem", "Dia", "utility"]
COLUMNS = ["payer", "payee", "item", "amount_nano"]
Rows = list[tuple[str, str, int]]


def table_of(rows: Rows) -> pd.DataFrame:
    """A settlement with plain text, as it is read from a file."""
    listed = [(payer, payee, "energy", nano) for payer, payee, nano in rows]
    return pd.DataFrame(listed, columns=COLUMNS).astype({"amount_nano": "Int64"})


def nets_of(rows: Rows, parties: list[str], residual: str) -> dict[str, int]:
    nets = net_payments_micro(table_of(rows), parties, residual)
    assert nets.dtype == np.int64
    return dict(zip(parties, nets.tolist(), strict=True))


@st.composite
def payment_lists(draw: st.DrawFn) -> Rows:
    party = st.sampled_from(PARTIES)
    amount = st.integers(-(10**13), 10**13) | st.integers(-3000, 3000)
    return draw(st.lists(st.tuples(party, party, amount), max_size=25))


def exact_nets(rows: Rows) -> dict[str, Fraction]:
    """What everybody pays, in micro-units, unrounded."""
    return {
        name: Fraction(
            sum(nano * ((payer == name) - (payee == name)) for payer, payee, nano in rows), 1000
        )
        for name in PARTIES
    }


@given(rows=payment_lists())
@settings(deadline=None, derandomize=True)
def test_sum_is_zero_and_nobody_is_off_by_a_micro_unit(rows: Rows) -> None:
    nets = nets_of(rows, PARTIES, residual="utility")
    assert sum(nets.values()) == 0
    for name, exact in exact_nets(rows).items():
        assert abs(nets[name] - exact) < 1
        # Whole amounts stay as they are.
        assert exact.denominator > 1 or nets[name] == exact


@given(rows=payment_lists(), order=st.permutations(PARTIES))
@settings(deadline=None, derandomize=True)
def test_order_of_parties_matters_for_ties_only(rows: Rows, order: list[str]) -> None:
    nets = nets_of(rows, PARTIES, residual="utility")
    again = nets_of(rows, order, residual="utility")
    remainders = {name: exact % 1 for name, exact in exact_nets(rows).items()}
    tied = {
        name
        for name in PARTIES
        if list(remainders.values()).count(remainders[name]) > 1 and name != "utility"
    }
    assert {n for n in PARTIES if nets[n] != again[n]} <= tied
    assert nets_of(list(reversed(rows)), PARTIES, "utility") == nets


@given(rows=payment_lists())
@settings(deadline=None, derandomize=True)
def test_categories_settle_like_text(rows: Rows) -> None:
    table = table_of(rows)
    kinds = {"payer": pd.CategoricalDtype(PARTIES[::-1]), "payee": "category"}
    categories = net_payments_micro(table.astype(kinds), PARTIES, "utility")
    assert categories.tolist() == net_payments_micro(table, PARTIES, "utility").tolist()


def test_ties_go_by_order_and_the_residual_comes_last() -> None:
    # Each pays half a micro-unit to Dia: of 0.5, 0.5, 0.5 and -1.5 two are rounded up.
    halves = [(name, "Dia", 500) for name in ("Ann", "Bob", "Cem")]
    names = ["Ann", "Bob", "Cem", "Dia"]
    assert list(nets_of(halves, names, "utility").values()) == [1, 1, 0, -2]
    assert list(nets_of(halves, names, "Ann").values()) == [0, 1, 1, -2]
    turned = nets_of(halves, ["Cem", "Bob", "Ann", "Dia"], "utility")
    assert turned == {"Cem": 1, "Bob": 1, "Ann": 0, "Dia": -2}


def test_largest_remainders_are_rounded_up() -> None:
    # Ann .7, Bob .6, Cem .4, Dia -1.7 = -2 + .3: floors 0, 0, 0, -2; two units are missing.
    rows = [("Ann", "Dia", 700), ("Bob", "Dia", 600), ("Cem", "Dia", 400)]
    nets = nets_of(rows, ["Cem", "Dia", "Bob", "Ann"], "Dia")
    assert nets == {"Ann": 1, "Bob": 1, "Cem": 0, "Dia": -2}


@pytest.mark.parametrize(("payer", "payee"), [("Eve", "Ann"), ("Ann", "Eve")])
def test_an_unknown_party_is_named(payer: str, payee: str) -> None:
    rows = [("Ann", "Bob", 1), (payer, payee, 1)]
    with pytest.raises(ValueError, match="the payment 'energy' names unknown party 'Eve'"):
        nets_of(rows, PARTIES, "utility")


def test_a_payment_by_nobody_is_refused() -> None:
    table = table_of([("Ann", "Bob", 1)])
    table["payer"] = pd.Series([None], dtype=table["payee"].dtype)
    with pytest.raises(ValueError, match="names unknown party"):
        net_payments_micro(table, PARTIES, "utility")


def test_energy_payments_are_exact_products() -> None:
    # 1.2345 kWh at .30 and -2 kWh at .1: .37035 and -.2 currency; the slot without energy is
    # left out.
    energy = whole_wh(np.array([[1.2345, 0.0, -2.0]]), 1.0)
    price = whole_micro(np.array([0.3, 0.2, 0.1]))
    paid = energy_payments("energy", np.array(0), np.array(1), energy, price)
    table = settlement_table(["Ann", "Bob"], [paid])
    names = table[["payer", "payee", "item"]].astype(str)
    assert names.to_numpy().tolist() == [["Ann", "Bob", "energy"]] * 2
    assert table["slot"].tolist() == [0, 2]
    assert table["energy_wh"].tolist() == [1234, -2000]
    assert table["price_micro_per_kwh"].tolist() == [300_000, 100_000]
    assert table["amount_nano"].tolist() == [370_200_000, -200_000_000]
    nets = net_payments_micro(table, ["Ann", "Bob"], "Bob")
    assert nets.tolist() == [170_200, -170_200]
    # 1.234 kWh, for whole watt-hours are settled: .37020 - .2.
    assert Fraction(int(nets[0]), MICRO) == Fraction(1234, 1000) * Fraction(3, 10) - Fraction(2, 10)


def test_rows_stand_by_payer_and_missing_numbers_stay_missing() -> None:
    who, last = np.array([0, 1]), np.array(2)
    energy = np.array([[1, 0], [2, 3]])
    first = energy_payments("energy", who, last, energy, np.array([[10, 20], [30, 40]]))
    second = day_payments("fee", who, last, np.array([0.0, -1.6e-6]))
    table = settlement_table(["Ann", "Bob", "Cem"], [first, second])
    assert table["payer"].tolist() == ["Ann", "Ann", "Bob", "Bob", "Bob"]
    assert table["payee"].tolist() == ["Cem"] * 5
    assert table["item"].tolist() == ["energy", "fee", "energy", "energy", "fee"]
    assert table["slot"].fillna(-1).tolist() == [0, -1, 0, 1, -1]
    assert table["energy_wh"].isna().tolist() == [False, True, False, False, True]
    # A payment of nothing is listed too.
    assert table["amount_nano"].tolist() == [10, 0, 60, 120, -2000]


def test_amounts_beyond_64_bits_are_refused() -> None:
    one = np.array(0)
    energy, price = np.array([[10**10]]), np.array([10**9])
    with pytest.raises(ValueError, match=r"the payment 'gold' comes to 1e\+10, more than the 9\.2"):
        energy_payments("gold", one, one, energy, price)
    with pytest.raises(ValueError, match="the sum of all payments comes to"):
        nets_of([("Ann", "Bob", 5 * 10**18)] * 2, PARTIES, "utility")


def test_whole_units_round_to_the_nearest() -> None:
    # 15 minutes at 3.3 kW are 825 Wh; .0014 kW for an hour are 1 Wh, of a negative price too.
    assert whole_wh(np.array([3.3, -0.0022]), 0.25).tolist() == [825, -1]
    assert whole_wh(np.array([0.0014, 0.0016]), 1.0).tolist() == [1, 2]
    assert whole_micro(np.array([0.1234567, -0.0500004])).tolist() == [123_457, -50_000]
