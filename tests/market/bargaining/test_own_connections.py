"""Bargaining without transfers: by hand, and against a convex program."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.bargaining import BargainingProblem, kalai_smorodinsky
from nashgrid.market.bargaining.own_connections import OwnConnections


def test_the_duet_by_hand() -> None:
    """Savings .10 and 2.36, bill 1.80, income .10. Sunny house can receive .10 at most: ideals .20
    and .76, and .76 is shared in this ratio."""
    duet = OwnConnections(np.array([0.10, 2.36]), 1.80, 0.10)
    assert duet.surplus == pytest.approx(0.76)
    assert duet.ideal == pytest.approx([0.20, 0.76])
    assert duet.kalai_smorodinsky() == pytest.approx([0.76 * 0.20 / 0.96, 0.76 * 0.76 / 0.96])


def test_when_the_income_is_used_up_the_others_share_the_rest() -> None:
    """No export: the seller, who had nothing alone, can gain nothing; the buyers' bill falls."""
    game = OwnConnections(np.array([0.0, 3.0, 1.0]), 2.0, 0.0)
    assert game.ideal == pytest.approx([0.0, 2.0, 1.0])
    assert game.kalai_smorodinsky() == pytest.approx([0.0, 4 / 3, 2 / 3])


def test_bill_and_income_of_a_community_follow_the_sign_of_its_power() -> None:
    power, retail = np.array([2.0, -3.0, -1.0]), np.array([0.3, 0.3, 0.2])
    found = OwnConnections.of_community(
        np.zeros(1), power, retail, np.array([0.1, 0.1, -0.1]), slot_hours=0.5
    )
    # Where export costs something it is part of the bill.
    assert (found.bill, found.income) == pytest.approx((0.5 * (0.6 + 0.1), 0.5 * 0.3))


@given(
    saving=st.lists(st.floats(-2, 5), min_size=2, max_size=5),
    spare=st.floats(0, 3),
    share=st.floats(0.05, 1.0),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_against_the_central_reference(saving: list[float], spare: float, share: float) -> None:
    own = np.array(saving)
    income = float((-own).clip(min=0).sum()) + spare
    # A bill that leaves a part of what can be shared at most.
    bill = (1 - share) * float(own.sum() + income)
    game = OwnConnections(own, bill, income)
    if game.surplus < 0.1:
        return
    gains = cp.Variable(len(own))
    kept = [cp.sum(gains) == game.surplus, cp.sum(cp.pos(gains - own)) <= income]
    found = kalai_smorodinsky(BargainingProblem(list(gains), kept, np.zeros(len(own))))
    np.testing.assert_allclose(game.ideal, found.certificate.ideal, atol=1e-6)
    np.testing.assert_allclose(game.kalai_smorodinsky(), found.utilities, atol=2e-5)
    assert game.kalai_smorodinsky().sum() == pytest.approx(game.surplus, abs=1e-9)


def test_income_that_does_not_suffice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"need 0\.8, but the utility pays 0\.1 for export"):
        OwnConnections(np.array([-0.8, 2.4]), 0.0, 0.1)
