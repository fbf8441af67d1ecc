"""Proof of a market over two tied feeders: best responses of all, and one central problem."""

from collections.abc import Sequence

import cvxpy as cp

from nashgrid.market.topics import TRADING
from nashgrid.runs.central import CentralOptimum, central_problem, prices_of, solve_central
from nashgrid.runs.proof import CaseProof, Neighbour, prove_case
from nashgrid.runs.scenario import OPERATOR
from nashgrid.runs.tied.half import Half


def prove_halves(first: Half, second: Half) -> tuple[CaseProof, CaseProof]:
    """Prove each feeder; its neighbour takes what the other one's tables say.

    Raises
    ------
    ValueError
        If no schedules of the agents of both keep all limits.
    """
    of_first, of_second = _central((first, second))
    return (
        _proof(first, Neighbour(-second.into_tie_kw, of_first)),
        _proof(second, Neighbour(-first.into_tie_kw, of_second)),
    )


def _proof(half: Half, neighbour: Neighbour) -> CaseProof:
    return prove_case(
        TRADING,
        half.scenario,
        half.wires,
        half.problems,
        OPERATOR,
        half.prices,
        half.trades,
        half.schedules,
        None,
        neighbour=neighbour,
    )


def _central(halves: Sequence[Half]) -> list[CentralOptimum]:
    """The parts of either feeder in the least cost of both together, and its prices."""
    flow = cp.Variable(halves[0].scenario.horizon.slots, name="tie_kw")
    stated = [
        central_problem(half.scenario, half.wires, TRADING, into_tie=sign * flow)
        for half, sign in zip(halves, (1.0, -1.0))
    ]
    cost = sum(one.problem.objective.expr for one in stated)
    constraints = [constraint for one in stated for constraint in one.problem.constraints]
    try:
        solve_central(
            cp.Problem(cp.Minimize(cost), constraints), " and ".join(half.name for half in halves)
        )
    except ValueError as error:
        raise ValueError(
            f"{error}: no schedules of the agents of both keep all limits. Widen the tie or a "
            "limit, let load go unserved at a price (unserved_load_price_per_kwh), or connect less"
        ) from error
    return [
        CentralOptimum(float(one.problem.objective.value), prices_of(one, half.scenario))
        for one, half in zip(stated, halves)
    ]
