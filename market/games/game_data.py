"""The data of a quadratic game: checked arrays that every algorithm of this folder reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class GameData:
    """A game of N players over n entries, with M shared limits.

    Parameters
    ----------
    cost_matrices : (N, n, n) array
        Q_i, symmetric.
    cost_vectors : (N, n) array
        c_i.
    owner : (n,) integer array
        The player of each entry.
    lower, upper : (n,) arrays
        Bounds of the entries; may be infinite.
    shared_matrix : (M, n) array
    shared_limit : (M,) array
    """

    cost_matrices: Floats
    cost_vectors: Floats
    owner: Integers
    lower: Floats
    upper: Floats
    shared_matrix: Floats
    shared_limit: Floats

    @property
    def players(self) -> int:
        """Number of players N."""
        return len(self.cost_matrices)

    def entries(self, player: int) -> Integers:
        """Return the indices of the entries that a player owns."""
        if not 0 <= player < self.players:
            raise ValueError(f"player must be in 0..{self.players - 1}, got {player}")
        return np.flatnonzero(self.owner == player)

    def own_gradient(self, player: int, x: Floats) -> Floats:
        """Gradient of a player's cost with respect to its own entries, at x."""
        own = self.entries(player)
        return np.asarray(
            self.cost_matrices[player][own] @ x + self.cost_vectors[player][own], dtype=np.float64
        )

    def cost(self, player: int, x: Floats) -> float:
        """Return a player's cost 1/2 x'Q_i x + c_i'x."""
        return float(x @ (0.5 * self.cost_matrices[player] @ x + self.cost_vectors[player]))

    def pseudo_gradient(self) -> tuple[Floats, Floats]:
        """Return J and q of the pseudo-gradient F(x) = J x + q, each row its owner's."""
        entry = np.arange(len(self.owner))
        return self.cost_matrices[self.owner, entry], self.cost_vectors[self.owner, entry]

    def point(self, x: ArrayLike) -> Floats:
        """Return x as an array, or refuse it if it is not a point of this game."""
        point = np.asarray(x, dtype=np.float64)
        if point.shape != self.owner.shape or not np.all(np.isfinite(point)):
            raise ValueError(f"x must hold {self.owner.size} finite entries, got {x!r}")
        return point


def game_data(
    cost_matrices: Sequence[ArrayLike] | ArrayLike,
    cost_vectors: Sequence[ArrayLike] | ArrayLike,
    owner: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    shared_matrix: ArrayLike | None,
    shared_limit: ArrayLike | None,
) -> GameData:
    """Check what the user gave and return it as arrays; cost matrices are made symmetric.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite (bounds may be), a player owns nothing,
        a lower bound exceeds its upper bound, or a shared limit below 0 concerns no entry.
    """
    player_of = np.atleast_1d(np.asarray(owner))
    if player_of.ndim != 1 or player_of.size == 0:
        raise ValueError("owner must name the player of each entry, one at least")
    entries = player_of.size
    matrices = _finite("cost_matrices", cost_matrices)
    players = len(matrices) if matrices.ndim else 0
    _check_shape("cost_matrices", matrices, (players, entries, entries))
    vectors = _finite("cost_vectors", cost_vectors)
    _check_shape("cost_vectors", vectors, (players, entries))
    if not np.issubdtype(player_of.dtype, np.integer) or not np.array_equal(
        np.unique(player_of), np.arange(players)
    ):
        raise ValueError(
            f"owner must hold the players 0..{players - 1}, each at least once, "
            f"got {player_of.tolist()}"
        )
    low, high = _bounds(lower, upper, entries)
    if (shared_matrix is None) != (shared_limit is None):
        raise ValueError("shared_matrix and shared_limit belong together: give both or none")
    rows = _finite(
        "shared_matrix", np.empty((0, entries)) if shared_matrix is None else shared_matrix
    )
    rows = np.atleast_2d(rows)
    limits = np.atleast_1d(_finite("shared_limit", [] if shared_limit is None else shared_limit))
    _check_shape("shared_matrix", rows, (limits.size, entries))
    _check_shape("shared_limit", limits, (limits.size,))
    _require_meaning(rows, limits)
    symmetric = 0.5 * (matrices + matrices.transpose(0, 2, 1))
    return GameData(symmetric, vectors, player_of.astype(np.intp), low, high, rows, limits)


def _finite(name: str, value: Sequence[ArrayLike] | ArrayLike) -> Floats:
    array = np.array(value, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def _check_shape(name: str, array: Floats, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")


def _require_meaning(matrix: Floats, limit: Floats) -> None:
    """Refuse a shared limit that no entry takes part in and that 0 breaks."""
    broken = np.flatnonzero(~np.any(matrix != 0.0, axis=1) & (limit < 0))
    if broken.size:
        raise ValueError(
            f"shared limit {broken[0]} is {limit[broken[0]]:g}, but no entry takes part in it: no "
            "point satisfies it"
        )


def _bounds(lower: ArrayLike, upper: ArrayLike, entries: int) -> tuple[Floats, Floats]:
    """Return both bounds with one value per entry (a single value counts for all)."""
    low = np.array(lower, dtype=np.float64)
    high = np.array(upper, dtype=np.float64)
    for name, bound in (("lower", low), ("upper", high)):
        if bound.shape not in ((), (entries,)):
            raise ValueError(f"{name} must have shape {(entries,)}, got {bound.shape}")
    low, high = np.broadcast_to(low, entries).copy(), np.broadcast_to(high, entries).copy()
    bad = ~(low <= high) | (low == np.inf) | (high == -np.inf)
    if np.any(bad):
        k = int(np.flatnonzero(bad)[0])
        raise ValueError(f"entry {k}: lower bound {low[k]:g} exceeds upper bound {high[k]:g}")
    return low, high
