"""Games of convex quadratic costs, own bounds and shared limits: solve, answer, play."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.market.games import play as playing
from nashgrid.market.games.affine_variational_inequality import (
    solve_affine_variational_inequality,
)
from nashgrid.market.games.best_response import best_response
from nashgrid.market.games.game_certificate import GameCertificate, certify
from nashgrid.market.games.game_data import Floats, game_data
from nashgrid.market.games.monotonicity import require_monotone
from nashgrid.market.games.quadratic_program import minimise_quadratic


@dataclass(frozen=True)
class VariationalEquilibrium:
    """A generalised Nash equilibrium in which all players see the same prices of the limits.

    Parameters
    ----------
    x : (n,) array
    multipliers : (M,) array
        The common price of each shared limit, >= 0.
    certificate : GameCertificate
    """

    x: Floats
    multipliers: Floats
    certificate: GameCertificate


class QuadraticGame:
    """A game in which player i minimises 1/2 x'Q_i x + c_i'x over the entries it owns.

    All entries obey lower <= x <= upper, and all players together obey
    shared_matrix x <= shared_limit.

    Parameters
    ----------
    cost_matrices : sequence of N (n, n) arrays
        Q_i; only the symmetric part counts.
    cost_vectors : sequence of N (n,) arrays
        c_i.
    owner : (n,) integers
        The player, 0..N-1, who owns each entry; everybody owns one at least.
    lower, upper : (n,) arrays or floats
        Bounds; may be infinite, or equal.
    shared_matrix : (M, n) array, optional
    shared_limit : (M,) array, optional

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, a player owns nothing, a lower bound
        exceeds its upper bound, or a shared limit below 0 concerns no entry.

    Notes
    -----
    Multiplying a player's cost by a constant changes none of its best responses, but it changes
    whether the game is monotone and, with shared limits, which equilibrium is the variational
    one: the multipliers are prices in the unit of the costs.

    References
    ----------
    Facchinei and Kanzow 2010, Generalized Nash equilibrium problems, Annals of Operations
    Research 175. Rosen 1965, Econometrica 33(3).

    Examples
    --------
    Two players share x0 + x1 <= 1 and wish for 1 and 1/2 (Facchinei and Kanzow, example A.11):

    >>> game = QuadraticGame(
    ...     [[[2, 0], [0, 0]], [[0, 0], [0, 2]]], [[-2, 0], [0, -1]], [0, 1],
    ...     -10, 10, [[1, 1]], [1],
    ... )
    >>> solution = game.variational_equilibrium()
    >>> solution.x.round(6).tolist(), solution.multipliers.round(6).tolist()
    ([0.75, 0.25], [0.5])
    """

    def __init__(
        self,
        cost_matrices: Sequence[ArrayLike] | ArrayLike,
        cost_vectors: Sequence[ArrayLike] | ArrayLike,
        owner: ArrayLike,
        lower: ArrayLike,
        upper: ArrayLike,
        shared_matrix: ArrayLike | None = None,
        shared_limit: ArrayLike | None = None,
    ) -> None:
        self.data = game_data(
            cost_matrices, cost_vectors, owner, lower, upper, shared_matrix, shared_limit
        )

    def variational_equilibrium(self) -> VariationalEquilibrium:
        """Solve the variational inequality F(x)'(y - x) >= 0 for all feasible y.

        F stacks each player's gradient in its own entries. Monotonicity is checked first.

        Returns
        -------
        VariationalEquilibrium
            With its certificate. Where the game is monotone but not strictly, it is one of
            possibly many.

        Raises
        ------
        ValueError
            If the game is not monotone (with the eigenvalues), no point satisfies the bounds
            and the shared limits, or there is no equilibrium because entries are unbounded.
        RuntimeError
            If the solver failed.
        """
        game = self.data
        jacobian, constant = game.pseudo_gradient()
        require_monotone(jacobian)
        x, multipliers = solve_affine_variational_inequality(
            jacobian, constant, game.lower, game.upper, game.shared_matrix, game.shared_limit
        )
        return VariationalEquilibrium(x, multipliers, certify(game, x))

    def best_response(self, player: int, x: ArrayLike) -> Floats:
        """Return the player's own entries that cost it least, the others' as in x.

        Parameters
        ----------
        player : int
        x : (n,) array
            A point; the player's own entries are ignored.

        Returns
        -------
        (n_i,) array
            In the order of the game's entries, within the player's bounds and what the others
            leave of the shared limits.

        Raises
        ------
        ValueError
            If the cost is not convex in the player's own entries or falls without bound, or
            the others leave the player no point.
        """
        return best_response(self.data, player, self.data.point(x))

    def certify(self, x: ArrayLike) -> GameCertificate:
        """Return the numbers that prove, or disprove, that x is an equilibrium.

        Raises
        ------
        ValueError
            If a best response does not exist.
        """
        return certify(self.data, self.data.point(x))

    def play(
        self,
        method: playing.Method = "gauss-seidel",
        *,
        start: ArrayLike | None = None,
        movers: int = 1,
        relaxation: float = 1.0,
        proximal: float = 0.0,
        seed: int = 0,
        rounds: int = 1000,
        tolerance: float = 1e-10,
    ) -> playing.Play:
        """Let the players answer one another, round after round.

        A player who moves goes from x_i to (1 - h) x_i + h B_i, where B_i is its best response
        with the cost of moving tau/2 ||B_i - x_i||^2 added. In a round everybody moves once.

        Parameters
        ----------
        method : {"gauss-seidel", "jacobi", "random"}
            One after the other in a fixed order, all at once, or one after the other in an
            order drawn anew in each round.
        start : (n,) array, optional
            The first point; by default the feasible point nearest to 0.
        movers : int
            For gauss-seidel and random: how many move at once, each blind to the others.
        relaxation : float
            h in (0, 2].
        proximal : float
            tau >= 0.
        seed : int
            Of the random orders.
        rounds : int
            The play ends after so many.
        tolerance : float
            It converged when no player wants to move an entry by more than this, relative to
            max(1, max |x|).

        Returns
        -------
        Play
            The trace; its outcome says whether it converged, cycles or diverged.

        Raises
        ------
        ValueError
            If a parameter has no meaning, a player's cost is not convex in its own entries or
            falls without bound.
        """
        game = self.data
        if start is None:
            nothing = np.zeros(game.owner.size)
            concerned = np.any(game.shared_matrix != 0.0, axis=1)
            first = minimise_quadratic(
                np.eye(nothing.size),
                nothing,
                game.lower,
                game.upper,
                game.shared_matrix[concerned],
                game.shared_limit[concerned],
            )
        else:
            first = game.point(start)
        return playing.play(
            game,
            first,
            method=method,
            movers=movers,
            relaxation=relaxation,
            proximal=proximal,
            seed=seed,
            rounds=rounds,
            tolerance=tolerance,
        )
