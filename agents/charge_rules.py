"""Rules by which an operator charges for its wires, each as it moves with what it hears.

An operator hears what the schedules take at every place, nothing else, and names a price for each:
energy at the root and the charge. It moves the charges, hears the schedules that answer them, and
so on. All rules are steps of one primal-dual method (Chambolle and Pock 2011): agents answer with a
proximal term towards their last schedule, so that they do not jump, and the operator looks as far
ahead as they moved, 2 d - d'.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.grid.network_charges.dual_ascent import bus_charges, no_multipliers
from nashgrid.grid.network_charges.joint_ascent import JointAscent
from nashgrid.grid.network_charges.tolls import Tolls
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.market.messages import Floats

KEPT_KW, KEPT_PU = 0.1, 1e-4
"""Limits that are exceeded by no more are kept."""
OVER_RELAXATION = 1.6
"""How far what schedules and operator say goes beyond their answers, with price differences."""
_BELOW_THE_BOUND = 0.95
_HELPS = 0.9


@dataclass(frozen=True)
class Grid:
    """What the operator knows.

    Parameters
    ----------
    operator : its terms: limits, losses, what is paid upstream
    tariff : of the utility at the root
    size_kw : (B,) sizes of the agents at each place together, as they say at enrolment
    pace_per_kwh : the price to which a schedule yields by as much as its agent's size
    fixed_cost : what the charges have to bring in beside the losses [currency]
    """

    operator: OperatorProblem
    tariff: Tariff
    size_kw: Floats
    pace_per_kwh: float
    fixed_cost: float

    @property
    def give_kw2h(self) -> Floats:
        """(B,) by how much the schedules at a place together yield to a price [kW2h/currency]."""
        return self.size_kw / self.pace_per_kwh

    def loss_cost(self, demand_kw: Floats) -> float:
        """What the losses cost over the day [currency]."""
        return self.operator.cost(demand_kw) - self.upstream_bill(demand_kw)

    def upstream_bill(self, demand_kw: Floats) -> float:
        """What the energy costs at the root [currency]."""
        return float(self.tariff.bill(demand_kw.sum(axis=1), self.operator.slot_hours))

    def overload(self, demand_kw: Floats) -> tuple[float, float]:
        """How far limits are exceeded [kW], [pu]."""
        return self.operator.violation(demand_kw)

    def keeps_limits(self, demand_kw: Floats) -> bool:
        """Whether limits are exceeded by no more than `KEPT_KW` and `KEPT_PU`."""
        excess_kw, excess_pu = self.overload(demand_kw)
        return excess_kw <= KEPT_KW and excess_pu <= KEPT_PU


class ChargeRule(Protocol):
    """Prices that move with what the schedules take."""

    @property
    def price_per_kwh(self) -> Floats:
        """(T, B) what a kWh costs at every place."""
        ...

    @property
    def imbalance(self) -> Floats:
        """(T, B) by how much schedules are asked to give way, per unit of their size."""
        ...

    def hear(self, demand_kw: Floats) -> None:
        """Move the charges after schedules that take (T, B)."""
        ...

    def is_content(self, demand_kw: Floats) -> bool:
        """Whether the charges stay, once the schedules do; otherwise they have moved on."""
        ...


class TollRule:
    """Tolls for every edge between two places, at a rate that recovers the cost.

    While limits are exceeded it doubles the rate, as long as that takes a tenth off the excess.

    Parameters
    ----------
    tolls : at a rate of 1 currency/kWh
    """

    def __init__(self, grid: Grid, tolls: Tolls) -> None:
        self._grid, self._tolls, self._rate = grid, tolls, 0.0
        self._excess = np.inf
        edges_of_bus = 1.0 + tolls.rows.sum(axis=0)
        self._energy_step = _BELOW_THE_BOUND / float(edges_of_bus @ grid.give_kw2h)
        self._toll_step = _BELOW_THE_BOUND / (tolls.rows * edges_of_bus @ grid.give_kw2h)
        shape = grid.operator.shape
        self._energy = (grid.tariff.retail_price_per_kwh + grid.tariff.feed_in_price_per_kwh) / 2
        self._paid = np.zeros((shape[0], len(tolls.rows)))
        self._last = np.zeros(shape)
        self.imbalance = np.zeros(shape)

    @property
    def price_per_kwh(self) -> Floats:
        """(T, B) energy at the root and the tolls on the way."""
        return np.asarray(self._energy[:, None] + self._paid @ self._tolls.rows)

    def hear(self, demand_kw: Floats) -> None:
        """Move energy price and what is paid on every edge, each within its bounds."""
        ahead = 2 * demand_kw - self._last
        self._last = demand_kw
        self._energy = _energy_price(self._grid, self._energy, ahead, self._energy_step)
        most = self._rate * self._tolls.per_kwh
        moved = self._paid + self._toll_step * (ahead @ self._tolls.rows.T)
        self._paid = np.clip(moved, -most, most)

    def is_content(self, demand_kw: Floats) -> bool:
        """Recover the cost first; then see whether a higher rate keeps the limits."""
        grid = self._grid
        energy = grid.operator.slot_hours * demand_kw
        recovered = (grid.loss_cost(demand_kw) + grid.fixed_cost) / self._tolls.paid(energy)
        excess_kw, _ = grid.overload(demand_kw)
        if self._rate < 0.999 * recovered:
            self._rate = recovered
        elif not grid.keeps_limits(demand_kw) and excess_kw < _HELPS * self._excess:
            self._rate *= 2
        else:
            return True
        self._excess = excess_kw
        return False


class NoCharge(TollRule):
    """Energy at the tariff, whatever the wires."""

    def __init__(self, grid: Grid) -> None:
        places = grid.operator.shape[1]
        super().__init__(grid, Tolls(np.zeros((0, places)), np.zeros(0)))

    def is_content(self, demand_kw: Floats) -> bool:
        """There is nothing to move."""
        return True


class DualAscent:
    """A multiplier for either direction of every line, for voltages and losses.

    Counter-flow is paid (`nashgrid.grid.network_charges.dual_ascent`). All multipliers move in one
    step, in the metric of what the schedules yield (`JointAscent`).
    """

    def __init__(self, grid: Grid) -> None:
        self._grid, operator = grid, grid.operator
        self._ascent = JointAscent(operator, grid.give_kw2h)
        self._multipliers = no_multipliers(operator)
        self._energy = (grid.tariff.retail_price_per_kwh + grid.tariff.feed_in_price_per_kwh) / 2
        self._last = np.zeros(operator.shape)
        self.imbalance = np.zeros(operator.shape)

    @property
    def price_per_kwh(self) -> Floats:
        """(T, B) energy at the root, limits and marginal losses."""
        charges = bus_charges(self._grid.operator, self._multipliers, self._last)
        return np.asarray(self._energy[:, None] + charges)

    def hear(self, demand_kw: Floats) -> None:
        """Raise the multipliers of what is exceeded, lower those of what is not."""
        ahead = 2 * demand_kw - self._last
        self._last = demand_kw
        self._energy, self._multipliers = self._ascent.step(self._energy, self._multipliers, ahead)

    def is_content(self, demand_kw: Floats) -> bool:
        """Multipliers that stay while a limit is exceeded have not arrived."""
        return self._grid.keeps_limits(demand_kw)


class PriceDifference:
    """Locational prices from redispatch bids.

    Around the schedules p it heard, a place would move at slope 1 / give. The operator redispatches
    at least cost, d = argmin cost(d) - dt lambda d + dt (d - p)^2 / (2 give), announces the prices
    that this takes, and asks the schedules to come half the way. These are the steps of the
    exchange in which the market negotiates, without its acceleration.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid, shape = grid, grid.operator.shape
        retail = grid.tariff.retail_price_per_kwh
        self.price_per_kwh = np.repeat(retail[:, None], shape[1], axis=1)
        self.imbalance = np.zeros(shape)
        self._aim_kw = np.zeros(shape)

    def hear(self, demand_kw: Floats) -> None:
        """Redispatch, and move the prices by what schedules and redispatch still differ."""
        operator, slope = self._grid.operator, 1 / self._grid.give_kw2h
        linear = -operator.slot_hours * (self.price_per_kwh + slope * self._aim_kw)
        dispatch = operator.answer(linear, operator.slot_hours * slope).demand_kw
        said = OVER_RELAXATION * dispatch + (1 - OVER_RELAXATION) * self._aim_kw
        self.imbalance = (demand_kw - said) / (2 * self._grid.size_kw)
        self.price_per_kwh = self.price_per_kwh + self._grid.pace_per_kwh * self.imbalance
        self._aim_kw = said + self._grid.size_kw * self.imbalance

    def is_content(self, demand_kw: Floats) -> bool:
        """Prices that stay are the locational prices."""
        return True


def _energy_price(grid: Grid, price: Floats, demand_kw: Floats, step: float) -> Floats:
    """(T,) moved by what is taken in all, between feed-in and retail price."""
    tariff = grid.tariff
    moved = price + step * demand_kw.sum(axis=1)
    return np.asarray(np.clip(moved, tariff.feed_in_price_per_kwh, tariff.retail_price_per_kwh))
