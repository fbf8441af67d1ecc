"""Proof of a market over two tied feeders: best responses of all, and one central problem."""

from collections.abc import Sequence
from typing import Any

import cvxpy as cp
import numpy as np

from nashgrid.agents.anticipation import price_taker
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs import tables
from nashgrid.runs.central import central_problem, connection_limits, prices_of, solve_central
from nashgrid.runs.claims import allowed, claim
from nashgrid.runs.positions import Position, agent_position, assign, delivery_position
from nashgrid.runs.tied_model import TiedModel


def _positions(model: TiedModel, side: int) -> dict[str, Position]:
    """Of the agents of a feeder, and last of its operator."""
    scenario, operator = model.scenarios[side], model.operators[side]
    price, positions = operator.price(TRADING), {}
    view = price_taker(scenario.horizon.slots)
    for agent, place in zip(model.prosumers[side], model.places_of(side)):
        problem, trade = agent.problems[TRADING], agent.seats[TRADING].quantity[0]
        rows = tables.schedule_rows(TRADING, agent.name, agent.schedule(TRADING))
        assign(problem.problem, trade, tables.schedules_of([rows]), TRADING)
        positions[agent.name] = agent_position(problem, price[:, place], view)
    limits = connection_limits(scenario, model.wires[side])
    positions[operator.name] = delivery_position(
        model.wires[side].delivery(TRADING, limits),
        operator.demand_kw[TRADING],
        price,
        scenario.horizon.slot_hours,
    )
    return positions


def _central(model: TiedModel) -> tuple[float, list[Floats]]:
    """Least cost of both together, and the prices of each."""
    flow = cp.Variable(model.scenarios[0].horizon.slots, name="tie_kw")
    stated = [
        central_problem(scenario, wires, TRADING, into_tie=sign * flow)
        for scenario, wires, sign in zip(model.scenarios, model.wires, (1.0, -1.0))
    ]
    cost = sum(one.problem.objective.expr for one in stated)
    constraints = [constraint for one in stated for constraint in one.problem.constraints]
    names = " and ".join(scenario.name for scenario in model.scenarios)
    try:
        least = solve_central(cp.Problem(cp.Minimize(cost), constraints), names)
    except ValueError as error:
        raise ValueError(
            f"{error}: no schedules of the agents of both keep all limits. Widen the tie or a "
            "limit, let load go unserved at a price (unserved_load_price_per_kwh), or connect less"
        ) from error
    return least, [prices_of(one, scenario) for one, scenario in zip(stated, model.scenarios)]


def _imbalance_kw(model: TiedModel) -> float:
    """Largest, of a place or of the tie."""
    worst = 0.0
    for side, operator in enumerate(model.operators):
        bought = np.zeros_like(operator.demand_kw[TRADING])
        bought[:, -1] = operator.demand_kw[TRADING][:, -1]
        for agent, place in zip(model.prosumers[side], model.places_of(side)):
            bought[:, place] += agent.seats[TRADING].quantity[0]
        worst = max(worst, float(np.abs(bought - operator.demand_kw[TRADING]).max()))
    tie = sum(operator.demand_kw[TRADING][:, -1] for operator in model.operators)
    return max(worst, float(np.abs(tie).max()))


def tied_certificate(model: TiedModel) -> dict[str, Any]:
    """Claims about an exchange over two feeders, from its end, and what they rest on."""
    positions = {**_positions(model, 0), **_positions(model, 1)}
    operators = [positions[operator.name] for operator in model.operators]
    agents = [one for one in positions.values() if one not in operators]
    total = sum(position.cost for position in positions.values())
    least, prices = _central(model)
    gap = (total - least) / max(1.0, abs(least))
    difference = max(
        float(np.abs(operator.price(TRADING) - price).max())
        for operator, price in zip(model.operators, prices)
    )
    tolerance, last = model.scenarios[0].negotiation.tolerance, model.cloud.exchange.records[-1]
    residual = max(last.primal_residual, last.dual_residual)
    return {
        "claims": {
            "converged": claim(residual, tolerance, f"residual after {last.round} rounds"),
            **_of_agents(agents, tolerance),
            **_of_operators(operators, total, tolerance),
            "energy balance": claim(
                _imbalance_kw(model), 1e-6, "largest imbalance of a place or of the tie [kW]"
            ),
            "welfare": claim(
                abs(gap),
                allowed(tolerance, 1e-5, 1e-4),
                "relative gap of total cost to the optimum",
            ),
        },
        "epsilon": {name: one.epsilon for name, one in positions.items()},
        "total_cost": total,
        "central_cost": least,
        "largest_price_difference_per_kwh": difference,
        "rounds": last.round,
    }


def _of_agents(agents: Sequence[Position], tolerance: float) -> dict[str, Any]:
    return {
        "best responses": claim(
            max(one.relative_epsilon for one in agents),
            allowed(tolerance, 1e-6, 1e-3),
            "largest relative epsilon of an agent",
        ),
        "own constraints": claim(
            max(one.violation for one in agents), 1e-6, "largest violation by an agent [kW, kWh]"
        ),
    }


def _of_operators(operators: Sequence[Position], total: float, tolerance: float) -> dict[str, Any]:
    return {
        "operators": claim(
            max(one.epsilon for one in operators) / max(1.0, abs(total)),
            allowed(tolerance, 1e-5, 1e-3),
            "largest epsilon of an operator as a share of total cost",
        ),
        "power limits": claim(
            max(one.violation for one in operators),
            allowed(tolerance, 1e-3, 0.1),
            "largest violation of a power limit of an operator [kW]",
        ),
        "voltage limits": claim(
            max(one.violation_pu for one in operators),
            allowed(tolerance, 1e-5, 1e-4),
            "largest violation of a voltage limit of an operator [pu]",
        ),
    }
