"""Buildings of a kind at a bus as one row: sums for tables that have no room for everybody."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import Payments, settlement_table

GROUP = ["kind", "community", "bus"]
"""What the buildings of a group have in common."""


@dataclass(frozen=True)
class Groups:
    """Stated agents, each for itself, and groups of drawn buildings.

    Parameters
    ----------
    roster : (g rows) agent (a name for each group), kind, community, bus, weight (summed)
    group : (n,) row of the group that each agent belongs to
    stated : how many of the rows are stated agents, who come first
    """

    roster: pd.DataFrame
    group: Integers
    stated: int

    @classmethod
    def of(cls, roster: pd.DataFrame, stated: int) -> "Groups":
        """Groups of a roster whose first rows are the stated agents."""
        plain = roster.astype({"agent": str, "kind": str, "community": str})
        drawn = plain.iloc[stated:]
        found = drawn.groupby(GROUP, sort=False, observed=True)
        sums = found.agg(agent=("agent", "size"), weight=("weight", "sum")).reset_index()
        at = [f" at bus {bus}" if bus else "" for bus in sums["bus"]]
        sums["agent"] = [
            f"{kind} ({count:,}){where}"
            for kind, count, where in zip(sums["kind"], sums["agent"], at)
        ]
        together = pd.concat([plain.iloc[:stated], sums[[*plain]]], ignore_index=True)
        group = np.concatenate([np.arange(stated), stated + found.ngroup().to_numpy()])
        return cls(together, group, stated)

    def sums(self, values: Floats) -> Floats:
        """(g, K) sums of (n, K) values."""
        total = np.zeros((len(self.roster), values.shape[1]))
        np.add.at(total, self.group, values)
        return total

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of drawn buildings with the name of their group in place of its `GROUP`."""
        keys = table[GROUP].astype({"kind": str, "community": str})
        drawn = self.roster.iloc[self.stated :]
        names = keys.merge(drawn[["agent", *GROUP]], how="left", on=GROUP)["agent"]
        return table.drop(columns=GROUP).assign(agent=names.to_numpy())

    def accounts(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """The accounts of the groups; other parties as they are."""
        count = len(self.group)
        numbers = [name for name in accounts if name not in ("agent", *GROUP, "weight")]
        summed = self.roster.copy()
        for name in numbers:
            total = np.zeros(len(summed), dtype=accounts[name].dtype)
            np.add.at(total, self.group, accounts[name].to_numpy()[:count])
            summed[name] = total
        others = accounts.iloc[count:].astype({"agent": str, "kind": str, "community": str})
        return pd.concat([summed, others], ignore_index=True)


def group_settlement(
    groups: Groups, payments: Sequence[Payments], parties: Sequence[str]
) -> pd.DataFrame:
    """Who pays whom for what, summed by group and slot; `parties` are the agents, then others."""
    agents, size = len(groups.group), len(groups.roster)
    others = len(parties) - agents
    group_of = np.concatenate([groups.group, size + np.arange(others)])
    summed = []
    for one in payments:
        payer, payee = group_of[one.payer], group_of[one.payee]
        slot = np.zeros_like(payer) if one.slot is None else one.slot
        shape = (len(group_of), len(group_of), 1 + int(slot.max(initial=0)))
        keys, row = np.unique(
            np.ravel_multi_index((payer, payee, slot), shape), return_inverse=True
        )
        found = np.unravel_index(keys, shape)
        amount, energy = np.zeros((2, len(keys)), dtype=np.int64)
        np.add.at(amount, row, one.amount_nano)
        if one.energy_wh is not None:
            np.add.at(energy, row, one.energy_wh)
        whole_day = one.slot is None
        summed.append(
            Payments(
                one.item,
                found[0],
                found[1],
                amount,
                None if whole_day else found[2],
                None if whole_day else energy,
            )
        )
    names = [*groups.roster["agent"], *parties[agents:]]
    return settlement_table(names, summed)
