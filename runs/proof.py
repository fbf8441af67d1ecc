"""Proof of one case: how far every participant is from its best response, from tables alone.

Prices, trades and schedules come from tables. The agents' problems are theirs in a run, and
stated anew from the scenario in a verification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import price_taker
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.population.population import Population
from nashgrid.market.messages import Floats
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.central import CentralOptimum, central_optimum, connection_limits
from nashgrid.runs.influence import anticipations
from nashgrid.runs.layers import NO_LAYERS, Layers
from nashgrid.runs.level_proof import manager_positions
from nashgrid.runs.population_proof import PopulationPosition, prove_population
from nashgrid.runs.population_tables import read_schedules
from nashgrid.runs.positions import (
    Position,
    agent_position,
    assign,
    delivery_position,
    limits_not_kept,
)
from nashgrid.runs.potential import GameFinding, natural_maps_kw, potential_at
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import demand_kw, population_trades, price_at_places
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
    tables = _Tables(case, scenario, wires, prices, trades, schedules, problems, layers, neighbour)
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


class _Tables:
    """One case of the tables, against the scenario that they are to be an outcome of."""

    def __init__(
        self,
        case: str,
        scenario: Scenario,
        wires: Wires,
        prices: pd.DataFrame,
        trades: pd.DataFrame,
        schedules: pd.DataFrame,
        problems: Sequence[CompiledProblem],
        layers: Layers,
        neighbour: Neighbour | None,
    ) -> None:
        self._layers, self._neighbour = layers, neighbour
        self._case, self._scenario, self._wires = case, scenario, wires
        self.price = price_at_places(prices, case, wires)
        self.demand_kw = demand_kw(trades, case, wires)
        self.known = anticipations(scenario, wires.tariff, case)
        self._trades = trades[trades["case"] == case]
        self._places = wires.place_of([entry.bus or 0 for entry in scenario.agents]).tolist()
        own = schedules[schedules["case"] == case]
        rows = scenario.horizon.slots * sum(len(problem.problem.parts) for problem in problems)
        self._stated_schedules, self._drawn_schedules = own[:rows], own[rows:]

    @cached_property
    def _stated_kw(self) -> list[Floats]:
        """(T,) what each agent that the scenario states buys."""
        agents = self._scenario.agents
        rows = self._trades[: len(agents) * self._scenario.horizon.slots]
        by_agent = dict(iter(rows.groupby("agent", sort=False)))
        return [
            by_agent[entry.name].sort_values("slot")["trade_kw"].to_numpy(dtype=float)
            for entry in agents
        ]

    @cached_property
    def _drawn_kw(self) -> Floats:
        """(n, T) what the buildings drawn at random buy."""
        return population_trades(self._trades, self._scenario, self._wires)

    @property
    def imbalance_kw(self) -> float:
        """Largest difference between what is bought and what is delivered at a place."""
        bought, drawn = np.zeros_like(self.demand_kw), self._wires.population
        for place, trade in zip(self._places, self._stated_kw, strict=True):
            bought[:, place] += trade
        if self._neighbour is not None:
            bought[:, -1] += self._neighbour.taken_kw
        if drawn is not None:
            np.add.at(bought.T, self._wires.place_of(drawn.roster["bus"]), self._drawn_kw)
        levels = self._layers.levels
        matched = 0.0 if levels is None else levels.imbalance_kw
        return max(float(np.abs(bought - self.demand_kw).max()), matched)

    def stated_positions(self, problems: Sequence[CompiledProblem]) -> dict[str, Position]:
        """Of all agents that the scenario states; their schedules go into their statements."""
        entries = self._scenario.agents
        rows_of = dict(iter(self._stated_schedules.groupby("agent", sort=False)))
        views = self.known or [price_taker(problem.problem.price.size) for problem in problems]
        energy_price = self._layers.energy_price(
            self.price.T, np.array(self._places, dtype=np.int64)
        )
        price, quantities = self._layers.price(energy_price), self._layers.quantity(self._stated_kw)
        positions = {}
        for entry, problem, view, own_price, quantity in zip(
            entries, problems, views, price, quantities, strict=True
        ):
            assign(problem.problem, quantity, rows_of[entry.name], self._case)
            positions[entry.name] = agent_position(problem, own_price, view)
        return positions

    def manager_positions(self) -> dict[str, Position]:
        """Of the managers of communities; none where they take no part."""
        if self._layers.levels is None:
            return {}
        traded_kw = np.array(self._stated_kw)
        return manager_positions(self._wires, self._layers.levels, traded_kw, self.price.T)

    def population_position(self, kernel: Population) -> PopulationPosition:
        """Of all buildings drawn at random."""
        drawn, price = self._wires.population, self.price
        if drawn is None:
            raise ValueError("the scenario has no population")
        at = self._wires.place_of(drawn.roster["bus"])
        return prove_population(
            kernel,
            read_schedules(drawn, self._drawn_kw, self._drawn_schedules),
            price.T[at] if len(self._wires.places) > 1 else price[:, 0],
            self._wires.tariff if self._case == UTILITY_ONLY else None,
        )

    def game_finding(
        self, problems: Sequence[CompiledProblem], delivery_cost: float
    ) -> tuple[GameFinding, Floats | None]:
        """How the schedules stand to the equilibrium of a game, and its prices."""
        known = self.known or []
        potential = central_optimum(self._scenario, self._wires, self._case, known)
        finding = GameFinding(
            potential_at(problems, known, delivery_cost),
            potential.cost,
            natural_maps_kw(problems, self.price.T[self._places], known),
        )
        return finding, potential.price_per_kwh


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
