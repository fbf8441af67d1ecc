"""The Kalai-Smorodinsky solution: everybody gets the same share of its ideal gain."""

import numpy as np

from nashgrid.market.bargaining.agreement import agreement_kept, pareto_gap
from nashgrid.market.bargaining.ideal_gains import ideal_gains
from nashgrid.market.bargaining.lexicographic import raise_together
from nashgrid.market.bargaining.outcome import BargainingOutcome, KalaiSmorodinskyCertificate
from nashgrid.market.bargaining.problem import BargainingProblem


def kalai_smorodinsky(
    problem: BargainingProblem,
) -> BargainingOutcome[KalaiSmorodinskyCertificate]:
    """Return the Kalai-Smorodinsky solution.

    ::

        maximise r  subject to  u_i - d_i >= r ideal_i for all i,
        ideal_i = max u_i - d_i with nobody below disagreement.

    For two players it is the one solution that is Pareto efficient, symmetric, invariant to the
    scales of the utilities, and monotone: when the set grows and the other's ideal gain stays,
    a player does not lose. For three and more the point of equal ratios may leave room; the
    ratios are then raised lexicographically (Imai 1983).

    A player with nothing to gain stays at its disagreement utility.

    Parameters
    ----------
    problem : BargainingProblem

    Returns
    -------
    BargainingOutcome
        Utilities and certificate; the problem's variables hold the agreement.

    Raises
    ------
    ValueError
        If no point is individually rational, or the set is empty or unbounded.
    RuntimeError
        If the solver could not decide.

    References
    ----------
    Kalai and Smorodinsky 1975, Other solutions to Nash's bargaining problem, Econometrica
    43(3). Imai 1983, Econometrica 51(2).
    """
    ideal = ideal_gains(problem)
    utilities = raise_together(problem, ideal)
    gains = utilities - problem.floor
    ratios = np.divide(gains, ideal, out=np.full(problem.players, np.nan), where=ideal > 0)
    counted = ratios[ideal > 0]
    with agreement_kept(problem):
        gap = pareto_gap(problem, utilities, ideal)
    return BargainingOutcome(
        utilities,
        KalaiSmorodinskyCertificate(
            ideal=problem.floor + ideal,
            gain_ratios=ratios,
            ratio_spread=float(np.ptp(counted)) if counted.size else 0.0,
            pareto_gap=gap,
            least_gain=float(gains.min()),
        ),
    )
