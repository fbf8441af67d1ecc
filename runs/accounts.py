"""What every agent pays and saves, from the settlement."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, Unpack

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import MICRO, net_payments_micro
from nashgrid.runs.scenario import MANAGER, OPERATOR, UTILITY
from nashgrid.runs.stacking import stack


class _Costs(TypedDict):
    device_cost_before: Floats
    device_cost: Floats
    bills: Floats
    loss_cost_before: float
    operator_weight: float | None
    managers: NotRequired[tuple[str, ...]]


def accounts_table(
    roster: pd.DataFrame, settlement: pd.DataFrame, **costs: Unpack[_Costs]
) -> pd.DataFrame:
    """The accounts from a settlement table, see `accounts_of`."""
    managers = costs.get("managers", ())
    names = list(with_others(roster, managers, costs["operator_weight"])["agent"])
    residual = names[len(roster) + len(managers)]
    net = net_payments_micro(settlement, names, residual)
    return accounts_of(roster, net, **costs)


def accounts_of(
    roster: pd.DataFrame, payment_micro: Integers, **costs: Unpack[_Costs]
) -> pd.DataFrame:
    """One row per party: cost before, own cost, payment, cost after, saving [currency].

    Payments are whole micro-units and sum to zero exactly. The utility's row is a ledger, not a
    cost: before, it receives the bills and what the operator pays for losses.

    Parameters
    ----------
    roster : one row per agent, in order of address
    payment_micro : what every party pays in all, agents first
    device_cost_before, device_cost : (n,) what the agents' devices cost, with the utility alone
        and in the market, before any payment
    bills : (n,) what the agents would pay the utility alone
    loss_cost_before : what the operator pays for losses when everybody deals with the utility
    operator_weight : bargaining weight of the operator; None where there is none
    managers : names of the managers of communities, where they take part
    """
    bills, lost = costs["bills"], costs["loss_cost_before"]
    before = [-(sum(bills.tolist()) + lost)]
    if costs["operator_weight"] is not None:
        before.insert(0, lost)
    managers = costs.get("managers", ())
    before[:0] = [0.0] * len(managers)
    table = with_others(roster, managers, costs["operator_weight"])
    table["cost_before"] = np.concatenate([costs["device_cost_before"] + bills, before])
    own_cost = np.concatenate([costs["device_cost"], np.zeros(len(before))])
    return with_payments(table, own_cost, payment_micro)


def with_payments(table: pd.DataFrame, own_cost: Floats, payment_micro: Integers) -> pd.DataFrame:
    """Accounts from rows with `cost_before`: what each party pays, and what that comes to.

    Parameters
    ----------
    own_cost : (n,) before any payment [currency]
    payment_micro : (n,) in whole micro-units
    """
    return table.assign(
        own_cost=own_cost,
        payment_micro=payment_micro,
        payment=lambda rows: rows["payment_micro"] / MICRO,
        cost_after=lambda rows: rows["own_cost"] + rows["payment"],
        saving=lambda rows: rows["cost_before"] - rows["cost_after"],
    )


def with_others(
    roster: pd.DataFrame, managers: Sequence[str], operator_weight: float | None
) -> pd.DataFrame:
    """The roster, and after it managers and the operator, if there are any, and the utility."""
    others = [(UTILITY, UTILITY, "", 0, 0.0)]
    if operator_weight is not None:
        others.insert(0, (OPERATOR, OPERATOR, "", 0, operator_weight))
    others[:0] = [(name, MANAGER, "", 0, 0.0) for name in managers]
    return stack([roster, pd.DataFrame(others, columns=roster.columns)])
