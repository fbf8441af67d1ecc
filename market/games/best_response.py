"""What one player does best when the others stay where they are."""

import numpy as np

from nashgrid.market.games.game_data import Floats, GameData
from nashgrid.market.games.quadratic_program import InfeasibleProgramError, minimise_quadratic

_ROUNDING = 1e-11


def best_response(game: GameData, player: int, x: Floats, proximal: float = 0.0) -> Floats:
    """Return the entries of one player that cost it least, the others' as in x.

    The player minimises 1/2 z'Q_i z + c_i'z + tau/2 ||z_own - x_own||^2 over its own entries,
    within its own bounds and within what the others leave of the shared limits.

    Parameters
    ----------
    game : GameData
    player : int
    x : (n,) array
        A point of the game; of the player's own entries only the proximal term takes note.
    proximal : float
        The weight tau >= 0.

    Returns
    -------
    (n_i,) array
        The player's own entries, in the order of the game's entries.

    Raises
    ------
    ValueError
        If the player's cost is not convex in its own entries or falls without bound.
    InfeasibleProgramError
        If the others leave the player no point within the shared limits.
    """
    own = game.entries(player)
    hessian = game.cost_matrices[player][np.ix_(own, own)] + proximal * np.eye(own.size)
    gradient = game.own_gradient(player, x) - hessian @ x[own]
    terms = np.abs(game.cost_matrices[player][own]) @ np.abs(x)
    rounding = _ROUNDING * float(np.max(terms + np.abs(game.cost_vectors[player][own])))
    matrix = game.shared_matrix[:, own]
    concerned = np.any(matrix != 0.0, axis=1)
    room = game.shared_limit - game.shared_matrix @ x + matrix @ x[own]
    try:
        return minimise_quadratic(
            hessian,
            gradient,
            game.lower[own],
            game.upper[own],
            matrix[concerned],
            room[concerned],
            rounding,
        )
    except InfeasibleProgramError:
        raise InfeasibleProgramError(
            f"player {player}: no point satisfies its bounds and what the others leave of "
            f"the shared limits"
        ) from None
    except ValueError as error:
        raise ValueError(f"player {player}: {error}") from None
