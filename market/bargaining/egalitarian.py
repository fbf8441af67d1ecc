"""The egalitarian solution: everybody gains the same."""

import numpy as np

from nashgrid.market.bargaining.agreement import agreement_kept, pareto_gap
from nashgrid.market.bargaining.ideal_gains import ideal_gains
from nashgrid.market.bargaining.lexicographic import raise_together
from nashgrid.market.bargaining.outcome import BargainingOutcome, EgalitarianCertificate
from nashgrid.market.bargaining.problem import BargainingProblem


def egalitarian(problem: BargainingProblem) -> BargainingOutcome[EgalitarianCertificate]:
    """Return the egalitarian solution.

    ::

        maximise  min_i u_i - d_i   over the feasible u

    and then lexicographically: those who can gain more at nobody's cost do. Unlike the other
    solutions it compares gains between players, so that their common unit, money, matters.

    A player with nothing to gain stays at its disagreement utility and holds nobody back.

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
    Kalai 1977, Proportional solutions to bargaining situations, Econometrica 45(7).
    """
    ideal = ideal_gains(problem)
    # One scale for all: the largest ideal gain, so that tolerances are relative to it.
    scales = np.where(ideal > 0, ideal.max(), 0.0)
    utilities = raise_together(problem, scales)
    gains = utilities - problem.floor
    with agreement_kept(problem):
        gap = pareto_gap(problem, utilities, np.where(scales > 0, 1.0, 0.0))
    return BargainingOutcome(
        utilities,
        EgalitarianCertificate(
            gains=gains,
            gain_spread=float(np.ptp(gains)),
            pareto_gap=gap,
            least_gain=float(gains.min()),
        ),
    )
