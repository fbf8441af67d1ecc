"""A bargainer's answer against a numeric minimiser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nashgrid.agents.bargainer import Bargainer
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.topics import MONEY

RULES = ExchangeRules(step=1.0, tolerance=1e-9)


class Player:
    """Takes a seat and keeps what it says."""

    def __init__(self) -> None:
        self.seats = {}
        self.said = []

    def say(self, *what) -> None:
        self.said.append(what)


def respond(saving: float, weight: float, price: float, target: float, stiffness: float) -> float:
    bargainer = Bargainer(Player(), np.array([saving]), np.array([weight]), RULES)
    # The size is the weight, or one without any.
    step = stiffness * (weight or 1.0)
    values = (np.array([[value]]) for value in (price, target, step))
    return float(bargainer.respond(*values)[0, 0])


@given(
    saving=st.floats(-20, 20),
    weight=st.floats(0.05, 5),
    price=st.floats(-3, 3),
    target=st.floats(-10, 10),
    stiffness=st.floats(0.01, 10),
)
@settings(deadline=None, derandomize=True)
def test_answer_minimises_its_cost(
    saving: float, weight: float, price: float, target: float, stiffness: float
) -> None:
    def cost(money: float) -> float:
        return (
            -weight * np.log(saving + money) + price * money + stiffness / 2 * (money - target) ** 2
        )

    money = respond(saving, weight, price, target, stiffness)
    assert saving + money > 0
    span = 1.0 + abs(money) + abs(saving) + abs(target)
    found = minimize_scalar(
        cost,
        bounds=(-saving + 1e-12, -saving + 20 * span + 50 * weight),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert cost(money) <= found.fun + 1e-9 * (1 + abs(found.fun))


def test_by_hand() -> None:
    # g = 1, a = 2, price 1, target 0, stiffness 1: u^2 + (1 - 1) u - 2 = 0, u = sqrt 2.
    assert respond(1.0, 2.0, 1.0, 0.0, 1.0) == pytest.approx(np.sqrt(2) - 1)


def test_no_cancellation_where_money_is_dear() -> None:
    # stiffness u^2 + slope u = a with a slope of 1e9: u = a / slope to twelve digits.
    assert respond(0.0, 1.0, 1e9, 0.0, 1.0) == pytest.approx(1e-9, rel=1e-12)


def test_without_weight_it_comes_out_even() -> None:
    assert respond(-3.5, 0.0, 0.7, 2.0, 0.1) == 3.5


def test_enrols_with_saving_and_weight_alone() -> None:
    player = Player()
    Bargainer(player, np.array([-2.0]), np.array([3.0]), RULES).enrol("money", 7, 1.5)
    ((kind, topic, receiver, fields, now_s),) = player.said
    assert (kind, topic, receiver, now_s) == ("enrolment", "money", 7, 1.5)
    assert {name: value.tolist() for name, value in fields.items()} == {
        "size": [[3.0]],
        "saving": [[-2.0]],
        "weight": [[3.0]],
    }
    assert list(player.seats) == [MONEY]
