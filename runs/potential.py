"""The potential of a game: the one function that all players' conditions together minimise.

    sum_i [C_i(x_i) / f_i + dt ((1 / f_i - 1) base_i . x_i + slope_i . x_i^2 / (2 f_i))] + supply

with C_i the own cost of agent i, f_i its factor, and the cost of supply at the end (see
`nashgrid.agents.anticipation`). With equal factors it is the exact potential, C_i plus the further
cost of knowing one's influence (Monderer and Shapley 1996, Potential games).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.local_problem import LocalProblem, value_of
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class GameFinding:
    """How an outcome stands to the equilibrium of its game.

    Parameters
    ----------
    potential : of the outcome [currency]
    least_potential : its minimum, found apart from the negotiation [currency]
    natural_map_kw : (n,) largest distance in a slot between each agent's trade and its answer to
        its own gradient there; 0 exactly at an equilibrium [kW]
    """

    potential: float
    least_potential: float
    natural_map_kw: Floats


def potential_term(problem: LocalProblem, known: Anticipation) -> cp.Expression:
    """An agent's part of the potential, as a function of its schedule."""
    hours, trade, share = problem.horizon.slot_hours, problem.trade, 1 / known.factor
    toll = (share - 1) * known.base_price_per_kwh @ trade
    bend = 0.5 * share * cp.sum(cp.multiply(known.slope_per_kw2h, cp.square(trade)))
    term: cp.Expression = share * problem.cost + hours * (toll + bend)
    return term


def potential_at(
    problems: Sequence[CompiledProblem], known: Sequence[Anticipation], supply_cost: float
) -> float:
    """The potential of the schedules in the problems' variables [currency]."""
    parts = [
        float(value_of(potential_term(compiled.problem, one)))
        for compiled, one in zip(problems, known, strict=True)
    ]
    return sum(parts) + supply_cost


def natural_maps_kw(
    problems: Sequence[CompiledProblem], prices: Floats, known: Sequence[Anticipation]
) -> Floats:
    """(n,) largest |x - argmin f(y) + dt gradient.y + dt stiffness (y - x)^2 / 2| [kW].

    The textbook's map x - proj(x - F(x)), with the agent's own costs inside the projection. The
    gradient is that of its payment at x, own price + slope x; the stiffness, which only sets the
    unit, turns the highest price into the connection's power.

    Parameters
    ----------
    problems : with the outcome's schedules in their variables
    prices : (n, T) of the exchange, at each agent's place [currency/kWh]
    known : what each anticipates
    """
    distances = []
    for compiled, price, one in zip(problems, prices, known, strict=True):
        problem = compiled.problem
        hours, trade = problem.horizon.slot_hours, value_of(problem.trade)
        gradient = one.own_price(price) + one.slope_per_kw2h * trade
        stiffness = max(float(np.abs(prices).max()), 1e-6) / problem.connection_kw
        weight = np.full_like(trade, hours * stiffness)
        answer = compiled.solve(hours * gradient - weight * trade, weight)
        distances.append(float(np.abs(compiled.trade(answer) - trade).max()))
    return np.array(distances)
