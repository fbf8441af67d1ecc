"""What settlement in whole units may cost a party."""

import numpy as np
import pandas as pd

from nashgrid.runs.assembly import Wires
from nashgrid.runs.markets.market import Market


def rounding_slack(
    market: Market,
    wires: Wires,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    accounts: pd.DataFrame,
) -> pd.Series:
    """What settlement in whole units may cost each row of the accounts [currency].

    Payments are rounded to a micro-unit, energies to a watt-hour, prices to a micro-unit per kWh:
    half a unit each. Who makes one payment for the day bears no more; who settles by energy bears,
    slot by slot, two rounded energies at prices whose difference is at most twice the highest,
    and the rounded prices on all it trades; the counterparty likewise upstream.
    """
    tariff = wires.tariff
    highest = max(
        float(prices["price_per_kwh"].abs().max()),
        float(np.abs(tariff.retail_price_per_kwh).max()),
        float(np.abs(tariff.feed_in_price_per_kwh).max()),
    )
    horizon = wires.scenario.horizon
    hours, slots = horizon.slot_hours, horizon.slots
    own = trades[trades["community"] != ""]
    traded_kwh = hours * own["trade_kw"].abs().groupby(own["agent"], observed=True).sum()
    by_energy = 1.5e-3 * slots * highest + 1e-6 * traded_kwh + 1e-6
    last = by_energy.max() + 1e-6 * (traded_kwh.sum() + len(traded_kwh))
    slack = accounts["agent"].map(by_energy).fillna(last)
    if not market.by_energy:
        slack[accounts["agent"].isin(traded_kwh.index)] = 1e-6
    return slack
