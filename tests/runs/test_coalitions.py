"""Values of the pooling game as the markets use them."""

import numpy as np
import pandas as pd
import pytest

from nashgrid.market.bargaining import nucleolus, shapley
from nashgrid.market.bargaining.pooling_game import PoolingGame
from nashgrid.runs.coalitions import (
    MOST_GROUPS,
    groups,
    nucleolus_of_kinds,
    shapley_value,
    shapley_with_error,
)


def pool(players: int) -> PoolingGame:
    rng = np.random.default_rng(players)
    power = rng.normal(size=(players, 3))
    retail, feed_in = np.full(3, 0.3), np.full(3, 0.1)
    game = PoolingGame(power, power, np.zeros(players), 0.0, retail, feed_in, 1.0)
    saving = game.bill(power)
    surplus = float(saving.sum() - game.bill(power.sum(axis=0)))
    return PoolingGame(power, power, saving, surplus, retail, feed_in, 1.0)


def test_few_players_are_valued_exactly() -> None:
    game, kind = pool(6), pd.Series(["house"] * 6)
    of_all = game.of_groups(np.arange(6))
    assert shapley_value(game, kind) == pytest.approx(shapley(of_all), abs=1e-12)
    assert nucleolus_of_kinds(game, kind) == pytest.approx(nucleolus(of_all), abs=1e-9)
    _, error, orders = shapley_with_error(game)
    assert (error.max(), orders) == (0.0, 0)


def test_many_players_are_valued_from_a_stated_sample() -> None:
    game = pool(14)
    value, error, orders = shapley_with_error(game)
    exact = shapley(game.of_groups(np.arange(14)))
    assert orders == 20_000
    assert value.sum() == pytest.approx(game.surplus, abs=1e-9)
    assert 0 < error.max() < 0.02 * game.surplus
    assert (np.abs(value - exact) < 5 * error).all()
    # The same again: a verification draws the same orders.
    assert (shapley_with_error(game)[0] == value).all()


def test_a_kind_gets_its_part_of_the_nucleolus_and_divides_it_by_energy() -> None:
    game = pool(14)
    kind = pd.Series(["house", "shop"] * 7)
    value = nucleolus_of_kinds(game, kind)
    of_kinds = nucleolus(game.of_groups(groups(game, kind)))
    assert value.sum() == pytest.approx(game.surplus, abs=1e-9)
    houses = value[::2]
    assert sorted([houses.sum(), value[1::2].sum()]) == pytest.approx(sorted(of_kinds), abs=1e-9)
    np.testing.assert_allclose(
        houses / houses.sum(), game.traded_kwh[::2] / game.traded_kwh[::2].sum()
    )


def test_kinds_beyond_the_most_are_one_group_of_those_that_trade_least() -> None:
    game = pool(20)
    found = groups(game, pd.Series([f"kind {number}" for number in range(20)]))
    assert found.max() == MOST_GROUPS - 1
    last = found == MOST_GROUPS - 1
    assert last.sum() == 20 - MOST_GROUPS + 1
    assert game.traded_kwh[last].max() < game.traded_kwh[~last].min()
