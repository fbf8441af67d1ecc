"""How far apart are the prices that the players would each put on the shared limits?"""

import numpy as np

from nashgrid.market.games.game_data import Floats, GameData, Integers
from nashgrid.market.linear_program import minimise_linear

_TOUCHING = 1e-8


def multiplier_spread(game: GameData, x: Floats) -> float:
    """Return the least spread of the players' multipliers that explains x.

    At a generalised Nash equilibrium every player i has multipliers lambda_i >= 0 of the shared
    limits that touch, with which its own optimality conditions hold:
    its gradient g_i + A_i'lambda_i is 0 on entries inside their bounds, >= 0 on the lower, <= 0
    on the upper bound. It is variational when one lambda serves all. Multipliers need not be
    unique, so two linear programs look for those that agree best: the first finds the least
    failure of the conditions, the second the least sum over limits of the largest difference,
    max_i lambda_i - min_i lambda_i, with that failure.

    Parameters
    ----------
    game : GameData
    x : (n,) array

    Returns
    -------
    float
        0 at a variational equilibrium. Far from a generalised Nash equilibrium it says nothing.

    Raises
    ------
    RuntimeError
        If a linear program was not solved.
    """
    slack = game.shared_limit - game.shared_matrix @ x
    reach = np.abs(game.shared_matrix) @ np.abs(x) + np.abs(game.shared_limit) + 1.0
    rows = game.shared_matrix[slack <= _TOUCHING * reach]
    pairs = [
        (m, player) for m, row in enumerate(rows) for player in np.unique(game.owner[row != 0.0])
    ]
    if not pairs:
        return 0.0
    limit_of, player_of = (np.array(column) for column in zip(*pairs, strict=True))
    gradient = np.concatenate([game.own_gradient(i, x) for i in range(game.players)])
    order = np.concatenate([game.entries(i) for i in range(game.players)])
    gradient = gradient[np.argsort(order)]
    # Stationarity: one column per (limit, player), then one failure per entry.
    stationarity = np.where(game.owner[:, None] == player_of, rows[limit_of].T, 0.0)
    margin = _TOUCHING * (1.0 + np.abs(x))
    not_lower, not_upper = x > game.lower + margin, x < game.upper - margin
    failure = np.eye(x.size)
    conditions = np.vstack(
        [
            np.hstack([stationarity, -failure])[not_lower],
            np.hstack([-stationarity, -failure])[not_upper],
        ]
    )
    bounds = np.concatenate([-gradient[not_lower], gradient[not_upper]])
    return _least_spread(conditions, bounds, limit_of, len(rows))


def _least_spread(conditions: Floats, bounds: Floats, limit_of: Integers, limits: int) -> float:
    """Run both linear programs over (lambda per pair, failure per entry, low, spread per limit)."""
    pairs = limit_of.size
    failures = conditions.shape[1] - pairs
    first = np.concatenate([np.zeros(pairs), np.ones(failures)])
    least = _minimum(first, conditions, bounds)
    identity = np.eye(limits)[limit_of]
    none = np.zeros((pairs, failures))
    between = np.vstack(
        [
            np.hstack([np.eye(pairs), none, -identity, -identity]),
            np.hstack([-np.eye(pairs), none, identity, 0.0 * identity]),
        ]
    )
    padding = np.zeros(2 * limits)
    matrix = np.vstack(
        [
            np.hstack([conditions, np.zeros((len(conditions), 2 * limits))]),
            np.concatenate([first, padding]),
            between,
        ]
    )
    room = 1e-9 * max(1.0, float(np.abs(bounds).max(initial=0.0)))
    right = np.concatenate([bounds, [least + room], np.zeros(2 * pairs)])
    cost = np.concatenate([np.zeros(pairs + failures + limits), np.ones(limits)])
    return _minimum(cost, matrix, right)


def _minimum(cost: Floats, matrix: Floats, right: Floats) -> float:
    """Return the least cost'v over v >= 0 with matrix v <= right."""
    lower, upper = np.zeros(cost.size), np.full(cost.size, np.inf)
    solution = minimise_linear(cost, matrix, right, lower=lower, upper=upper)
    if solution.status != "optimal":
        raise RuntimeError(f"the multipliers could not be compared: {solution.status}")
    return solution.value
