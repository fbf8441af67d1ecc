"""Bargaining when payments must lie in a band: what each may pay per kWh is limited."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.bargaining.bisection import turning_point
from nashgrid.market.bargaining.problem import Floats


@dataclass(frozen=True)
class PriceBand:
    """The gains that each may have when payments lie between two prices for every kWh traded.

    Player i pays between dt sum_t min(low_t p_it, high_t p_it) and dt sum_t max(low_t p_it,
    high_t p_it), so its gain g_i - payment lies between two bounds; all gains sum to S.

    Parameters
    ----------
    least, most : (n,) least and most gain of each; least is at least 0 [currency]
    surplus : S [currency]

    Raises
    ------
    ValueError
        If no payments within the band leave everybody at 0 or above.
    """

    least: Floats
    most: Floats
    surplus: float

    def __post_init__(self) -> None:
        slack = 1e-9 * max(1.0, abs(self.surplus))
        short = self.least - self.most
        if (short > slack).any():
            worst = int(np.argmax(short))
            raise ValueError(
                f"the price band holds no rational payments: player {worst} would lose "
                f"{-self.most[worst]:.6g} at best"
            )
        if not self.least.sum() - slack <= self.surplus <= self.most.sum() + slack:
            raise ValueError(
                "the price band holds no rational payments: within it the gains sum to "
                f"{self.least.sum():.6g} to {self.most.sum():.6g}, but {self.surplus:.6g} is to "
                "be shared"
            )

    @property
    def ideal(self) -> Floats:
        """(n,) the most that each could gain with nobody below 0."""
        others = self.least.sum() - self.least
        return np.asarray(np.maximum(np.minimum(self.most, self.surplus - others), self.least))

    def kalai_smorodinsky(self) -> Floats:
        """(n,) the gains: the same share r of the ideal gain for all, or the least where more.

        ::

            gain_i = max(r ideal_i, least_i),   sum gain_i = S

        The largest r with gain_i >= r ideal_i for all, and then the next smallest ratio, and so
        on (Imai 1983): only those whose least gain is above r times the ideal have more.
        """
        ideal = self.ideal

        def gains(share: float) -> Floats:
            return np.maximum(share * ideal, self.least)

        return gains(turning_point(lambda r: bool(gains(r).sum() < self.surplus), 0.0, 1.0))


def payment_bounds(
    trade_kw: Floats, low_price: Floats, high_price: Floats, slot_hours: float
) -> tuple[Floats, Floats]:
    """Least and most that (n, T) trades may be paid for within a band of prices, (n,) each."""
    one, other = low_price * trade_kw, high_price * trade_kw
    least = slot_hours * np.minimum(one, other).sum(axis=1)
    most = slot_hours * np.maximum(one, other).sum(axis=1)
    return np.asarray(least), np.asarray(most)
