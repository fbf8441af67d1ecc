"""The managers of communities in the central problem."""

from collections.abc import Sequence

import cvxpy as cp
import numpy as np

from nashgrid.runs.levels import Levels


def state_levels(
    levels: Levels, trades: Sequence[cp.Expression], slots: int, slot_hours: float
) -> tuple[cp.Expression, list[cp.Constraint]]:
    """The managers' fees: dt sum (b |B_c| + d |R_c - B_c|), with sum_c B_c = 0.

    Parameters
    ----------
    trades : (T,) of each agent of the scenario
    """
    between = cp.Variable((len(levels.communities), slots), name="between_kw")
    fees, paid = levels.fees, cp.Constant(0.0)
    for number in range(len(levels.communities)):
        members = [
            trade for trade, own in zip(trades, levels.community, strict=True) if own == number
        ]
        rest = sum(members, start=cp.Constant(np.zeros(slots))) - between[number]
        paid += (fees.between - fees.inside) * cp.norm1(between[number])
        paid += (fees.rest - fees.inside) * cp.norm1(rest)
    return slot_hours * paid, [cp.sum(between, axis=0) == 0]
