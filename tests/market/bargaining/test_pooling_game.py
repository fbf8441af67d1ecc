"""What coalitions of prosumers save: by hand, against plain sums, and what their values sum to."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.market.bargaining import nucleolus, shapley
from nashgrid.market.bargaining.pooling_game import PoolingGame


def by_hand() -> PoolingGame:
    """One slot at .30 and .10: a seller of 1 kWh, buyers of .2 and 1 kWh; nobody moves."""
    power = np.array([[-1.0], [0.2], [1.0]])
    return PoolingGame(
        alone_kw=power,
        agreed_kw=power,
        saving=np.array([-0.10, 0.06, 0.30]),
        surplus=0.20,
        retail_price=np.array([0.3]),
        feed_in_price=np.array([0.1]),
        slot_hours=1.0,
    )


@st.composite
def games(draw: st.DrawFn) -> PoolingGame:
    players, slots = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    retail = rng.uniform(0.1, 0.4, slots)
    alone = rng.normal(size=(players, slots))
    agreed = alone + 0.5 * rng.normal(size=(players, slots))
    game = PoolingGame(alone, agreed, np.zeros(players), 0.0, retail, 0.5 * retail, 0.5)
    # Nobody gains by carrying out its part alone; losses cost .01.
    saving = game.bill(agreed) - rng.uniform(0.0, 0.05, players)
    surplus = float(saving.sum() - game.bill(agreed.sum(axis=0)) - 0.01)
    return PoolingGame(alone, agreed, saving, surplus, retail, 0.5 * retail, 0.5)


def worth_by_sums(game: PoolingGame, members: list[int]) -> float:
    """v of a coalition in plain Python, losses shared by energy."""

    def bill(power: np.ndarray) -> float:
        prices = zip(power, game.retail_price, game.feed_in_price, strict=True)
        return game.slot_hours * sum((lb if p > 0 else ls) * p for p, lb, ls in prices)

    energy = np.abs(game.agreed_kw).sum(axis=1)
    losses = game.saving.sum() - bill(game.agreed_kw.sum(axis=0)) - game.surplus
    kept = sum(bill(game.alone_kw[i]) for i in members) - bill(game.alone_kw[members].sum(axis=0))
    agreed = sum(game.saving[i] - losses * energy[i] / energy.sum() for i in members)
    return max(kept, agreed - bill(game.agreed_kw[members].sum(axis=0)))


def test_by_hand_a_pair_saves_the_spread_on_what_it_nets() -> None:
    game = by_hand()
    chosen = np.array(list(product([False, True], repeat=3)))
    # Of (seller, small, large): only with the seller anything is saved, .2 per kWh, 1 kWh at most.
    assert game.worths(chosen) == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.04, 0.2])
    assert game.marginal_contributions() == pytest.approx([0.2, 0.0, 0.16])
    # Of six orders the seller adds .04 after small, .2 after large, .2 twice when last; small .04
    # right after the seller; large .2 right after the seller and .16 twice after both.
    value = shapley(game.of_groups(np.arange(3)))
    assert value == pytest.approx([(0.04 + 0.2 + 2 * 0.2) / 6, 0.04 / 6, (0.2 + 2 * 0.16) / 6])
    # Small adds nothing to the others: it gets nothing. Seller x and small are worth .04 without
    # large, who is worth nothing without them: x - .04 = .2 - x.
    assert nucleolus(game.of_groups(np.arange(3))) == pytest.approx([0.12, 0.0, 0.08])


@settings(deadline=None, derandomize=True, max_examples=30)
@given(games())
def test_worths_are_those_of_plain_sums(game: PoolingGame) -> None:
    chosen = np.array(list(product([False, True], repeat=game.players)))
    expected = [worth_by_sums(game, np.flatnonzero(row).tolist()) for row in chosen]
    np.testing.assert_allclose(game.worths(chosen), expected, atol=1e-12)
    # Alone nobody saves anything, and all together at least the surplus.
    alone = game.worths(np.eye(game.players, dtype=bool))
    np.testing.assert_allclose(alone, 0.0, atol=0.05)
    everybody = game.worths(np.ones((1, game.players), dtype=bool))[0]
    assert everybody >= game.surplus - 1e-12


@settings(deadline=None, derandomize=True, max_examples=30)
@given(games())
def test_contributions_are_what_is_missing_without_one(game: PoolingGame) -> None:
    everybody = game.worths(np.ones((1, game.players), dtype=bool))[0]
    without = game.worths(~np.eye(game.players, dtype=bool))
    expected = np.maximum(everybody - without, 0.0)
    np.testing.assert_allclose(game.marginal_contributions(), expected, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=10)
@given(games())
def test_sampled_orders_come_near_the_exact_value(game: PoolingGame) -> None:
    exact = shapley(game.of_groups(np.arange(game.players)))
    estimate, error = game.shapley(4000, seed=3)
    assert estimate.sum() == pytest.approx(exact.sum(), abs=1e-12)
    assert (np.abs(estimate - exact) <= 5 * error + 1e-12).all()


def test_the_standard_error_is_that_of_repeated_estimates() -> None:
    game = by_hand()
    estimates = np.array([game.shapley(100, seed)[0] for seed in range(300)])
    _, error = game.shapley(20_000, seed=0)
    np.testing.assert_allclose(estimates.std(axis=0, ddof=1), error * np.sqrt(200), rtol=0.2)


def test_a_group_is_worth_what_its_members_are() -> None:
    groups = by_hand().of_groups(np.array([0, 1, 1]))
    assert groups.worth(frozenset({1})) == 0.0
    assert groups.worth(frozenset({0, 1})) == pytest.approx(0.2)


def test_one_order_is_no_sample() -> None:
    with pytest.raises(ValueError, match="orders must be >= 2, got 1"):
        by_hand().shapley(1, seed=0)
