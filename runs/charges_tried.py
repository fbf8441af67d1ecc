"""The charges that a leader tried: what each earned it, as a table and read back from it.

    profit = dt sum_t [sum_b price_tb d_tb + c_t v_t] - bill(sum_b d_b) - losses

with d what is delivered at places, v what all prosumers buy and sell without signs, c the charge,
and the bill of the utility at its tariff. Of all that is traded, (v - |sum_b d_b|) / 2 is traded
inside; its buyers and sellers pay the charge, which is the income from it.
"""

from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.topics import CHARGE_TRIAL, STACKELBERG
from nashgrid.runs.leaders_charge import LeadersCharge
from nashgrid.runs.wires import Wires


@dataclass(frozen=True)
class LeadersAccount:
    """What a charge comes to for a leader.

    Attributes
    ----------
    share : s, of half the spread between retail and feed-in price
    charge_per_kwh : its mean over the slots [currency/kWh]
    inside_kwh : energy traded inside, over the day [kWh]
    income : from the charge [currency]
    profit : income, and what deliveries leave over their cost [currency]
    """

    share: float
    charge_per_kwh: float
    inside_kwh: float
    income: float
    profit: float


@dataclass(frozen=True)
class ChargeTried(LeadersAccount):
    """A charge that was on trial, and the exchange that answered it.

    Attributes
    ----------
    converged : whether the exchange did
    rounds, messages, transmissions, bytes : that it took
    """

    converged: bool
    rounds: int
    messages: int
    transmissions: int
    bytes: int

    @property
    def serves(self) -> float:
        """What it is worth to the leader: minus infinity where nothing was agreed on [currency]."""
        return self.profit if self.converged else -np.inf


COLUMNS = [*(field.name for field in fields(ChargeTried)), "chosen"]


def leaders_account(
    wires: Wires, charge: LeadersCharge, price: Floats, demand_kw: Floats, volume_kw: Floats
) -> LeadersAccount:
    """From clearing prices and deliveries (T, B) and the volume (T,) that answer a charge."""
    hours, net = wires.scenario.horizon.slot_hours, demand_kw.sum(axis=1)
    through = volume_kw - np.abs(net)
    paid = hours * float((price * demand_kw).sum() + charge.per_kwh @ volume_kw)
    cost = wires.tariff.bill(net, hours) + wires.loss_cost(STACKELBERG, demand_kw)
    return LeadersAccount(
        share=charge.share,
        charge_per_kwh=float(charge.per_kwh.mean()),
        inside_kwh=hours * float(through.sum()) / 2,
        income=hours * float(charge.per_kwh @ through),
        profit=paid - cost,
    )


def charges_table(tried: list[ChargeTried], chosen: float | None) -> pd.DataFrame:
    """A row for each charge in the order in which they were tried; empty where nobody leads."""
    rows = [asdict(one) | {"chosen": one.share == chosen} for one in tried]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_charges(table: pd.DataFrame) -> list[ChargeTried]:
    """From the table, in its order."""
    return [ChargeTried(**row) for row in table.drop(columns="chosen").to_dict("records")]


def trials_totals(table: pd.DataFrame) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Rounds, and messages, transmissions and bytes of all trials by topic; none without."""
    if table.empty:
        return {}, {}
    sums = {name: int(table[name].sum()) for name in ("messages", "transmissions", "bytes")}
    return {CHARGE_TRIAL: int(table["rounds"].sum())}, {CHARGE_TRIAL: sums}


def chosen_share(table: pd.DataFrame) -> float:
    """The share of the charge that the leader chose.

    Raises
    ------
    ValueError
        If the table has none, or several.
    """
    chosen = table.loc[table["chosen"], "share"].to_numpy(dtype=float)
    if len(chosen) != 1:
        raise ValueError(f"charges_tried.csv: {len(chosen)} charges are chosen, one must be")
    return float(chosen[0])


def led_by(wires: Wires, table: pd.DataFrame) -> Wires:
    """The wires with the charge that a leader chose; as they are where nobody leads."""
    if table.empty:
        return wires
    return replace(wires, charge=LeadersCharge(chosen_share(table), wires.tariff))
