"""What it costs to deliver power at places, and what allows it, as a statement in CVXPY."""

from dataclasses import dataclass

import cvxpy as cp


@dataclass(frozen=True, eq=False)
class DeliveryStatement:
    """Minimise `cost` (plus the caller's terms) over `demand_kw` (S, B) under `constraints`."""

    demand_kw: cp.Expression
    cost: cp.Expression
    constraints: list[cp.Constraint]
