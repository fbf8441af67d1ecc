"""What a kWh costs by the level of its trade: inside a community, between communities, the rest."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LevelFees:
    """What each side of a trade pays for a kWh by its level, rising [currency/kWh].

    Rising fees make the split determinate: as much as can be is matched inside communities, and
    of what is left as much as can be between them.

    Attributes
    ----------
    inside, between, rest : fee of a trade inside a community, between communities, of the rest

    Raises
    ------
    ValueError
        If they do not rise from at least 0.
    """

    inside: float = 0.0
    between: float = 0.0
    rest: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.inside <= self.between <= self.rest < np.inf:
            raise ValueError(
                f"fees per kWh must not fall from level to level: 0 <= inside = {self.inside} <= "
                f"between = {self.between} <= rest = {self.rest} currency/kWh"
            )
