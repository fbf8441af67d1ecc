"""Cournot games: quantities at a price that slopes with their sum, slopes that may differ."""

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.market.games.game_data import Floats
from nashgrid.market.games.quadratic_game import QuadraticGame, VariationalEquilibrium

_PARALLEL = 1e-12


class CournotGame:
    """Player i buys x_it >= its lower bound and pays a_it + b_it sum_j x_jt for each unit.

    It minimises sum_t [1/2 k_it x_it^2 + c_it x_it + (a_it + b_it X_t) x_it], X_t = sum_j x_jt,
    within its own bounds. With slopes b_it = f_i beta_t the game has an exact weighted potential:
    cost i divided by f_i has the gradient

        (k_it x_it + c_it + a_it) / f_i + beta_t (X_t + x_it)

    which is that of one strictly convex function. So the equilibrium is unique even where the game
    as stated is not monotone. Sellers have negative quantities.

    Parameters
    ----------
    curvature, slope_cost : (N, T) arrays
        k >= 0 and c of the players' own costs.
    price : (N, T) or (T,) array
        a, the price where nobody trades.
    price_slope : (N, T) array
        b > 0; a column of factors times a row, f_i beta_t.
    lower, upper : (N, T) arrays or floats
        Bounds; may be infinite.

    Raises
    ------
    ValueError
        If shapes do not fit, or the slopes are not positive or no product f_i beta_t: for general
        slopes no potential is known, and equilibria may be several.

    References
    ----------
    Monderer and Shapley 1996, Potential games, Games and Economic Behavior 14.
    """

    def __init__(
        self,
        curvature: ArrayLike,
        slope_cost: ArrayLike,
        price: ArrayLike,
        price_slope: ArrayLike,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
    ) -> None:
        bend = np.atleast_2d(np.asarray(curvature, dtype=np.float64))
        self.shape = bend.shape
        self.factors, self.slot_slopes = _factors(np.asarray(price_slope, float), self.shape)
        linear = np.broadcast_to(np.asarray(slope_cost, float), self.shape) + np.asarray(price)
        bounds = (np.broadcast_to(np.asarray(b, float), self.shape).ravel() for b in (lower, upper))
        self._lower, self._upper = bounds
        self._bend, self._linear = bend, linear
        self.game = self._stated(np.ones(self.shape[0]))

    def equilibrium(self) -> VariationalEquilibrium:
        """Solve the weighted game, which is monotone, and certify its solution in the game itself.

        Returns
        -------
        VariationalEquilibrium
            `x` holds player by player the quantities of all slots; the certificate's epsilons are
            gains from best responses in the game as stated.

        Raises
        ------
        ValueError
            If there is no equilibrium because quantities are unbounded.
        RuntimeError
            If the solver failed.
        """
        found = self._stated(1 / self.factors).variational_equilibrium()
        return VariationalEquilibrium(found.x, found.multipliers, self.game.certify(found.x))

    def _stated(self, weights: Floats) -> QuadraticGame:
        """The game with each player's cost times its weight."""
        players, slots = self.shape
        count = players * slots
        costs, vectors = np.zeros((players, count, count)), np.zeros((players, count))
        everybody = np.arange(count).reshape(players, slots)
        for player in range(players):
            own = everybody[player]
            slope = self.factors[player] * self.slot_slopes
            for others in everybody:
                costs[player, own, others] += slope
                costs[player, others, own] += slope
            costs[player, own, own] += self._bend[player]
            vectors[player, own] = self._linear[player]
        weighted = weights[:, None]
        return QuadraticGame(
            costs * weighted[:, :, None],
            vectors * weighted,
            np.repeat(np.arange(players), slots),
            self._lower,
            self._upper,
        )


def _factors(price_slope: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """f and beta of slopes f_i beta_t, with mean factor 1."""
    slope = np.atleast_2d(price_slope)
    if slope.shape != shape:
        raise ValueError(f"price_slope must have shape {shape}, got {slope.shape}")
    if not (slope > 0).all() or not np.isfinite(slope).all():
        raise ValueError(f"price_slope must be positive and finite, got {slope.min():g}")
    factors = slope.sum(axis=1) / slope.sum(axis=1).mean()
    slots = slope.mean(axis=0)
    product = np.outer(factors, slots)
    wrong = np.abs(product - slope) > _PARALLEL * slope.max()
    if wrong.any():
        player, slot = (int(index) for index in np.argwhere(wrong)[0])
        raise ValueError(
            f"price_slope must be a factor of the player times a slope of the slot, but that of "
            f"player {player} in slot {slot} is {slope[player, slot]:g}, where the others make it "
            f"{product[player, slot]:g}: no potential is known for general slopes"
        )
    return factors, slots
