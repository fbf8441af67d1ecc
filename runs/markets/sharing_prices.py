"""Sharing prices: each slot has one price for buyers and one for sellers, by a formula."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import MICRO, Payments, energy_payments, whole_micro
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.market import Market, Promises, Settle
from nashgrid.runs.markets.trades import Trades

Pricing = Callable[[Floats, Floats, Floats, Floats], tuple[Floats, Floats]]
"""(surplus [kWh], deficit [kWh], retail, feed-in) -> (buy, sell) [currency/kWh], by slot."""

HEARD_OF_PRICES = (
    "its size and its connection, and its power in every slot and round; the prices that it pays "
    "tell everybody the surplus and the deficit of all in every slot"
)


def shared_prices(pricing: Pricing, trades: Trades) -> tuple[Floats, Floats]:
    """(T,) what buyers pay and sellers receive [currency/kWh]."""
    energy_kwh = trades.energy_wh / 1000
    surplus, deficit = -energy_kwh.clip(max=0).sum(axis=0), energy_kwh.clip(min=0).sum(axis=0)
    terms = trades.terms
    return pricing(surplus, deficit, terms.retail_price_per_kwh, terms.feed_in_price_per_kwh)


def pay_by(pricing: Pricing) -> Settle:
    """The settlement of a sharing price: buyers pay, sellers receive, the counterparty between."""

    def settle(trades: Trades) -> list[Payments]:
        buy, sell = (whole_micro(price) for price in shared_prices(pricing, trades))
        energy = trades.energy_wh
        price = np.where(energy > 0, buy, sell)
        payer, payee = trades.everybody, trades.counterparty
        return [energy_payments("energy at the shared price", payer, payee, energy, price)]

    return settle


def shares_by(pricing: Pricing) -> Promises:
    """The claims of a sharing price: the bill is covered, and everybody pays by the formula."""

    def promises(books: Books) -> dict[str, dict[str, Any]]:
        trades = books.trades
        buy, sell = shared_prices(pricing, trades)
        power, terms = trades.trade_kw, trades.terms
        energy = terms.slot_hours * power
        net = energy.sum(axis=0)
        retail, feed_in = terms.retail_price_per_kwh, terms.feed_in_price_per_kwh
        upstream = retail * net.clip(min=0) + feed_in * net.clip(max=0)
        collected = np.where(energy > 0, buy, sell) * energy
        paid = books.accounts["payment_micro"].to_numpy()[: len(trades.agents)] / MICRO
        slack = books.rounding.to_numpy()[: len(trades.agents)]
        apart = np.abs(paid - collected.sum(axis=1)) - slack
        # Energy is priced by sums of rounded energies: the formula moves by what rounding moves.
        rounded = 1e-3 * len(energy) * float(np.abs([buy, sell, retail, feed_in]).max()) + 1e-9
        return {
            "price formula": claim(
                float(apart.max()),
                0.0,
                "payment of an agent against the formula of the rule, beyond rounding [currency]",
            ),
            "bill covered": claim(
                float(np.abs(collected.sum(axis=0) - upstream).max()),
                rounded,
                "largest difference, in a slot, between what buyers and sellers pay and receive "
                "and the bill of the utility [currency]",
            ),
        }

    return promises


sharing_price_market = partial(Market, reveals=HEARD_OF_PRICES, holds="bill covered, price formula")
"""The record of a sharing price: schedules of least cost, settled by the formula."""
