"""The numbers that prove, or disprove, that a point is an equilibrium of a game."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.games.best_response import best_response
from nashgrid.market.games.game_data import Floats, GameData
from nashgrid.market.games.multiplier_spread import multiplier_spread
from nashgrid.market.games.quadratic_program import minimise_quadratic


@dataclass(frozen=True)
class GameCertificate:
    """Proof of an equilibrium, computed apart from the algorithm that found it.

    The deviations meant: each player alone changes its own entries, within its own bounds and
    what the others leave of the shared limits.

    Parameters
    ----------
    natural_map : float
        ||x - proj_K(x - F(x))||, F the pseudo-gradient, K all bounds and shared limits.
        0 exactly at a variational equilibrium.
    epsilon : (N,) array
        What each player would save by its best response; 0 for all at an equilibrium, whether
        variational or not. Negative only as far as x violates the player's limits.
    relative_epsilon : (N,) array
        epsilon / max(1, |cost|).
    nash_conv : float
        Sum of epsilon.
    multiplier_spread : float
        How far the players' multipliers of the shared limits differ; 0 when variational.
    constraint_violation : float
        Largest violation of a bound or shared limit.
    """

    natural_map: float
    epsilon: Floats
    relative_epsilon: Floats
    nash_conv: float
    multiplier_spread: float
    constraint_violation: float


def certify(game: GameData, x: Floats) -> GameCertificate:
    """Compute the certificate of a point.

    Parameters
    ----------
    game : GameData
    x : (n,) array

    Returns
    -------
    GameCertificate

    Raises
    ------
    ValueError
        If a player's cost is not convex in its own entries, a best response does not exist, or
        no point satisfies the bounds and the shared limits.
    """
    epsilon = np.array([_saving(game, player, x) for player in range(game.players)])
    costs = np.array([game.cost(player, x) for player in range(game.players)])
    jacobian, constant = game.pseudo_gradient()
    concerned = np.any(game.shared_matrix != 0.0, axis=1)
    projected = minimise_quadratic(
        np.eye(x.size),
        jacobian @ x + constant - x,
        game.lower,
        game.upper,
        game.shared_matrix[concerned],
        game.shared_limit[concerned],
    )
    violations = np.concatenate(
        [game.lower - x, x - game.upper, game.shared_matrix @ x - game.shared_limit]
    )
    return GameCertificate(
        natural_map=float(np.linalg.norm(x - projected)),
        epsilon=epsilon,
        relative_epsilon=epsilon / np.maximum(1.0, np.abs(costs)),
        nash_conv=float(epsilon.sum()),
        multiplier_spread=multiplier_spread(game, x),
        constraint_violation=max(0.0, float(violations.max())),
    )


def _saving(game: GameData, player: int, x: Floats) -> float:
    """Return cost(x) - cost(best response), as g'd - d'Hd/2 and not as a difference of costs."""
    own = game.entries(player)
    hessian = game.cost_matrices[player][np.ix_(own, own)]
    step = x[own] - best_response(game, player, x)
    return float(game.own_gradient(player, x) @ step - 0.5 * step @ hessian @ step)
