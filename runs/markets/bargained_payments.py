"""Payments that the agents agreed on: one for the day, by each to the counterparty."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import MICRO, NANO_PER_MICRO, Payments, day_payments
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Trades

BARGAINED = "bargained payment"


def pay_as_agreed(trades: Trades) -> list[Payments]:
    """Each agent pays the counterparty what they agreed on.

    Raises
    ------
    ValueError
        If nothing was agreed.
    """
    if trades.bargained is None:
        raise ValueError("bargained payments are to be settled, but none were agreed on")
    payers = np.arange(len(trades.bargained))
    return [day_payments(BARGAINED, payers, trades.counterparty, trades.bargained)]


def agreed_payments(settlement: pd.DataFrame, payers: Sequence[str]) -> Floats:
    """(n,) what a settlement says that these agreed to pay [currency].

    Raises
    ------
    KeyError
        If somebody's payment is missing.
    """
    rows = settlement[settlement["item"] == BARGAINED]
    amounts = pd.Series(rows["amount_nano"].to_numpy(float), index=rows["payer"].astype(str))
    agreed: Floats = amounts.loc[list(payers)].to_numpy() / (NANO_PER_MICRO * MICRO)
    return agreed


bargained_market = partial(
    Market, settle=pay_as_agreed, individually_rational=True, by_energy=False
)
"""The record of a market in which energy is traded first, and then what each pays for the day.

Everybody may leave with what it has alone, so that nobody loses.
"""
