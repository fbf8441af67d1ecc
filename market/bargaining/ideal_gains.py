"""What each player could gain at best, and whether there is anything to bargain about."""

import cvxpy as cp
import numpy as np

from nashgrid.market.bargaining.maximisation import maximise
from nashgrid.market.bargaining.problem import BargainingProblem, Floats

_NOTHING = 1e-8


def ideal_gains(problem: BargainingProblem) -> Floats:
    """Return the most that each player can gain with nobody below disagreement.

    ::

        ideal_i = max u_i - d_i  subject to  u_j >= d_j for all j

    A gain that is less than 1e-8 of the largest number involved is nothing, and returned as 0.

    Parameters
    ----------
    problem : BargainingProblem

    Returns
    -------
    (N,) array

    Raises
    ------
    ValueError
        If the constraints admit no point, no point is individually rational, or a utility is
        unbounded.
    RuntimeError
        If the solver could not decide.
    """
    feasible = [*problem.constraints]
    least = cp.Variable()
    status, level = maximise(least, feasible + [gain >= least for gain in problem.gains])
    if status == "infeasible":
        raise ValueError("the constraints of the bargaining problem admit no point")
    if status == "unbounded":
        raise ValueError("the bargaining problem is unbounded: all utilities grow without limit")
    size = float(np.abs(problem.floor).max())
    if level < -_NOTHING * max(1.0, size):
        gains = [float(np.asarray(gain.value).item()) for gain in problem.gains]
        worst = int(np.argmin(gains))
        raise ValueError(
            "no point is individually rational: at best the least gain over the disagreement "
            f"point is {level:g} (there player {worst} has {gains[worst] + problem.floor[worst]:g} "
            f"against {problem.floor[worst]:g})"
        )
    rational = feasible + [gain >= min(level, 0.0) for gain in problem.gains]
    ideal = np.zeros(problem.players)
    for player, gain in enumerate(problem.gains):
        status, ideal[player] = maximise(gain, rational)
        if status != "optimal":
            raise ValueError(
                f"the bargaining problem is {status}: the utility of player {player} with nobody "
                "below disagreement"
            )
    ideal[ideal <= _NOTHING * max(size, float(ideal.max()))] = 0.0
    return ideal
