"""Harmonic spectra: the currents that a source injects, relative to its fundamental current."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spectrum:
    """Harmonic currents by order: share of the fundamental, and angle at a fundamental angle of 0.

    Attributes
    ----------
    name, source : str
    share : mapping of order to share, >= 0
    angle_deg : mapping of order to degrees; 0 where none is given
    """

    name: str
    source: str
    share: Mapping[int, float]
    angle_deg: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for order, share in self.share.items():
            if order < 2 or order != int(order):
                raise ValueError(f"spectrum {self.name}: order {order} must be an integer above 1")
            if not 0 <= share < math.inf:
                raise ValueError(f"spectrum {self.name}: the share {share} of order {order} is bad")
        for order in self.angle_deg:
            if order not in self.share:
                raise ValueError(f"spectrum {self.name}: an angle, but no share of order {order}")

    @property
    def total_share(self) -> float:
        """Total harmonic current over the fundamental."""
        return math.sqrt(sum(share**2 for share in self.share.values()))


SIX_PULSE = Spectrum(
    "six-pulse converter",
    "Fourier series of the ideal current of a six-pulse bridge: 1/h for h = 6 k - 1 and 6 k + 1",
    {5: 1 / 5, 7: 1 / 7, 11: 1 / 11, 13: 1 / 13},
    {5: 180.0, 7: 180.0},
)
# 4 % below the 11th and 2 % up to the 17th order would make 6.3 % in all, where 5 % are allowed.
_SCALE = 0.05 / math.sqrt(2 * 0.04**2 + 2 * 0.02**2)
INVERTER_AT_LIMITS = Spectrum(
    "inverter at its limits",
    "IEEE 1547-2018, table 26: odd orders below 11 at most 4 %, below 17 at most 2 % of the rated "
    "current, 5 % in all; here in those proportions at 5 % in all",
    {5: 0.04 * _SCALE, 7: 0.04 * _SCALE, 11: 0.02 * _SCALE, 13: 0.02 * _SCALE},
)
