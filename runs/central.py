"""The central problem: everything in one CVXPY model, solved apart. The oracle of the agents."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.local_problem import LocalProblem
from nashgrid.agents.population.statement import state_population
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs import inputs
from nashgrid.runs.assembly import connection
from nashgrid.runs.level_statement import state_levels
from nashgrid.runs.potential import potential_term
from nashgrid.runs.rental_statement import rented_balance
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import Wires


@dataclass(frozen=True)
class CentralOptimum:
    """Least total cost, and the multipliers of the balances as prices.

    Parameters
    ----------
    cost : [currency]
    price_per_kwh : (T, B) [currency/kWh]; None where only the cost is bounded
    """

    cost: float
    price_per_kwh: Floats | None


def local_problem(entry_index: int, scenario: Scenario, wires: Wires, case: str) -> LocalProblem:
    """The statement of one agent's problem in a case, made from the scenario alone."""
    entry = scenario.agents[entry_index]
    return LocalProblem(
        entry.name,
        inputs.devices(entry, scenario),
        inputs.horizon(scenario),
        connection(entry, scenario).limit_kw,
        wires.paid_beside(case, entry),
        wires.share(entry_index) if case == TRADING else None,
    )


def connection_limits(scenario: Scenario, wires: Wires) -> Floats:
    """(B,) sum of the agents' connection limits at each place [kW]."""
    limits = np.zeros(len(wires.places))
    seats = [connection(entry, scenario) for entry in scenario.agents]
    for place, seat in zip(wires.place_of([seat.place for seat in seats]), seats, strict=True):
        limits[place] += seat.limit_kw
    if wires.population is not None:
        place = wires.place_of(wires.population.roster["bus"])
        np.add.at(limits, place, wires.population.buildings.connection_kw)
    return limits


@dataclass(frozen=True)
class CentralProblem:
    """The central problem as a statement; the multipliers of the balances are dt times prices."""

    problem: cp.Problem
    balance: list[cp.Constraint]


def central_problem(
    scenario: Scenario,
    wires: Wires,
    case: str,
    known: Sequence[Anticipation] | None = None,
    into_tie: cp.Expression | None = None,
) -> CentralProblem:
    """State the cost of all agents and of delivery, subject to balance at every place.

    With what the agents know of their influence, state the potential of their game instead: its
    minimum is the equilibrium. `into_tie` (T,) is taken at the last place, the terminal of a tie.
    """
    problems = [local_problem(i, scenario, wires, case) for i in range(len(scenario.agents))]
    delivery = wires.delivery(case, connection_limits(scenario, wires)).statement()
    demand, upstream, constraints = delivery.demand_kw, delivery.cost, [*delivery.constraints]
    bought: list[list[cp.Expression]] = [[] for _ in wires.places]
    places = wires.place_of([entry.bus or 0 for entry in scenario.agents])
    for number, (at, problem) in enumerate(zip(places, problems, strict=True)):
        problem.price.value = np.zeros(problem.price.size)
        bought[at].append(problem.trade)
        constraints += problem.statement.constraints
        upstream += (
            problem.statement.objective.expr
            if known is None
            else potential_term(problem, known[number])
        )
    if wires.population is not None:
        drawn = wires.population
        stated = state_population(drawn.buildings, wires.tariff if case == UTILITY_ONLY else None)
        constraints += stated.constraints
        upstream += stated.cost
        place = wires.place_of(drawn.roster["bus"])
        for number in np.unique(place):
            bought[number].append(cp.sum(stated.trade_kw[np.flatnonzero(place == number)], axis=0))
    if wires.levels is not None and case == TRADING:
        slots, hours = scenario.horizon.slots, scenario.horizon.slot_hours
        fees, matched = state_levels(wires.levels, [p.trade for p in problems], slots, hours)
        upstream += fees
        constraints += matched
    if wires.rentals is not None and case == TRADING:
        constraints += rented_balance(wires.rentals, problems)
    if into_tie is not None:
        bought[-1].append(into_tie)
    nothing = cp.Constant(np.zeros(scenario.horizon.slots))
    balance: list[cp.Constraint] = [
        cp.Zero(sum(trades, start=nothing) - demand[:, place])
        for place, trades in enumerate(bought)
    ]
    return CentralProblem(cp.Problem(cp.Minimize(upstream), balance + constraints), balance)


def central_optimum(
    scenario: Scenario, wires: Wires, case: str, known: Sequence[Anticipation] | None = None
) -> CentralOptimum:
    """Solve the `central_problem`.

    Raises
    ------
    ValueError
        If there is no such schedule.
    """
    stated = central_problem(scenario, wires, case, known)
    cost = solve_central(stated.problem, scenario.name)
    return CentralOptimum(cost, prices_of(stated, scenario))


def solve_central(whole: cp.Problem, name: str) -> float:
    """Solve a central problem; its least cost [currency].

    Raises
    ------
    ValueError
        If there is no such schedule.
    """
    with warnings.catch_warnings():
        # The status says the same.
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        whole.solve(
            solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-10, tol_feas=1e-10, ignore_dpp=True
        )
    if whole.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise ValueError(f"the central problem of {name} is {whole.status}")
    return float(whole.value)


def prices_of(stated: CentralProblem, scenario: Scenario) -> Floats:
    """(T, B) multipliers of the balances of a solved problem as prices [currency/kWh]."""
    price = np.column_stack([row.dual_value for row in stated.balance])
    return np.asarray(price / scenario.horizon.slot_hours)
