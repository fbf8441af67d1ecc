"""How far one participant is from its best response at a price.

The best response is solved by Clarabel or DAQP, and its value bounded by weak duality.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.counterparty import DeliveryProblem
from nashgrid.agents.local_problem import LocalProblem
from nashgrid.market.messages import Floats
from nashgrid.runs.tables import DECISIONS

WORTH_NAMING_KW, WORTH_NAMING_PU = 1e-2, 1e-5


@dataclass(frozen=True)
class Position:
    """One participant at a price that it takes as given, or knows to move with its own power.

    Parameters
    ----------
    cost : what it minimises but for payments: its own cost, and what counts beside [currency]
    epsilon : what it could gain at most by another schedule, proved by weak duality [currency]
    scale : its cost including what the trade costs, for the relative figure [currency]
    violation : of its own constraints [kW or kWh]; for the operator its power limits [kW]
    violation_pu : of voltage limits [pu]
    beyond_money : what of its cost nobody pays for [currency]
    """

    cost: float
    epsilon: float
    scale: float
    violation: float
    violation_pu: float = 0.0
    beyond_money: float = 0.0

    @property
    def relative_epsilon(self) -> float:
        """epsilon / max(1, |scale|)."""
        return self.epsilon / max(1.0, abs(self.scale))


def assign(problem: LocalProblem, quantity: Floats, rows: pd.DataFrame, case: str) -> None:
    """Write a schedule of the tables into the variables of a statement.

    Parameters
    ----------
    quantity : (K,) all that it trades, see `LocalProblem.quantity`

    Raises
    ------
    ValueError
        If the table lacks a device, a decision or a slot.
    """
    ends = np.cumsum([part.size for part in problem.traded])[:-1]
    for traded, own_quantity in zip(problem.traded, np.split(quantity, ends), strict=True):
        traded.value = own_quantity
    for variable in problem.statement.variables():
        if variable.name() == "bought_kw":
            variable.value = np.maximum(problem.account_kw, 0.0)
    for device, part in problem.parts.items():
        own = rows[rows["device"] == device].sort_values("slot")
        for decision, variable in part.variables.items():
            values = own[decision].to_numpy(dtype=float) if decision in DECISIONS else None
            if values is None or values.shape != variable.shape or not np.isfinite(values).all():
                raise ValueError(
                    f"{problem.owner}: the schedule of {device!r} in case {case!r} lacks values "
                    f"of {decision}"
                )
            variable.value = values


def agent_position(compiled: CompiledProblem, price: Floats, view: Anticipation) -> Position:
    """Cost, epsilon and violation of a prosumer at the values in its statement.

    Its cost of a deviation y convex in it, slope y^2 is bounded from below by its tangent at the
    best one.
    """
    problem, hours = compiled.problem, compiled.problem.horizon.slot_hours
    trade, problem.price.value = problem.quantity, view.own_price(price)
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
    objective = delivery.objective(demand)
    reached = objective + float((linear * demand).sum())
    epsilon = reached - delivery.least_cost(linear)
    beyond = objective - delivery.cost(demand)
    return Position(objective, epsilon, reached, *delivery.violation(demand), beyond)


def limits_not_kept(
    delivery: DeliveryProblem, demand: Floats, position: Position
) -> tuple[str, ...]:
    """The limits that a delivery breaks by more than is worth naming, worst first, in words."""
    if position.violation <= WORTH_NAMING_KW and position.violation_pu <= WORTH_NAMING_PU:
        return ()
    return tuple(str(limit) for limit in delivery.infeasibility(demand, demand)[:5])
