"""Shapley value, nucleolus and least core against published games and independent criteria."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from nashgrid.market.bargaining import (
    CoalitionalGame,
    least_core,
    nucleolus,
    sample_shapley,
    shapley,
)

GLOVES = CoalitionalGame(3, lambda s: float(0 in s and len(s) > 1))


def bankruptcy(estate: float) -> CoalitionalGame:
    """Aumann and Maschler 1985: a group is worth what the others' claims leave."""
    claims = (100, 200, 300)

    def value(group: frozenset[int]) -> float:
        return max(0.0, estate - sum(claims[i] for i in range(3) if i not in group))

    return CoalitionalGame(3, value)


def random_game(players: int, seed: int) -> CoalitionalGame:
    generator = np.random.default_rng(seed)
    # Whole numbers make ties, which is where sequences of linear programs go astray.
    worths = generator.integers(0, 6, size=2**players).astype(float)
    worths[0] = 0.0
    worths[-1] = worths.max() * 1.5 + players * 6
    return CoalitionalGame(players, lambda s: worths[sum(1 << i for i in s)])


def proper_coalitions(players: int) -> list[frozenset[int]]:
    return [
        frozenset(group)
        for size in range(1, players)
        for group in combinations(range(players), size)
    ]


def test_gloves() -> None:
    np.testing.assert_allclose(shapley(GLOVES), [2 / 3, 1 / 6, 1 / 6], rtol=1e-14)
    # The two right gloves compete each other down to nothing.
    np.testing.assert_allclose(nucleolus(GLOVES), [1, 0, 0], atol=1e-12)
    epsilon, allocation = least_core(GLOVES)
    assert epsilon == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(allocation, [1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("estate", "expected"),
    [(100, [100 / 3] * 3), (200, [50, 75, 75]), (300, [50, 100, 150])],
)
def test_the_nucleolus_settles_the_estates_of_the_talmud(
    estate: float, expected: list[float]
) -> None:
    np.testing.assert_allclose(nucleolus(bankruptcy(estate)), expected, rtol=1e-12)


def test_least_core_of_a_majority_game() -> None:
    # Any two of three win 1: the core is empty, and at (1/3, 1/3, 1/3) each pair lacks 1/3.
    game = CoalitionalGame(3, lambda s: float(len(s) >= 2))
    epsilon, allocation = least_core(game)
    assert epsilon == pytest.approx(1 / 3, rel=1e-12)
    np.testing.assert_allclose(allocation, [1 / 3] * 3, rtol=1e-12)
    np.testing.assert_allclose(nucleolus(game), [1 / 3] * 3, rtol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_shapley_is_the_mean_over_all_orders(players: int, seed: int) -> None:
    game = random_game(players, seed)
    orders = list(permutations(range(players)))
    mean = np.zeros(players)
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            mean[player] += game.worth(before | {player}) - game.worth(before)
    np.testing.assert_allclose(shapley(game), mean / len(orders), rtol=1e-12, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_nucleolus_meets_kohlbergs_criterion(players: int, seed: int) -> None:
    # Kohlberg 1971: for every level of excess, the coalitions at or above it are balanced:
    # positive weights on them (and weights >= 0 on players held at their own worth) add up to
    # the same for every player.
    game = random_game(players, seed)
    x = nucleolus(game)
    groups = proper_coalitions(players)
    assert x.sum() == pytest.approx(game.worth(frozenset(range(players))), rel=1e-12)
    assert all(x[i] >= game.worth(frozenset({i})) - 1e-9 for i in range(players))
    excess = np.array([game.worth(s) - sum(x[i] for i in s) for s in groups])
    held = [np.eye(players)[i] for i in range(players) if x[i] <= game.worth(frozenset({i})) + 1e-9]
    for level in excess:
        chosen = [
            np.array([float(i in s) for i in range(players)])
            for s, e in zip(groups, excess, strict=True)
            if e >= level - 1e-9
        ]
        weights = linprog(
            np.zeros(len(chosen) + len(held)),
            A_eq=np.column_stack(chosen + held),
            b_eq=np.ones(players) * 1e3,
            bounds=[(1.0, None)] * len(chosen) + [(0.0, None)] * len(held),
        )
        assert weights.status == 0, f"the coalitions with excess >= {level} are not balanced"


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_least_core_is_attained_and_shared_with_the_nucleolus(players: int, seed: int) -> None:
    game = random_game(players, seed)
    epsilon, allocation = least_core(game)
    assert allocation.sum() == pytest.approx(game.worth(frozenset(range(players))), rel=1e-12)
    for x in (allocation, nucleolus(game)):
        worst = max(game.worth(s) - sum(x[i] for i in s) for s in proper_coalitions(players))
        # Here everybody's own worth is met in the least core, so that the nucleolus lies in it.
        assert worst == pytest.approx(epsilon, abs=1e-9)


def test_convex_games_have_both_in_the_core() -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    game = CoalitionalGame(5, lambda s: float(sum(weights[i] for i in s) ** 2))
    for x in (shapley(game), nucleolus(game)):
        worst = max(game.worth(s) - sum(x[i] for i in s) for s in proper_coalitions(5))
        assert worst <= 1e-9
    # v(S) = w(S)^2 splits into w_i w_j for each pair, shared equally: phi_i = w_i w(N).
    np.testing.assert_allclose(shapley(game), weights * weights.sum(), rtol=1e-12)


def test_sampled_shapley_covers_the_truth_and_replays() -> None:
    generator = np.random.default_rng(7)
    weights = generator.uniform(0.5, 2.0, 20)
    game = CoalitionalGame(20, lambda s: float(sum(weights[i] for i in s) ** 2))
    truth = weights * weights.sum()
    estimate = sample_shapley(game, permutations=400, seed=3, confidence=0.999)
    assert np.all((estimate.lower <= truth) & (truth <= estimate.upper))
    assert (estimate.upper - estimate.lower).max() <= 0.5 * truth.max()
    assert estimate.values.sum() == pytest.approx(weights.sum() ** 2, rel=1e-12)
    again = sample_shapley(game, permutations=400, seed=3)
    np.testing.assert_array_equal(estimate.values, again.values)
    assert np.all(again.upper - again.lower < estimate.upper - estimate.lower)
    np.testing.assert_array_equal(shapley(game, permutations=400, seed=3), estimate.values)
    assert np.any(shapley(game, permutations=400, seed=4) != estimate.values)


def test_confidence_intervals_cover_as_often_as_they_say() -> None:
    truth = shapley(GLOVES)
    runs = [sample_shapley(GLOVES, permutations=200, seed=s, confidence=0.9) for s in range(300)]
    covered = np.mean([(r.lower <= truth) & (truth <= r.upper) for r in runs], axis=0)
    # 300 runs: standard deviation 0.017, and the rare marginals make the interval a bit short.
    assert np.all((covered >= 0.84) & (covered <= 0.95))


def test_each_coalition_is_asked_for_once() -> None:
    asked: list[frozenset[int]] = []

    def value(group: frozenset[int]) -> float:
        asked.append(group)
        return float(len(group) ** 2)

    game = CoalitionalGame(4, value)
    shapley(game)
    nucleolus(game)
    assert len(asked) == len(set(asked)) == 16


def test_one_player() -> None:
    game = CoalitionalGame(1, lambda s: 5.0 * len(s))
    np.testing.assert_array_equal(shapley(game), [5.0])
    np.testing.assert_array_equal(nucleolus(game), [5.0])
    with pytest.raises(ValueError, match="needs two players at least"):
        least_core(game)


def test_bad_games_are_named() -> None:
    for players in (0, 2.5, np.inf):
        with pytest.raises(ValueError, match=f"whole number of players, 1 at least; got {players}"):
            CoalitionalGame(players, lambda s: 0.0)
    with pytest.raises(ValueError, match="the empty coalition must be worth 0, got 1"):
        CoalitionalGame(2, lambda s: 1.0)
    with pytest.raises(ValueError, match=r"coalition \[0, 1\] must have a finite worth: nan"):
        shapley(CoalitionalGame(2, lambda s: np.nan if len(s) == 2 else 0.0))
    with pytest.raises(ValueError, match="alone the players are worth 2, together 1"):
        nucleolus(CoalitionalGame(2, lambda s: float(len(s) > 0)))
    with pytest.raises(ValueError, match="up to 15 players, got 16"):
        nucleolus(CoalitionalGame(16, lambda s: float(len(s))))
    with pytest.raises(ValueError, match="permutations must be >= 2, got 1"):
        sample_shapley(GLOVES, permutations=1)
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\), got 1"):
        sample_shapley(GLOVES, confidence=1.0)
