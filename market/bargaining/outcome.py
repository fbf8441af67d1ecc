"""What a bargaining solution returns: utilities, and the numbers that prove them."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from nashgrid.market.bargaining.problem import Floats


@dataclass(frozen=True)
class NashCertificate:
    """Proof of a Nash bargaining solution u with weights a.

    Parameters
    ----------
    excess : float
        max over feasible v >= d of sum_i a_i (v_i - u_i)/(u_i - d_i), over the players who have
        anything to gain. It bounds by how much the logarithm of the Nash product could rise; 0
        at the solution, negative only by the solver's rounding.
    least_gain : float
        min_i u_i - d_i: the solution is individually rational when it is >= 0.
    """

    excess: float
    least_gain: float


@dataclass(frozen=True)
class KalaiSmorodinskyCertificate:
    """Proof of a Kalai-Smorodinsky solution u.

    Parameters
    ----------
    ideal : (N,) array
        The ideal point: the most that each could get with nobody below disagreement.
    gain_ratios : (N,) array
        (u_i - d_i)/(ideal_i - d_i); NaN for a player who has nothing to gain.
    ratio_spread : float
        Largest less smallest gain ratio. 0, except where the point of equal ratios leaves
        somebody room that costs nobody else anything (three players or more).
    pareto_gap : float
        What could be gained still with nobody losing, summed in units of the ideal gains.
    least_gain : float
        min_i u_i - d_i: the solution is individually rational when it is >= 0.
    """

    ideal: Floats
    gain_ratios: Floats
    ratio_spread: float
    pareto_gap: float
    least_gain: float


@dataclass(frozen=True)
class EgalitarianCertificate:
    """Proof of an egalitarian solution u.

    Parameters
    ----------
    gains : (N,) array
        u - d.
    gain_spread : float
        Largest less smallest gain. 0, except where the point of equal gains leaves somebody
        room that costs nobody else anything.
    pareto_gap : float
        What could be gained still with nobody losing, summed over the players.
    least_gain : float
        min_i u_i - d_i: the solution is individually rational when it is >= 0.
    """

    gains: Floats
    gain_spread: float
    pareto_gap: float
    least_gain: float


Certificate = TypeVar("Certificate", covariant=True)


@dataclass(frozen=True)
class BargainingOutcome(Generic[Certificate]):
    """The utilities that a bargaining solution selects.

    Parameters
    ----------
    utilities : (N,) array
    certificate : NashCertificate, KalaiSmorodinskyCertificate or EgalitarianCertificate
    """

    utilities: Floats
    certificate: Certificate
