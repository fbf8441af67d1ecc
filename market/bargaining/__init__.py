"""Bargaining solutions of convex problems, and solutions of coalitional games."""

from nashgrid.market.bargaining.coalitional_game import CoalitionalGame
from nashgrid.market.bargaining.egalitarian import egalitarian
from nashgrid.market.bargaining.kalai_smorodinsky import kalai_smorodinsky
from nashgrid.market.bargaining.least_core import least_core
from nashgrid.market.bargaining.nash import nash
from nashgrid.market.bargaining.nucleolus import nucleolus
from nashgrid.market.bargaining.outcome import (
    BargainingOutcome,
    EgalitarianCertificate,
    KalaiSmorodinskyCertificate,
    NashCertificate,
)
from nashgrid.market.bargaining.problem import BargainingProblem
from nashgrid.market.bargaining.shapley import ShapleyEstimate, sample_shapley, shapley

__all__ = [
    "BargainingOutcome",
    "BargainingProblem",
    "CoalitionalGame",
    "EgalitarianCertificate",
    "KalaiSmorodinskyCertificate",
    "NashCertificate",
    "ShapleyEstimate",
    "egalitarian",
    "kalai_smorodinsky",
    "least_core",
    "nash",
    "nucleolus",
    "sample_shapley",
    "shapley",
]
