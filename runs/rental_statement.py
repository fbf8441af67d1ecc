"""Batteries for rent in the central problem."""

from collections.abc import Sequence

import cvxpy as cp

from nashgrid.agents.local_problem import LocalProblem
from nashgrid.runs.rentals import Rentals


def rented_balance(rentals: Rentals, problems: Sequence[LocalProblem]) -> list[cp.Constraint]:
    """Capacity that is rented is let, and charging for tenants is done, battery by battery."""
    constraints = []
    for rental in rentals.each:
        shares = [problems[row].share for row in rental.members]
        held = [share for share in shares if share is not None]
        constraints += [
            cp.sum(cp.vstack([share.charging_kw for share in held]), axis=0) == 0,
            cp.sum(cp.hstack([share.capacity_kwh for share in held])) == 0,
        ]
    return constraints
