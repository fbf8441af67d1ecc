"""Proof of one case: how far every participant is from its best response, from tables alone.

Prices, trades and schedules come from tables. The agents' problems are theirs in a run, and
stated anew from the scenario in a verification. Best responses are solved by Clarabel or DAQP,
and their value is bounded by weak duality.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import Anticipation, price_taker
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.agents.local_problem import LocalProblem, value_of
from nashgrid.agents.population.population import Population
from nashgrid.agents.sloping_supply import SlopingSupply
from nashgrid.agents.utility_supply import UtilitySupply
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.market.messages import Floats
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.assembly import Wires
from nashgrid.runs.central import CentralOptimum, central_optimum, connection_limits
from nashgrid.runs.influence import anticipations
from nashgrid.runs.population_proof import PopulationPosition, prove_population
from nashgrid.runs.population_tables import read_schedules
from nashgrid.runs.potential import GameFinding, natural_maps_kw, potential_at
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import DECISIONS, demand_kw, population_trades

# Buildings of a population up to which the central problem is solved; beyond, it is bounded.
MOST_TOGETHER = 300
WORTH_NAMING_KW, WORTH_NAMING_PU = 1e-2, 1e-5


@dataclass(frozen=True)
class Position:
    """One participant at a price that it takes as given, or knows to move with its own power.

    Parameters
    ----------
    cost : its own cost, before payments [currency]
    epsilon : what it could gain at most by another schedule, proved by weak duality [currency]
    scale : its cost including what the trade costs, for the relative figure [currency]
    violation : of its own constraints [kW or kWh]; for the operator its power limits [kW]
    violation_pu : of voltage limits [pu]
    """

    cost: float
    epsilon: float
    scale: float
    violation: float
    violation_pu: float = 0.0

    @property
    def relative_epsilon(self) -> float:
        """epsilon / max(1, |scale|)."""
        return self.epsilon / max(1.0, abs(self.scale))


@dataclass(frozen=True)
class CaseProof:
    """All that is proved of one case.

    Parameters
    ----------
    positions : participant -> position; the counterparty last
    population : of all buildings drawn at random; None where there are none
    imbalance_kw : largest |sum of trades| of a commodity
    total_cost : of the outcome [currency]
    central_cost : of the central optimum; with a population what weak duality proves: no schedules
        cost less than the total less the epsilons of all, for the payments cancel [currency]
    price_difference : largest difference to the central multipliers, in a game to those of its
        potential; None with a population [currency/kWh]
    limits_not_kept : the counterparty's limits that the outcome breaks, worst first, in words
    game : how it stands to the equilibrium; None where everybody takes prices as given
    """

    positions: dict[str, Position]
    population: PopulationPosition | None
    imbalance_kw: float
    total_cost: float
    central_cost: float
    price_difference: float | None
    limits_not_kept: tuple[str, ...]
    game: GameFinding | None

    @property
    def worst_relative_epsilon(self) -> float:
        """Largest of an agent, the counterparty apart."""
        drawn = [] if self.population is None else [self.population.relative_epsilon.max()]
        return float(max([*(p.relative_epsilon for p in self._agents), *drawn]))

    @property
    def worst_violation(self) -> float:
        """Largest of an agent, the counterparty apart [kW or kWh]."""
        drawn = [] if self.population is None else [self.population.violation.max()]
        return float(max([*(p.violation for p in self._agents), *drawn]))

    @property
    def nash_conv(self) -> float:
        """Sum of all epsilons [currency]."""
        return sum(p.epsilon for p in self.positions.values()) + (
            0.0 if self.population is None else float(self.population.epsilon.sum())
        )

    @property
    def _agents(self) -> list[Position]:
        return [*self.positions.values()][:-1]

    @property
    def welfare_gap(self) -> float:
        """(total - central) / |central|."""
        return (self.total_cost - self.central_cost) / max(1.0, abs(self.central_cost))


def prove_case(
    case: str,
    scenario: Scenario,
    wires: Wires,
    problems: Sequence[CompiledProblem],
    counterparty: str,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    schedules: pd.DataFrame,
    kernel: Population | None,
) -> CaseProof:
    """Check one case of an outcome from its tables.

    `kernel` solves the problems of a population, without memory of the negotiation; None where
    there is no population.

    Raises
    ------
    ValueError
        If the tables lack something, or the scenario allows no schedule at all.
    """
    price = _by_place(prices[prices["case"] == case], "price_per_kwh", wires)
    demand = demand_kw(trades, case, wires)
    own_trades, own_schedules = trades[trades["case"] == case], schedules[schedules["case"] == case]
    bought = np.zeros_like(demand)
    positions = {}
    slots, stated = scenario.horizon.slots, len(scenario.agents)
    devices = sum(len(problem.problem.parts) for problem in problems)
    by_agent = dict(iter(own_trades[: stated * slots].groupby("agent", sort=False)))
    rows_of = dict(iter(own_schedules[: devices * slots].groupby("agent", sort=False)))
    known = anticipations(scenario, wires.tariff, case)
    views = known or [price_taker(slots)] * stated
    for entry, problem, view in zip(scenario.agents, problems, views, strict=True):
        place = wires.places.index(entry.bus or 0)
        trade = by_agent[entry.name].sort_values("slot")["trade_kw"].to_numpy(dtype=float)
        bought[:, place] += trade
        assign(problem.problem, trade, rows_of[entry.name], case)
        positions[entry.name] = agent_position(problem, price[:, place], view)
    population = None
    if (kernel is None) != (wires.population is None):
        raise ValueError("a population is proved by its kernel, and nothing else is")
    if wires.population is not None and kernel is not None:
        trade = population_trades(own_trades, scenario, wires)
        at = wires.place_of(wires.population.roster["bus"])
        np.add.at(bought.T, at, trade)
        population = prove_population(
            kernel,
            read_schedules(wires.population, trade, own_schedules[devices * slots :]),
            price.T[at] if len(wires.places) > 1 else price[:, 0],
            wires.tariff if case == UTILITY_ONLY else None,
        )
    delivery = wires.delivery(case, connection_limits(scenario, wires))
    positions[counterparty] = delivery_position(
        delivery, demand, price, scenario.horizon.slot_hours
    )
    broken = limits_not_kept(delivery, demand, positions[counterparty])
    total = sum(position.cost for position in positions.values())
    if population is not None:
        total += float(population.cost.sum())
    if population is not None and len(population.cost) > MOST_TOGETHER:
        gain = float(population.epsilon.sum()) + sum(p.epsilon for p in positions.values())
        central = CentralOptimum(total - gain, None)
    else:
        central = _central(case, scenario, wires, counterparty, broken)
    game, price_there = None, central.price_per_kwh
    if known is not None:
        potential = central_optimum(scenario, wires, case, known)
        price_there = potential.price_per_kwh
        places = [wires.places.index(entry.bus or 0) for entry in scenario.agents]
        game = GameFinding(
            potential_at(problems, known, positions[counterparty].cost),
            potential.cost,
            natural_maps_kw(problems, price.T[places], known),
        )
    return CaseProof(
        positions=positions,
        population=population,
        imbalance_kw=float(np.abs(bought - demand).max()),
        total_cost=total,
        central_cost=central.cost,
        price_difference=(
            None if price_there is None else float(np.abs(price - price_there).max())
        ),
        limits_not_kept=broken,
        game=game,
    )


def _central(
    case: str, scenario: Scenario, wires: Wires, counterparty: str, broken: Sequence[str]
) -> CentralOptimum:
    try:
        return central_optimum(scenario, wires, case)
    except ValueError as error:
        raise ValueError(
            f"{error}: no schedules of the agents together keep the limits of the "
            f"{counterparty}. At the end of the {case} negotiation: {'; '.join(broken)}. Widen "
            "the limit, let load go unserved at a price (unserved_load_price_per_kwh), or connect "
            "less"
        ) from error


def assign(problem: LocalProblem, trade_kw: Floats, rows: pd.DataFrame, case: str) -> None:
    """Write a schedule of the tables into the variables of a statement.

    Raises
    ------
    ValueError
        If the table lacks a device, a decision or a slot.
    """
    for variable in problem.statement.variables():
        if variable.name() == "bought_kw":
            variable.value = np.maximum(trade_kw, 0.0)
    problem.trade.value = trade_kw
    for device, part in problem.parts.items():
        own = rows[rows["device"] == device].sort_values("slot")
        for quantity, variable in part.variables.items():
            values = own[quantity].to_numpy(dtype=float) if quantity in DECISIONS else None
            if values is None or values.shape != variable.shape or not np.isfinite(values).all():
                raise ValueError(
                    f"{problem.owner}: the schedule of {device!r} in case {case!r} lacks values "
                    f"of {quantity}"
                )
            variable.value = values


def agent_position(compiled: CompiledProblem, price: Floats, view: Anticipation) -> Position:
    """Cost, epsilon and violation of a prosumer at the values in its statement.

    Its cost of a deviation y convex in it, slope y^2 is bounded from below by its tangent at the
    best one.
    """
    problem, hours = compiled.problem, compiled.problem.horizon.slot_hours
    trade, problem.price.value = value_of(problem.trade), view.own_price(price)
    paid = float(problem.statement.objective.value)
    own = paid - hours * float(view.own_price(price) @ trade)
    violation = max(
        float(np.max(constraint.violation())) for constraint in problem.statement.constraints
    )
    linear, slope = view.deviation_terms(price, trade)
    best = compiled.solve(hours * linear, 2 * hours * slope)
    there = compiled.trade(best)
    bound = compiled.lower_bound(hours * (linear + 2 * slope * there), best)
    bound -= hours * float(slope @ there**2)
    return Position(own, paid - bound, paid, violation)


def delivery_position(
    delivery: DeliveryProblem, demand: Floats, price: Floats, slot_hours: float
) -> Position:
    """Cost, epsilon and violation of the counterparty, who sells at the price."""
    linear = -slot_hours * price
    cost = delivery.cost(demand)
    paid = cost + float((linear * demand).sum())
    if isinstance(delivery, (UtilitySupply, SlopingSupply)):
        bound, violation = delivery.least_cost(linear), delivery.violation(demand)
    elif isinstance(delivery, OperatorProblem):
        best = delivery.best_response(linear)
        bound = delivery.dual_bound(linear, best.multipliers)
        violation = delivery.violation(demand)
    else:
        raise ValueError(f"no proof is known for {type(delivery).__name__}")
    return Position(cost, paid - bound, paid, *violation)


def limits_not_kept(
    delivery: DeliveryProblem, demand: Floats, position: Position
) -> tuple[str, ...]:
    """The limits that a delivery breaks by more than is worth naming, worst first, in words."""
    if position.violation <= WORTH_NAMING_KW and position.violation_pu <= WORTH_NAMING_PU:
        return ()
    return tuple(str(limit) for limit in delivery.infeasibility(demand, demand)[:5])


def _by_place(rows: pd.DataFrame, column: str, wires: Wires) -> Floats:
    table = rows.pivot(index="slot", columns="bus", values=column)
    return np.asarray(table[list(wires.places)].to_numpy(dtype=float))
