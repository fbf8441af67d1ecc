"""What every agent pays and saves, from the settlement."""

from collections.abc import Mapping, Sequence

import pandas as pd

from nashgrid.market.settlement import MICRO, net_payments_micro
from nashgrid.runs.ledger import settlement_payments
from nashgrid.runs.roster import kind_of
from nashgrid.runs.scenario import UTILITY, Scenario


def accounts_table(
    scenario: Scenario,
    counterparty: str,
    cost_before: Mapping[str, float],
    bills: Sequence[float],
    own_cost: Mapping[str, float],
    settlement: pd.DataFrame,
) -> pd.DataFrame:
    """One row per party: cost before, own cost, payment, cost after, saving [currency].

    `own_cost` is an agent's device cost before any payment, `bills` what the agents would pay
    the utility alone. Payments are whole micro-units and sum to zero exactly. The utility's row
    is a ledger, not a cost: before, it receives the bills and what the operator loses.
    """
    rows = [
        {
            "agent": entry.name,
            "kind": kind_of(entry),
            "community": entry.community,
            "bus": entry.bus or 0,
            "weight": entry.bargaining_weight,
        }
        for entry in scenario.agents
    ]
    both = [counterparty] if counterparty == UTILITY else [counterparty, UTILITY]
    for name in both:
        weight = scenario.bargaining.operator_weight if name == counterparty else 0.0
        rows.append({"agent": name, "kind": name, "community": "", "bus": 0, "weight": weight})
    table = pd.DataFrame(rows)
    names = list(table["agent"])
    paid = net_payments_micro(settlement_payments(settlement), names, residual=counterparty)
    received = sum(bills) + cost_before[counterparty]
    cost_before = {**cost_before, UTILITY: -received}
    table["cost_before"] = [cost_before.get(name, 0.0) for name in names]
    table["own_cost"] = [own_cost.get(name, 0.0) for name in names]
    table["payment_micro"] = [paid[name] for name in names]
    table["payment"] = table["payment_micro"] / MICRO
    table["cost_after"] = table["own_cost"] + table["payment"]
    table["saving"] = table["cost_before"] - table["cost_after"]
    return table
