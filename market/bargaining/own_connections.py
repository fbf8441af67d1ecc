"""Bargaining without transfers: nobody pays anybody but the utility, each for what is its own."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.bargaining.bisection import turning_point
from nashgrid.market.bargaining.problem import Floats

_ROUNDING = 1e-6  # schedules are negotiated within a tolerance


@dataclass(frozen=True)
class OwnConnections:
    """The gains possible when each has its own connection to the utility and pays it alone.

    The schedules are agreed on, and so is what all together take from the utility or give to it in
    every slot: bills that sum to B, income that sums to E. Energy that neighbours pass on to each
    other is not paid for; bargained over is whose import and whose export the rest counts as::

        payment_i = a_i - e_i,   a, e >= 0,   sum a = B,   sum e = E

    so that all payments with sum B - E are possible of which those below 0 sum to -E at most.

    Parameters
    ----------
    saving : (n,) c, what the own cost of each falls by before payments [currency]
    bill, income : B, E >= 0 [currency]

    Raises
    ------
    ValueError
        If those who have an income alone have more than the utility now pays for export.
    """

    saving: Floats
    bill: float
    income: float

    def __post_init__(self) -> None:
        needed = float(self._needed)
        if needed - self.income > _ROUNDING * max(1.0, needed):
            raise ValueError(
                "without transfers no payments are rational: those who must receive something not "
                f"to lose need {needed:.6g}, but the utility pays {self.income:.6g} for export"
            )

    @classmethod
    def of_community(
        cls, saving: Floats, power_kw: Floats, retail: Floats, feed_in: Floats, slot_hours: float
    ) -> "OwnConnections":
        """With (T,) what all together take [kW] at retail, or give at feed-in price."""
        due = slot_hours * np.maximum(retail * power_kw, feed_in * power_kw)
        return cls(saving, float(due.clip(min=0).sum()), float((-due).clip(min=0).sum()))

    @property
    def surplus(self) -> float:
        """S, what all save together [currency]."""
        return float(self.saving.sum()) - self.bill + self.income

    @property
    def ideal(self) -> Floats:
        """(n,) the most that each could gain with nobody below 0: all others pay what they can.

        ::

            ideal_i = min(S, max(c_i, 0) + E - sum_j max(-c_j, 0))
        """
        left = max(self.income - self._needed, 0.0)
        return np.minimum(self.surplus, self.saving.clip(min=0) + left)

    def kalai_smorodinsky(self) -> Floats:
        """(n,) the gains: the same share r of the ideal gain for all, while income lasts.

        ::

            gain_i = r ideal_i                  for those who receive, r limited by E
            gain_i = min(r' ideal_i, c_i)       for the others, r' >= r,   sum gain = S

        Where the income is used up before all of S is shared, those who receive stay, and the
        others rise till they pay nothing: the lexicographic continuation (Imai 1983).
        """
        ideal, surplus = self.ideal, self.surplus
        level = turning_point(
            lambda r: (r * ideal).sum() < surplus and self._received(r * ideal) <= self.income,
            0.0,
            1.0,
        )

        def gains(share: float) -> Floats:
            return np.maximum(level * ideal, np.minimum(share * ideal, self.saving))

        return gains(turning_point(lambda r: bool(gains(r).sum() < surplus), level, 1.0))

    @property
    def _needed(self) -> float:
        return self._received(np.zeros_like(self.saving))

    def _received(self, gain: Floats) -> float:
        """What those who receive something receive in all, where gains are these."""
        return float((gain - self.saving).clip(min=0).sum())
