"""The Nash bargaining solution: the largest product of gains."""

import cvxpy as cp
import numpy as np
from numpy.typing import ArrayLike

from nashgrid.market.bargaining.agreement import agreement_kept
from nashgrid.market.bargaining.ideal_gains import ideal_gains
from nashgrid.market.bargaining.maximisation import maximise, maximum
from nashgrid.market.bargaining.outcome import BargainingOutcome, NashCertificate
from nashgrid.market.bargaining.problem import BargainingProblem, Floats, Integers

_NEWTON_STEPS = 4


def nash(
    problem: BargainingProblem, weights: ArrayLike | None = None
) -> BargainingOutcome[NashCertificate]:
    """Return the Nash bargaining solution.

    ::

        maximise  prod_i (u_i - d_i)^a_i   over the feasible u >= d

    It is the one solution that is Pareto efficient, symmetric (for equal weights), invariant to
    the scales of the utilities, and independent of irrelevant alternatives. The sum of
    logarithms is maximised, then sharpened by steps on its quadratic model, because the
    logarithm's solver finds the flat top only to 1e-6.

    A player with nothing to gain stays at its disagreement utility and out of the product.

    Parameters
    ----------
    problem : BargainingProblem
    weights : (N,) array, optional
        Bargaining powers a > 0; equal by default.

    Returns
    -------
    BargainingOutcome
        Utilities and certificate; the problem's variables hold the agreement.

    Raises
    ------
    ValueError
        If no point is individually rational, the set is empty or unbounded, or a weight is not
        positive.
    RuntimeError
        If the solver could not decide.

    References
    ----------
    Nash 1950, The bargaining problem, Econometrica 18(2). Weights: Kalai 1977, Nonsymmetric
    Nash solutions, International Journal of Game Theory 6.
    """
    powers = np.ones(problem.players) if weights is None else np.array(weights, dtype=np.float64)
    if powers.shape != (problem.players,) or not np.all((powers > 0) & np.isfinite(powers)):
        raise ValueError(
            f"weights must hold {problem.players} positive finite numbers, got {powers.tolist()}"
        )
    ideal = ideal_gains(problem)
    movers = np.flatnonzero(ideal > 0)
    _maximise_product(problem, ideal, movers, powers[movers] / powers.mean())
    utilities = np.array([float(np.asarray(u.value).item()) for u in problem.utilities])
    gains = utilities - problem.floor
    with agreement_kept(problem):
        excess = _excess(problem, gains, movers, powers)
    return BargainingOutcome(utilities, NashCertificate(excess, float(gains.min())))


def _maximise_product(
    problem: BargainingProblem, ideal: Floats, movers: Integers, powers: Floats
) -> None:
    """Leave the agreement in the problem's variables."""
    ratios = cp.Variable(movers.size)
    feasible = [*problem.constraints]
    feasible += [problem.gains[i] >= 0 for i in np.flatnonzero(ideal == 0)]
    feasible += [
        problem.gains[i] / float(ideal[i]) >= ratios[k] for k, i in enumerate(movers.tolist())
    ]
    if movers.size == 0:
        maximum(cp.Constant(0.0), feasible)
        return
    maximum(powers @ cp.log(ratios), feasible)
    for _ in range(_NEWTON_STEPS):
        relative = ratios / ratios.value - 1.0
        maximum(powers @ (relative - 0.5 * cp.square(relative)), feasible)


def _excess(problem: BargainingProblem, gains: Floats, movers: Integers, powers: Floats) -> float:
    """Return the most that a feasible, individually rational point adds to the log product."""
    rises = [float(powers[i]) * (problem.gains[i] / float(gains[i]) - 1.0) for i in movers]
    rational = [*problem.constraints, *(gain >= 0 for gain in problem.gains)]
    status, excess = maximise(sum(rises, cp.Constant(0.0)), rational)
    return excess if status == "optimal" else float("inf")
