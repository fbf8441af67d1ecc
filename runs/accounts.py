"""What every agent pays and saves, from the settlement."""

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import MICRO, net_payments_micro
from nashgrid.runs.scenario import OPERATOR, UTILITY
from nashgrid.runs.stacking import stack


def accounts_table(
    roster: pd.DataFrame,
    settlement: pd.DataFrame,
    *,
    device_cost_before: Floats,
    device_cost: Floats,
    bills: Floats,
    loss_cost_before: float,
    operator_weight: float | None,
) -> pd.DataFrame:
    """One row per party: cost before, own cost, payment, cost after, saving [currency].

    Payments are whole micro-units and sum to zero exactly. The utility's row is a ledger, not a
    cost: before, it receives the bills and what the operator pays for losses.

    Parameters
    ----------
    roster : one row per agent, in order of address
    settlement : who pays whom for what
    device_cost_before, device_cost : (n,) what the agents' devices cost, with the utility alone
        and in the market, before any payment
    bills : (n,) what the agents would pay the utility alone
    loss_cost_before : what the operator pays for losses when everybody deals with the utility
    operator_weight : bargaining weight of the operator; None where there is none
    """
    others = [(UTILITY, UTILITY, "", 0, 0.0)]
    before = [-(sum(bills.tolist()) + loss_cost_before)]
    if operator_weight is not None:
        others.insert(0, (OPERATOR, OPERATOR, "", 0, operator_weight))
        before.insert(0, loss_cost_before)
    table = stack([roster, pd.DataFrame(others, columns=roster.columns)])
    names = list(table["agent"])
    table["cost_before"] = np.concatenate([device_cost_before + bills, before])
    table["own_cost"] = np.concatenate([device_cost, np.zeros(len(others))])
    table["payment_micro"] = net_payments_micro(settlement, names, residual=names[len(roster)])
    table["payment"] = table["payment_micro"] / MICRO
    table["cost_after"] = table["own_cost"] + table["payment"]
    table["saving"] = table["cost_before"] - table["cost_after"]
    return table
