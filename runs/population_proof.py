"""Proof that every building of a population answers best, from prices and schedules alone."""

from dataclasses import dataclass, replace

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.population.accounting import device_costs, violations
from nashgrid.agents.population.population import Population
from nashgrid.agents.population.schedules import Schedules
from nashgrid.market.messages import Floats

# Weight of the term that keeps the answers near the schedules, in units of the price level: at an
# equilibrium it costs nothing, and answers settle faster with it.
NEARNESS = 1.0
# What draws an answer to the one before makes a cold one cheap, but settles slowly: from answer to
# answer it is eased by as much, to no less than the last.
COLD_PULL, EASING, SETTLED_PULL = 8.0, 3.0, 0.03
# Bounds are taken from so many answers on, until the worst building's no longer falls by much.
FIRST_BOUND, MOST_ANSWERS = 7, 30
ENOUGH, WORTHWHILE = 1e-8, 0.7


@dataclass(frozen=True)
class PopulationPosition:
    """All buildings at prices that they take as given; rows as in the population.

    Parameters
    ----------
    cost : (n,) own cost; with the utility alone, the bill included [currency]
    epsilon : (n,) what each could gain at most by another schedule, by weak duality [currency]
    scale : (n,) its cost including what the trade costs, for the relative figure [currency]
    violation : (n,) of its own constraints [kW or kWh]
    """

    cost: Floats
    epsilon: Floats
    scale: Floats
    violation: Floats

    @property
    def relative_epsilon(self) -> Floats:
        """(n,) epsilon / max(1, |scale|)."""
        return np.asarray(self.epsilon / np.maximum(1.0, np.abs(self.scale)))


def prove_population(
    kernel: Population, schedules: Schedules, price: Floats, tariff: Tariff | None
) -> PopulationPosition:
    """Cost, epsilon and violation of every building.

    Epsilon is the cost of the schedules less a lower bound on what any schedule costs, from the
    multipliers of best responses found anew.

    Parameters
    ----------
    kernel : of the buildings, with no memory of the negotiation
    price : (T,) or (n, T) of the exchange [currency/kWh]
    tariff : where everybody also pays the utility for itself; None in a market
    """
    buildings = kernel.buildings
    trade, hours = schedules.trade_kw, buildings.slot_hours
    cost = device_costs(buildings, schedules)
    buying, selling = price, None
    if tariff is not None:
        cost = cost + tariff.bills(trade, hours)
        buying = price + tariff.retail_price_per_kwh
        selling = price + tariff.feed_in_price_per_kwh
    paid = cost + hours * (price * trade).sum(axis=1)
    position = PopulationPosition(
        cost, np.full(buildings.count, np.inf), paid, violations(buildings, schedules)
    )
    for number in range(MOST_ANSWERS):
        pull = max(COLD_PULL / EASING**number, SETTLED_PULL)
        kernel.answer(buying, trade, NEARNESS * buildings.price_level, selling, pull)
        if number + 1 < FIRST_BOUND:
            continue
        before = position.relative_epsilon.max()
        bound = kernel.dual_bound(buying, sale_price=selling)
        position = replace(position, epsilon=np.minimum(position.epsilon, paid - bound))
        worst = position.relative_epsilon.max()
        if worst <= ENOUGH or worst > WORTHWHILE * before:
            break
    return position
