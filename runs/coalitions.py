"""What prosumers are worth to each other: values of the pooling game, for rules and for claims."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.market.bargaining.nucleolus import nucleolus
from nashgrid.market.bargaining.pooling_game import PoolingGame
from nashgrid.market.bargaining.shapley import shapley
from nashgrid.market.messages import Floats

MOST_EXACT = 10
"""With so many prosumers the Shapley value is exact; with more, random orders are drawn."""
MOST_GROUPS = 12
"""The nucleolus is that of so many groups at most."""
SEED = 0
_NUMBERS, _FEWEST, _MOST = 20_000_000, 32, 20_000
_NOTHING = 1e-9


def contributions(game: PoolingGame, kind: pd.Series) -> Floats:
    """(n,) what each adds to the savings of all others [currency]."""
    return game.marginal_contributions()


def shapley_value(game: PoolingGame, kind: pd.Series) -> Floats:
    """(n,) the Shapley value, exact for few, from random orders with a fixed seed for many."""
    return shapley_with_error(game)[0]


def shapley_with_error(game: PoolingGame) -> tuple[Floats, Floats, int]:
    """Shapley value, standard error (0 where exact), and how many orders were drawn (0)."""
    if game.players <= MOST_EXACT:
        exact = shapley(game.of_groups(np.arange(game.players)))
        return _not_negative(exact), np.zeros(game.players), 0
    orders = int(np.clip(_NUMBERS // game.alone_kw.size, _FEWEST, _MOST))
    value, error = game.shapley(orders, SEED)
    return _not_negative(value), error, orders


def nucleolus_of_kinds(game: PoolingGame, kind: pd.Series) -> Floats:
    """(n,) the nucleolus among groups; within a group by energy traded.

    The groups are the prosumers themselves where they are few, otherwise their kinds; where there
    are more kinds than `MOST_GROUPS`, those that trade least form one group.
    """
    group = groups(game, kind)
    of_groups = nucleolus(game.of_groups(group))
    energy = game.traded_kwh
    whole = np.bincount(group, energy)[group]
    size = np.bincount(group)[group]
    share = np.where(whole > 0, energy / np.where(whole > 0, whole, 1.0), 1 / size)
    return _not_negative(of_groups[group] * share)


def groups(game: PoolingGame, kind: pd.Series) -> NDArray[np.intp]:
    """(n,) the group of each, 0..G-1."""
    if game.players <= MOST_GROUPS:
        return np.arange(game.players)
    code, _ = pd.factorize(kind)
    energy = np.bincount(code, game.traded_kwh)
    rank = np.argsort(np.argsort(-energy, kind="stable"), kind="stable")
    return np.asarray(np.minimum(rank, MOST_GROUPS - 1)[code], dtype=np.intp)


def _not_negative(values: Floats) -> Floats:
    """Without the rounding of those who are worth nothing."""
    return np.where(values > _NOTHING * np.abs(values).max(initial=0.0), values, 0.0)
