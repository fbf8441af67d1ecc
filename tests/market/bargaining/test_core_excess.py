"""The group that would gain most by leaving: by hand, and against all groups one by one."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.bargaining import core_excess as module
from nashgrid.market.bargaining.core_excess import core_excess
from nashgrid.market.bargaining.least_core import least_core
from nashgrid.market.bargaining.pooling_game import PoolingGame


def one_seller() -> PoolingGame:
    """One slot at .30 and .10: a seller of 1 kWh, buyers of .2 and 1 kWh; nobody moves.

    A kWh shared saves .20: v(seller, small) = .04, v(seller, large) = v(all) = .20, others 0.
    """
    power = np.array([[-1.0], [0.2], [1.0]])
    saving = np.array([-0.10, 0.06, 0.30])
    return PoolingGame(power, power, saving, 0.20, np.array([0.3]), np.array([0.1]), 1.0)


@pytest.mark.parametrize(
    ("allocation", "excess", "members"),
    [
        # Everything to the seller: nobody else is worth anything without it.
        ([0.20, 0.0, 0.0], 0.0, None),
        # Equal thirds: seller and large buyer have .1333 of the .20 that they can share.
        ([0.2 / 3, 0.2 / 3, 0.2 / 3], 0.2 / 3, [True, False, True]),
        # Everything to the buyers' side: seller and small buyer could have .04.
        ([0.0, 0.0, 0.2], 0.04, [True, True, False]),
    ],
)
def test_one_seller_by_hand(
    allocation: list[float], excess: float, members: list[bool] | None
) -> None:
    found = core_excess(one_seller(), np.array(allocation))
    assert found.excess == pytest.approx(excess, abs=1e-12)
    if members is not None:
        assert found.members is not None
        assert found.members.tolist() == members


@given(st.integers(2, 7), st.integers(1, 5), st.integers(0, 10_000))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_no_group_has_more(players: int, slots: int, seed: int) -> None:
    game, allocation = _drawn(players, slots, seed)
    codes = np.arange(1, 2**players - 1)
    groups = (codes[:, None] >> np.arange(players)) & 1
    by_group = game.worths(groups > 0) - groups @ allocation
    found = core_excess(game, allocation)
    assert found.excess == pytest.approx(by_group.max(), abs=1e-9)
    assert found.members is not None
    assert game.worths(found.members[None])[0] - allocation[found.members].sum() == pytest.approx(
        by_group.max(), abs=1e-9
    )
    with patch.object(module, "MOST_EXACT", 1):
        bound = core_excess(game, allocation)
    assert bound.members is None
    assert bound.excess >= by_group.max() - 1e-9


@given(st.integers(2, 6), st.integers(0, 10_000))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_the_least_core_has_the_least_excess(players: int, seed: int) -> None:
    game, allocation = _drawn(players, 3, seed)
    epsilon, best = least_core(game.of_groups(np.arange(players)))
    assert core_excess(game, best).excess == pytest.approx(epsilon, abs=1e-8)
    assert core_excess(game, allocation).excess >= epsilon - 1e-8


def test_one_player_has_nobody_to_leave() -> None:
    power = np.array([[1.0]])
    one = np.array([0.3])
    with pytest.raises(ValueError, match="two players"):
        core_excess(PoolingGame(power, power, one, 0.0, one, one, 1.0), np.array([0.0]))


def _drawn(players: int, slots: int, seed: int) -> tuple[PoolingGame, np.ndarray]:
    rng = np.random.default_rng(seed)
    retail = rng.uniform(0.1, 0.4, slots)
    alone = rng.normal(size=(players, slots))
    agreed = alone + 0.5 * rng.normal(size=(players, slots))
    saving = rng.uniform(-0.2, 1.0, players)
    game = PoolingGame(alone, agreed, saving, 0.3, retail, 0.3 * retail, 0.5)
    whole = float(game.worths(np.ones((1, players), dtype=bool))[0])
    return game, whole * rng.dirichlet(np.ones(players))
