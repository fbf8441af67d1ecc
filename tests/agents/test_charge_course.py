"""The course of a charge ends where schedules and prices stay, or the patience ends."""

from types import SimpleNamespace

import numpy as np
import pytest

from nashgrid.agents.charge_course import ChargeCourse

SHAPE = (2, 3)


class Halving:
    """A price that goes half the way to 1 with whatever it hears; content the second time."""

    def __init__(self):
        self.price_per_kwh = np.zeros(SHAPE)
        self.imbalance = np.zeros(SHAPE)
        self.asked = 0

    def hear(self, demand_kw):
        self.price_per_kwh = (1 + self.price_per_kwh) / 2

    def is_content(self, demand_kw):
        self.asked += 1
        return self.asked == 2


def course(tolerance=1e-3, most=100):
    grid = SimpleNamespace(operator=SimpleNamespace(shape=SHAPE), pace_per_kwh=2.0)
    rule = Halving()
    return rule, ChargeCourse(rule, grid, tolerance, most)


def test_it_ends_once_prices_and_schedules_stay_and_the_rule_is_content():
    rule, one = course()
    while not one.finished:
        np.testing.assert_array_equal(one.announcement["price"], rule.price_per_kwh)
        one.hear(np.ones(SHAPE))
    # The price moves by 2^-k in round k; 2^-9 is the first move within 1e-3 x 2.
    assert one.stable
    assert one.iterations == 9 + 1
    assert rule.asked == 2
    np.testing.assert_allclose(one.answered_per_kwh, 1 - 2.0**-9)


def test_schedules_that_move_are_not_at_rest():
    _, one = course(most=30)
    for number in range(30):
        assert not one.finished
        one.hear(np.full(SHAPE, 1.0 + number))
    assert one.finished
    assert not one.stable


@pytest.mark.parametrize("most", [1, 3])
def test_it_gives_up_after_so_many_announcements(most):
    _, one = course(most=most)
    for _ in range(most):
        assert not one.finished
        one.hear(np.ones(SHAPE))
    assert one.finished
    assert not one.stable
    assert one.iterations == most
