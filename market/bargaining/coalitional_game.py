"""A coalitional game: what each group of players is worth by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_PLAYERS = 15
"""Beyond so many players the 2^N coalitions are not gone through one by one."""


@dataclass(frozen=True)
class CoalitionalGame:
    """A game with transferable utility.

    Parameters
    ----------
    players : int
        N; the players are 0..N-1.
    value : callable
        From a frozenset of players to its worth v(S), with v of the empty set 0. Each
        coalition is asked for once and remembered.

    Raises
    ------
    ValueError
        If the number of players is not a whole one, at least 1, or the empty set is worth
        something.

    Examples
    --------
    One left glove, two right gloves; a pair is worth 1:

    >>> game = CoalitionalGame(3, lambda s: float(0 in s and len(s) > 1))
    """

    players: int
    value: Callable[[frozenset[int]], float]
    _known: dict[frozenset[int], float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.players < 1 or not float(self.players).is_integer():
            raise ValueError(
                "a coalitional game needs a whole number of players, 1 at least; got "
                f"{self.players}"
            )
        nothing = self.worth(frozenset())
        if nothing != 0.0:
            raise ValueError(f"the empty coalition must be worth 0, got {nothing:g}")

    def worth(self, coalition: frozenset[int]) -> float:
        """Return v(S).

        Raises
        ------
        ValueError
            If it is not finite.
        """
        if coalition not in self._known:
            worth = float(self.value(coalition))
            if not np.isfinite(worth):
                raise ValueError(f"coalition {sorted(coalition)} must have a finite worth: {worth}")
            self._known[coalition] = worth
        return self._known[coalition]

    def table(self) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return all coalitions and their worths.

        Returns
        -------
        members : (2^N, N) boolean array
            Row k holds the players whose bits are set in k.
        worths : (2^N,) array

        Raises
        ------
        ValueError
            If there are more than 15 players.
        """
        if self.players > MOST_PLAYERS:
            raise ValueError(
                f"all coalitions are listed for up to {MOST_PLAYERS} players, got {self.players}"
            )
        codes = np.arange(2**self.players)
        members = (codes[:, None] >> np.arange(self.players)) & 1 == 1
        worths = [self.worth(frozenset(np.flatnonzero(row).tolist())) for row in members]
        return members, np.array(worths)
