"""One case of an outcome, read from its tables: trades, imbalance, and where everybody stands."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import price_taker
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.population.population import Population
from nashgrid.market.messages import Floats
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.central import central_optimum
from nashgrid.runs.influence import anticipations
from nashgrid.runs.layers import Layers
from nashgrid.runs.level_proof import manager_positions
from nashgrid.runs.population_proof import PopulationPosition, prove_population
from nashgrid.runs.population_tables import read_schedules
from nashgrid.runs.positions import Position, agent_position, assign
from nashgrid.runs.potential import GameFinding, natural_maps_kw, potential_at
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import demand_kw, population_trades, price_at_places
from nashgrid.runs.wires import Wires


class CaseTables:
    """One case of the tables, against the scenario that they are to be an outcome of.

    Parameters
    ----------
    prices, trades, schedules : see `nashgrid.runs.outcome.Tables`
    problems : of the agents that the scenario states
    layers : what communities with managers and batteries for rent came to in this case
    taken_kw : (T,) what a neighbour takes at the last place, over a tie; None without one
    """

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
        taken_kw: Floats | None,
    ) -> None:
        self._layers, self._taken_kw = layers, taken_kw
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
        by_agent = dict(iter(rows.groupby("agent", sort=False, observed=True)))
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
        if self._taken_kw is not None:
            bought[:, -1] += self._taken_kw
        if drawn is not None:
            np.add.at(bought.T, self._wires.place_of(drawn.roster["bus"]), self._drawn_kw)
        levels = self._layers.levels
        matched = 0.0 if levels is None else levels.imbalance_kw
        return max(float(np.abs(bought - self.demand_kw).max()), matched)

    def stated_positions(self, problems: Sequence[CompiledProblem]) -> dict[str, Position]:
        """Of all agents that the scenario states; their schedules go into their statements."""
        entries = self._scenario.agents
        rows_of = dict(iter(self._stated_schedules.groupby("agent", sort=False, observed=True)))
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
