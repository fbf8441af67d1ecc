"""Proof of one case: how far every participant is from its best response, from tables alone.

Prices, trades and schedules come from tables. The agents' problems are theirs in a run, and
stated anew from the scenario in a verification.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.population.population import Population
from nashgrid.market.messages import Floats
from nashgrid.runs.case_tables import CaseTables
from nashgrid.runs.central import CentralOptimum, central_optimum, connection_limits
from nashgrid.runs.layers import NO_LAYERS, Layers
from nashgrid.runs.population_proof import PopulationPosition
from nashgrid.runs.positions import Position, delivery_position, limits_not_kept
from nashgrid.runs.potential import GameFinding
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires

# Buildings of a population up to which the central problem is solved; beyond, it is bounded.
MOST_TOGETHER = 300


@dataclass(frozen=True)
class Neighbour:
    """Who is at the other end of a tie, whose terminal is the last place.

    Parameters
    ----------
    taken_kw : (T,) what it says it takes there
    central : the part of this feeder in the central optimum of both
    """

    taken_kw: Floats
    central: CentralOptimum


@dataclass(frozen=True)
class CaseProof:
    """All that is proved of one case.

    Parameters
    ----------
    positions : participant -> position; the counterparty last
    managers : of communities; none where they take no part
    rental_imbalance : largest difference between what of a battery is let and what is rented, or
        run and asked for, as a share of it; None where none is for rent
    population : of all buildings drawn at random; None where there are none
    imbalance_kw : largest |sum of trades| of a commodity
    total_cost : of the outcome, with what counts beside money [currency]
    central_cost : of the central optimum; with a large population what weak duality proves: no
        schedules cost less than the total less the epsilons of all, for the payments cancel
        [currency]
    price_difference : largest difference to the central multipliers, in a game to those of its
        potential; None where the central problem is only bounded [currency/kWh]
    limits_not_kept : the counterparty's limits that the outcome breaks, worst first, in words
    game : how it stands to the equilibrium; None where everybody takes prices as given
    """

    positions: dict[str, Position]
    managers: dict[str, Position]
    rental_imbalance: float | None
    population: PopulationPosition | None
    imbalance_kw: float
    total_cost: float
    central_cost: float
    price_difference: float | None
    limits_not_kept: tuple[str, ...]
    game: GameFinding | None

    @property
    def money_cost(self) -> float:
        """What the outcome costs in money [currency]."""
        return self.total_cost - sum(p.beyond_money for p in self.positions.values())

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
        each = (*self.positions.values(), *self.managers.values())
        return sum(position.epsilon for position in each) + (
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
    layers: Layers = NO_LAYERS,
    neighbour: Neighbour | None = None,
) -> CaseProof:
    """Check one case of an outcome from its tables.

    `kernel` solves the problems of a population, without memory of the negotiation; None where
    there is no population. `layers` is what communities with managers and
    batteries for rent came to in this case, `neighbour` who is at the other end of a tie.

    Raises
    ------
    ValueError
        If the tables lack something, or the scenario allows no schedule at all.
    """
    if (kernel is None) != (wires.population is None):
        raise ValueError("a kernel is for a population, and a population needs one")
    taken_kw = None if neighbour is None else neighbour.taken_kw
    tables = CaseTables(
        case, scenario, wires, prices, trades, schedules, problems, layers, taken_kw
    )
    positions = tables.stated_positions(problems)
    managers = tables.manager_positions()
    population = None if kernel is None else tables.population_position(kernel)
    delivery = wires.delivery(case, connection_limits(scenario, wires))
    demand = tables.demand_kw
    positions[counterparty] = delivery_position(
        delivery, demand, tables.price, scenario.horizon.slot_hours
    )
    broken = limits_not_kept(delivery, demand, positions[counterparty])
    everybody = (*positions.values(), *managers.values())
    total = sum(position.cost for position in everybody)
    gain = sum(position.epsilon for position in everybody)
    if population is not None:
        total += float(population.cost.sum())
        gain += float(population.epsilon.sum())
    if neighbour is not None:
        central = neighbour.central
    elif population is not None and len(population.cost) > MOST_TOGETHER:
        central = CentralOptimum(total - gain, None)
    else:
        central = _central(case, scenario, wires, counterparty, broken)
    game, price_there = None, central.price_per_kwh
    if tables.known is not None:
        game, price_there = tables.game_finding(problems, positions[counterparty].cost)
    return CaseProof(
        positions=positions,
        managers=managers,
        rental_imbalance=layers.rental_imbalance,
        population=population,
        imbalance_kw=tables.imbalance_kw,
        total_cost=total,
        central_cost=central.cost,
        price_difference=(
            None if price_there is None else float(np.abs(tables.price - price_there).max())
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
