"""The course of a charge: announcements, until schedules and prices stay."""

import numpy as np

from nashgrid.agents.charge_rules import ChargeRule, Grid
from nashgrid.market.messages import Floats


class ChargeCourse:
    """A rule as it goes, with what an operator hears of the schedules that answer it.

    Parameters
    ----------
    rule : moves the prices
    grid : what the operator knows
    tolerance : schedules and prices stay when they move by no more than this, relative to the
        largest power and to the pace
    maximum_iterations : it gives up after so many announcements

    Attributes
    ----------
    grid : what the operator knows
    iterations : announcements that were answered
    stable : whether schedules and charges stay
    answered_per_kwh : (T, B) prices of the last announcement that was answered
    """

    def __init__(
        self, rule: ChargeRule, grid: Grid, tolerance: float, maximum_iterations: int
    ) -> None:
        self._rule, self.grid = rule, grid
        self._tolerance, self._patience = tolerance, maximum_iterations
        self._last = np.zeros(grid.operator.shape)
        self.iterations = 0
        self.stable = False
        self.answered_per_kwh = rule.price_per_kwh

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to announce."""
        return self.stable or self.iterations >= self._patience

    @property
    def announcement(self) -> dict[str, Floats]:
        """(T, B) each: what is announced next."""
        return {"price": self._rule.price_per_kwh, "imbalance": self._rule.imbalance}

    def hear(self, demand_kw: Floats) -> None:
        """Move the charges after schedules that take (T, B)."""
        rule, last = self._rule, self._last
        self.answered_per_kwh = rule.price_per_kwh.copy()
        rule.hear(demand_kw)
        self.iterations += 1
        moved_kw = np.abs(demand_kw - last).max()
        moved_price = np.abs(rule.price_per_kwh - self.answered_per_kwh).max()
        self._last = demand_kw
        stays = moved_kw <= self._tolerance * np.abs(demand_kw).max()
        if stays and moved_price <= self._tolerance * self.grid.pace_per_kwh:
            self.stable = rule.is_content(demand_kw)
