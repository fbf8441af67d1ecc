"""The rules of network charges by name, and the terms on which they are run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.agents.charge_rules import (
    OVER_RELAXATION,
    ChargeRule,
    DualAscent,
    Grid,
    NoCharge,
    PriceDifference,
    TollRule,
)
from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.agents.local_problem import Tariff
from nashgrid.grid.network_charges.tolls import (
    distance_tolls,
    laterals,
    uniform_tolls,
    zonal_tolls,
)
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import Floats


def _by_distance(grid: Grid) -> TollRule:
    operator = grid.operator
    return TollRule(grid, distance_tolls(operator.feeder, operator.trading_buses, 1.0))


def _by_zones(grid: Grid) -> TollRule:
    operator = grid.operator
    zones = laterals(operator.feeder)
    return TollRule(grid, zonal_tolls(operator.feeder, operator.trading_buses, zones, 1.0))


RULES: Mapping[str, Callable[[Grid], ChargeRule]] = {
    "none": NoCharge,
    "uniform": lambda grid: TollRule(grid, uniform_tolls(grid.operator.shape[1], 1.0)),
    "distance": _by_distance,
    "zonal": _by_zones,
    "price-difference": PriceDifference,
    "dual-ascent": DualAscent,
}
"""Rules by name."""


def topic_of(rule: str) -> str:
    """The name of the exchange in which a rule is run."""
    return f"charges {rule}"


@dataclass(frozen=True)
class ChargeTerms:
    """What all rules have in common.

    Parameters
    ----------
    tariff : of the utility at the root
    fixed_cost : what the charges have to bring in beside the losses [currency]
    tolerance : schedules and prices stay when they move by no more than this, relative to the
        largest power and the mean retail price
    maximum_iterations : a rule gives up after so many announcements

    Raises
    ------
    ValueError
        If a number has no meaning.
    """

    tariff: Tariff
    fixed_cost: float
    tolerance: float
    maximum_iterations: int

    def __post_init__(self) -> None:
        fixed_cost, tolerance, most = self.fixed_cost, self.tolerance, self.maximum_iterations
        if not 0 <= fixed_cost < np.inf or not 0 < tolerance < 1 or most < 1:
            raise ValueError(
                f"fixed_cost = {fixed_cost:g} must be at least 0, tolerance = {tolerance:g} in "
                f"(0, 1) and maximum_iterations = {most} at least 1"
            )

    @property
    def pace_per_kwh(self) -> float:
        """The price to which a schedule yields by its agent's size: the mean retail price."""
        return float(np.abs(self.tariff.retail_price_per_kwh).mean())

    def exchange_rules(self, rule: str) -> ExchangeRules:
        """How agents answer: a proximal term of stiffness pace / size, and one round's memory."""
        return ExchangeRules(
            step=self.pace_per_kwh,
            tolerance=self.tolerance,
            maximum_rounds=self.maximum_iterations,
            over_relaxation=OVER_RELAXATION if rule == "price-difference" else 1.0,
            memory=1,
        )

    def grid(self, operator: DeliveryProblem, size_kw: Floats) -> Grid:
        """What the operator knows, with the (B,) sizes of the agents at its places.

        Raises
        ------
        ValueError
            If the operator does not see the wires by LinDistFlow.
        """
        if not isinstance(operator, OperatorProblem):
            raise ValueError("network charges need LinDistFlow")
        return Grid(operator, self.tariff, size_kw, self.pace_per_kwh, self.fixed_cost)

    def course(self, rule: str, grid: Grid) -> ChargeCourse:
        """A rule at its beginning."""
        return ChargeCourse(RULES[rule](grid), grid, self.tolerance, self.maximum_iterations)
