"""The nucleolus: the allocation that treats the most dissatisfied coalitions best."""

import numpy as np
from numpy.typing import NDArray

from nashgrid.market.bargaining.coalitional_game import CoalitionalGame
from nashgrid.market.bargaining.problem import Floats
from nashgrid.market.linear_program import minimise_linear

_BINDING = 1e-8  # price of a limit, of prices that sum to 1, from which it binds everywhere
_SPANNED = 1e-9


def nucleolus(game: CoalitionalGame) -> Floats:
    """Return the nucleolus.

    Among the allocations x with x(N) = v(N) that give each player at least what it is worth
    alone, the one whose excesses v(S) - x(S), sorted from the largest, are lexicographically
    least. A sequence of linear programs: minimise the largest excess epsilon; hold the
    coalitions that have this excess in every solution (those whose limit has a positive price)
    and whatever they determine; minimise the largest of the rest; until x is determined.

    Parameters
    ----------
    game : CoalitionalGame
        Of up to 15 players.

    Returns
    -------
    (N,) array
        In the core, whenever there is one.

    Raises
    ------
    ValueError
        If the players alone are worth more than all together (there is no individually
        rational allocation), there are more than 15, or a worth is not finite.

    References
    ----------
    Schmeidler 1969, The nucleolus of a characteristic function game, SIAM Journal on Applied
    Mathematics 17(6). Kopelowitz 1967 (the linear programs).
    """
    members, worths = game.table()
    scale = float(np.abs(worths).max()) or 1.0
    worths = worths / scale
    alone = worths[1 << np.arange(game.players)]
    spare = worths[-1] - alone.sum()
    if spare < -1e-12 * game.players:
        raise ValueError(
            f"no allocation is individually rational: alone the players are worth "
            f"{scale * alone.sum():g}, together {scale * worths[-1]:g}"
        )
    if spare <= 1e-12 * game.players:
        return np.asarray(scale * alone)
    rows = members.astype(np.float64)
    held, right = rows[-1:], worths[-1:]
    while True:
        determined = _determined(rows, held)
        if np.all(determined):
            return np.asarray(scale * np.linalg.lstsq(held, right, rcond=None)[0], dtype=np.float64)
        open_rows, open_worths = rows[~determined], worths[~determined]
        epsilon, binding = _least_excess(open_rows, open_worths, held, right, alone)
        held = np.vstack([held, open_rows[binding]])
        right = np.concatenate([right, open_worths[binding] - epsilon])
        held, right = _independent(held, right)


def _determined(rows: Floats, held: Floats) -> NDArray[np.bool_]:
    """Return which coalitions' allocations follow from those that are held."""
    _, singular, directions = np.linalg.svd(held)
    free = directions[np.count_nonzero(singular > _SPANNED) :]
    return np.asarray(np.all(np.abs(rows @ free.T) <= _SPANNED, axis=1))


def _least_excess(
    rows: Floats, worths: Floats, held: Floats, right: Floats, alone: Floats
) -> tuple[float, NDArray[np.bool_]]:
    """Minimise the largest excess; return it and the coalitions that have it in any solution."""
    players = alone.size
    solution = minimise_linear(
        np.append(np.zeros(players), 1.0),
        np.hstack([-rows, -np.ones((len(rows), 1))]),
        -worths,
        lower=np.append(alone, -np.inf),
        upper=np.full(players + 1, np.inf),
        equal_matrix=np.hstack([held, np.zeros((len(held), 1))]),
        equal_limit=right,
    )
    if solution.status != "optimal":
        raise RuntimeError(f"the nucleolus was not found: a linear program is {solution.status}")
    return solution.value, np.asarray(solution.prices > _BINDING)


def _independent(held: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Drop the rows that follow from earlier ones, so that rounding cannot contradict itself."""
    keep: list[int] = []
    for row in range(len(held)):
        if np.linalg.matrix_rank(held[[*keep, row]], tol=_SPANNED) > len(keep):
            keep.append(row)
    return held[keep], right[keep]
