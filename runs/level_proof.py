"""Proof of what the managers of communities do."""

import numpy as np

from nashgrid.agents.passing_on import PassingOn
from nashgrid.market.messages import Floats
from nashgrid.runs.assembly import connection
from nashgrid.runs.level_outcome import LevelOutcome
from nashgrid.runs.levels import Levels
from nashgrid.runs.positions import Position
from nashgrid.runs.scenario import manager_name
from nashgrid.runs.wires import Wires


def manager_positions(
    wires: Wires, found: LevelOutcome, trade_kw: Floats, place_price: Floats
) -> dict[str, Position]:
    """Cost, epsilon and violation of every manager, in prices and powers of an outcome.

    A manager may take at a place whatever its members' connections there let through.

    Parameters
    ----------
    trade_kw : (n, T) of all agents [kW]
    place_price : (P, T) [currency/kWh]
    """
    levels, hours = found.levels, wires.scenario.horizon.slot_hours
    limit_kw = pair_limits(wires, levels)
    taken, margin = levels.by_pair(trade_kw), found.margin(place_price)
    positions = {}
    for number, name in enumerate(levels.communities):
        own = levels.pairs[:, 0] == number
        problem = PassingOn(levels.fees, limit_kw[own], hours)
        between = found.between_kw[number]
        cost = problem.cost(taken[own].T, between)
        paid = cost + hours * float((margin[own] * taken[own]).sum())
        paid += hours * float(found.premium_per_kwh @ between)
        least = problem.least_cost(margin[own].T, found.premium_per_kwh)
        over = (np.abs(taken[own]).max(axis=1) - limit_kw[own]).max()
        positions[manager_name(name)] = Position(cost, paid - least, paid, max(float(over), 0.0))
    return positions


def pair_limits(wires: Wires, levels: Levels) -> Floats:
    """(K,) sum of the members' connection limits of each community at each place [kW]."""
    scenario = wires.scenario
    each = np.array([connection(entry, scenario).limit_kw for entry in scenario.agents])
    return np.asarray(levels.by_pair(each[:, None])[:, 0])
