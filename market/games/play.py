"""Playing a game: players answer one another, round after round, and it is named what happens."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nashgrid.market.games.best_response import best_response
from nashgrid.market.games.game_certificate import GameCertificate, certify
from nashgrid.market.games.game_data import Floats, GameData, Integers
from nashgrid.market.games.quadratic_program import InfeasibleProgramError
from nashgrid.market.games.trace import period_of, ran_away

Method = Literal["gauss-seidel", "jacobi", "random"]
Outcome = Literal["converged", "cycle", "diverged", "infeasible", "unfinished"]


@dataclass(frozen=True)
class Play:
    """The trace of a game that was played.

    Parameters
    ----------
    outcome : str
        "converged": no player wants to move by more than the tolerance. "cycle": the same
        points come back, for ever. "diverged": the moves grew a millionfold. "infeasible": a
        player was left no point within the shared limits. "unfinished": the rounds ran out.
    path : (rounds + 1, n) array
        The start and the point after each round.
    distances : (rounds,) array
        The largest distance in a round between an entry and its player's answer.
    period : int
        Rounds after which a cycle repeats; 0 if there is none.
    certificate : GameCertificate or None
        That of the last point, if the play converged.
    """

    outcome: Outcome
    path: Floats
    distances: Floats
    period: int
    certificate: GameCertificate | None

    @property
    def x(self) -> Floats:
        """The last point."""
        return np.asarray(self.path[-1])

    @property
    def rounds(self) -> int:
        """How many rounds were played."""
        return len(self.distances)


def play(
    game: GameData,
    start: Floats,
    *,
    method: Method,
    movers: int,
    relaxation: float,
    proximal: float,
    seed: int,
    rounds: int,
    tolerance: float,
) -> Play:
    """Let the players answer one another; see `QuadraticGame.play` for the parameters."""
    _check(game, method, movers, relaxation, proximal, rounds, tolerance)
    generator = np.random.default_rng(seed)
    size = game.players if method == "jacobi" else movers
    path, distances = [start], list[float]()
    outcome: Outcome = "unfinished"
    period = 0
    for _ in range(rounds):
        order = np.arange(game.players)
        if method == "random":
            generator.shuffle(order)
        try:
            x, distance = _round(game, path[-1], order, size, relaxation, proximal)
        except InfeasibleProgramError:
            outcome = "infeasible"
            break
        path.append(x)
        distances.append(distance)
        if distance <= tolerance * max(1.0, float(np.abs(x).max())):
            outcome = "converged"
            break
        if ran_away(distance, distances[0], start):
            outcome = "diverged"
            break
        period = 0 if method == "random" else period_of(path)
        if period:
            outcome = "cycle"
            break
    proof = certify(game, path[-1]) if outcome == "converged" else None
    return Play(outcome, np.array(path), np.array(distances), period, proof)


def _round(
    game: GameData, x: Floats, order: Integers, size: int, relaxation: float, proximal: float
) -> tuple[Floats, float]:
    """Let every player move once, `size` at a time, each group answering the groups before."""
    x = x.copy()
    distance = 0.0
    for first in range(0, len(order), size):
        seen = x.copy()
        for player in order[first : first + size]:
            own = game.entries(player)
            wish = best_response(game, player, seen, proximal) - seen[own]
            x[own] += relaxation * wish
            distance = max(distance, float(np.abs(wish).max()))
    return x, distance


def _check(
    game: GameData,
    method: str,
    movers: int,
    relaxation: float,
    proximal: float,
    rounds: int,
    tolerance: float,
) -> None:
    """Refuse parameters that have no meaning."""
    if method not in ("gauss-seidel", "jacobi", "random"):
        raise ValueError(f"method must be gauss-seidel, jacobi or random, got {method!r}")
    if not 1 <= movers <= game.players:
        raise ValueError(f"movers must be in 1..{game.players}, got {movers}")
    if method == "jacobi" and movers != 1:
        raise ValueError("jacobi moves everybody at once: movers is for gauss-seidel and random")
    if not 0 < relaxation <= 2:
        raise ValueError(f"relaxation must lie in (0, 2], got {relaxation:g}")
    if not 0 <= proximal < np.inf:
        raise ValueError(f"proximal must be a finite weight >= 0, got {proximal:g}")
    if rounds < 1:
        raise ValueError(f"rounds must be >= 1, got {rounds}")
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be positive, got {tolerance:g}")
