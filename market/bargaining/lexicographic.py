"""The lexicographic maximum of the least: raise all together, then those who still can."""

from collections.abc import Sequence

import cvxpy as cp
import numpy as np

from nashgrid.market.bargaining.agreement import agreement_kept
from nashgrid.market.bargaining.maximisation import maximum
from nashgrid.market.bargaining.problem import BargainingProblem, Floats

# A player who can rise no further than this, relative to its scale, is stuck.
_STUCK, _STUCK_CURVED = 1e-7, 1e-6
_INSIDE = 1e-8  # slack that keeps an inside in a curved set, for the interior point method


def raise_together(problem: BargainingProblem, scales: Floats) -> Floats:
    """Maximise the smallest scaled gain, then the next smallest, and so on.

    The level t of the gains g_i = (u_i - d_i)/scale_i is raised for all players at once until
    somebody is stuck, that is, cannot have more than t unless another has less. It is then held
    for those who are stuck and raised for the rest. Imai's (1983) extension of the
    Kalai-Smorodinsky solution to more than two players when the scales are the ideal gains.

    Parameters
    ----------
    problem : BargainingProblem
    scales : (N,) array
        0 for players with nothing to gain, who are only kept from falling below disagreement.

    Returns
    -------
    (N,) array
        The utilities; the problem's variables hold the agreement.

    Raises
    ------
    RuntimeError
        If the solver could not decide.

    References
    ----------
    Imai 1983, Individual monotonicity and lexicographic maxmin solution, Econometrica 51(2).
    """
    slack, stuck = (0.0, _STUCK) if problem.linear else (_INSIDE, _STUCK_CURVED)
    feasible = [*problem.constraints]
    feasible += [problem.gains[i] >= -slack for i in np.flatnonzero(scales == 0)]
    gains = {int(i): problem.gains[i] / float(scales[i]) for i in np.flatnonzero(scales > 0)}
    held: dict[int, float] = {}
    if not gains:
        maximum(cp.Constant(0.0), feasible)
    while len(held) < len(gains):
        free = [i for i in gains if i not in held]
        level = cp.Variable()
        kept = feasible + [gains[i] >= value - slack for i, value in held.items()]
        reached = maximum(level, kept + [gains[i] >= level for i in free])
        kept += [gains[i] >= reached - slack for i in free]
        with agreement_kept(problem):
            done = _stuck([gains[i] for i in free], reached, kept, stuck)
        held |= {free[k]: reached for k in done}
    return np.array([float(np.asarray(u.value).item()) for u in problem.utilities])


def _stuck(
    gains: Sequence[cp.Expression],
    level: float,
    constraints: Sequence[cp.Constraint],
    tolerance: float,
) -> list[int]:
    """Return the positions of the players who cannot rise above the level; one at least."""
    together = maximum(sum(gains, cp.Constant(0.0)), constraints)
    if together <= len(gains) * level + tolerance:
        return list(range(len(gains)))
    room = np.array([maximum(gain, constraints) - level for gain in gains])
    return [int(i) for i in np.flatnonzero(room <= max(tolerance, float(room.min())))]
