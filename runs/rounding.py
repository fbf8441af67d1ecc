"""What settlement in whole units may cost a party."""

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.markets.market import Market
from nashgrid.runs.wires import Wires


def rounding_slack(
    market: Market,
    wires: Wires,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    accounts: pd.DataFrame,
) -> pd.Series:
    """What settlement in whole units may cost each row of the accounts [currency]."""
    own, hours = trades[trades["community"] != ""], wires.scenario.horizon.slot_hours
    traded_kwh = hours * own["trade_kw"].abs().groupby(own["agent"], observed=True).sum()
    in_order = accounts["agent"].map(traded_kwh).dropna().to_numpy(dtype=float)
    return rounding_of(market, wires, prices, in_order, accounts)


def rounding_of(
    market: Market,
    wires: Wires,
    prices: pd.DataFrame,
    traded_kwh: Floats,
    accounts: pd.DataFrame,
) -> pd.Series:
    """The same from what each agent trades, (n,) in the order of the accounts, others after them.

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
    by_energy = 1.5e-3 * wires.scenario.horizon.slots * highest + 1e-6 * traded_kwh + 1e-6
    last = by_energy.max() + 1e-6 * (traded_kwh.sum() + len(traded_kwh))
    slack = pd.Series(last, index=accounts.index)
    slack.iloc[: len(traded_kwh)] = by_energy if market.by_energy else 1e-6
    return slack
