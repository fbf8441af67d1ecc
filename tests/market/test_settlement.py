"""Settlement: exact to the micro-unit, whatever the payments."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.settlement import (
    MICRO,
    Payment,
    energy_payments,
    net_payments_micro,
    whole_micro,
    whole_wh,
)

PARTIES = ["Ann", "Bob", "Cem", "Dia", "utility"]


@st.composite
def payment_lists(draw: st.DrawFn) -> list[Payment]:
    party = st.sampled_from(PARTIES)
    amount = st.integers(-(10**13), 10**13) | st.integers(-3000, 3000)
    rows = draw(st.lists(st.tuples(party, party, amount), max_size=25))
    return [Payment(a, b, "energy", None, None, None, nano) for a, b, nano in rows]


def exact_nets(payments: list[Payment]) -> dict[str, Fraction]:
    """What everybody pays, in micro-units, unrounded."""
    return {
        name: Fraction(
            sum(p.amount_nano * ((p.payer == name) - (p.payee == name)) for p in payments), 1000
        )
        for name in PARTIES
    }


@given(payments=payment_lists())
@settings(deadline=None, derandomize=True)
def test_sum_is_zero_and_nobody_is_off_by_a_micro_unit(payments: list[Payment]) -> None:
    nets = net_payments_micro(payments, PARTIES, residual="utility")
    assert sum(nets.values()) == 0
    assert list(nets) == PARTIES
    for name, exact in exact_nets(payments).items():
        assert isinstance(nets[name], int)
        assert abs(nets[name] - exact) < 1
        # Whole amounts stay as they are.
        assert exact.denominator > 1 or nets[name] == exact


@given(payments=payment_lists(), order=st.permutations(PARTIES))
@settings(deadline=None, derandomize=True)
def test_order_of_parties_matters_for_ties_only(payments: list[Payment], order: list[str]) -> None:
    nets = net_payments_micro(payments, PARTIES, residual="utility")
    again = net_payments_micro(payments, order, residual="utility")
    remainders = {name: exact % 1 for name, exact in exact_nets(payments).items()}
    tied = {
        name
        for name in PARTIES
        if list(remainders.values()).count(remainders[name]) > 1 and name != "utility"
    }
    assert {n for n in PARTIES if nets[n] != again[n]} <= tied
    assert net_payments_micro(list(reversed(payments)), PARTIES, "utility") == nets


def test_ties_go_by_order_and_the_residual_comes_last() -> None:
    # Each pays half a micro-unit to Dia: of 0.5, 0.5, 0.5 and -1.5 two are rounded up.
    halves = [Payment(name, "Dia", "x", None, None, None, 500) for name in ("Ann", "Bob", "Cem")]
    names = ["Ann", "Bob", "Cem", "Dia"]
    assert list(net_payments_micro(halves, names, "utility").values()) == [1, 1, 0, -2]
    assert list(net_payments_micro(halves, names, "Ann").values()) == [0, 1, 1, -2]
    turned = net_payments_micro(halves, ["Cem", "Bob", "Ann", "Dia"], "utility")
    assert turned == {"Cem": 1, "Bob": 1, "Ann": 0, "Dia": -2}


def test_largest_remainders_are_rounded_up() -> None:
    # Ann .7, Bob .6, Cem .4, Dia -1.7 = -2 + .3: floors 0, 0, 0, -2; two units are missing.
    rows = [("Ann", 700), ("Bob", 600), ("Cem", 400)]
    payments = [Payment(name, "Dia", "x", None, None, None, nano) for name, nano in rows]
    nets = net_payments_micro(payments, ["Cem", "Dia", "Bob", "Ann"], "Dia")
    assert nets == {"Ann": 1, "Bob": 1, "Cem": 0, "Dia": -2}


@pytest.mark.parametrize(("payer", "payee"), [("Eve", "Ann"), ("Ann", "Eve")])
def test_an_unknown_party_is_named(payer: str, payee: str) -> None:
    stray = Payment(payer, payee, "energy", 0, 1, 1, 1)
    with pytest.raises(ValueError, match="the payment 'energy' names unknown party 'Eve'"):
        net_payments_micro([stray], PARTIES, "utility")


def test_energy_payments_are_exact_products() -> None:
    # 1.2345 kWh at .30 and -2 kWh at .1: .37035 and -.2 currency; the slot without energy is
    # left out.
    energy = whole_wh(np.array([1.2345, 0.0, -2.0]), 1.0)
    price = whole_micro(np.array([0.3, 0.2, 0.1]))
    rows = energy_payments("Ann", "Bob", "energy", energy, price)
    assert [(row.slot, row.energy_wh, row.price_micro_per_kwh) for row in rows] == [
        (0, 1234, 300_000),
        (2, -2000, 100_000),
    ]
    assert [row.amount_nano for row in rows] == [370_200_000, -200_000_000]
    nets = net_payments_micro(rows, ["Ann", "Bob"], "Bob")
    assert nets == {"Ann": 170_200, "Bob": -170_200}
    assert Fraction(nets["Ann"], MICRO) == Fraction(1234, 1000) * Fraction(3, 10) - Fraction(2, 10)


def test_whole_units_round_to_the_nearest() -> None:
    # 15 minutes at 3.3 kW are 825 Wh; .0014 kW for an hour are 1 Wh, of a negative price too.
    assert whole_wh(np.array([3.3, -0.0022]), 0.25).tolist() == [825, -1]
    assert whole_wh(np.array([0.0014, 0.0016]), 1.0).tolist() == [1, 2]
    assert whole_micro(np.array([0.1234567, -0.0500004])).tolist() == [123_457, -50_000]
