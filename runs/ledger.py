"""From the tables of an outcome to its settlement and accounts, by the rule of its market."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.settlement import (
    Payments,
    energy_payments,
    settlement_table,
    whole_micro,
    whole_wh,
)
from nashgrid.market.topics import COURNOT
from nashgrid.runs.accounts import accounts_table
from nashgrid.runs.influence import anticipations, price_curve
from nashgrid.runs.layers import NO_LAYERS, Layers
from nashgrid.runs.level_ledger import fees_due, membership, passed_on
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Terms, Trades
from nashgrid.runs.rental_ledger import renting
from nashgrid.runs.tables import demand_kw, price_at_places, trade_kw
from nashgrid.runs.wires import Wires


def settle(
    market: Market,
    wires: Wires,
    roster: pd.DataFrame,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    *,
    device_cost: Mapping[str, Floats],
    bargained: Floats | None,
    layers: Layers = NO_LAYERS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Settlement and accounts of an outcome.

    Parameters
    ----------
    roster : one row per agent, in order of address
    prices, trades : tables of the outcome, in order of case, agent and slot
    device_cost : case -> (n,) what the agents' devices cost, before any payment [currency]
    bargained : (n,) payments that the agents agreed on [currency]; None where they need not
    layers : what communities with managers and batteries for rent came to
    """
    settled = trades_of(market, wires, roster, prices, trades, bargained, layers)
    settlement = settlement_of(market, settled)
    first, last = market.cases[0], market.cases[-1]
    with_operator = settled.terms.losses_kw is not None
    accounts = accounts_table(
        roster,
        settlement,
        device_cost_before=device_cost[first],
        device_cost=device_cost[last],
        bills=_bills_alone(wires, settled),
        loss_cost_before=wires.loss_cost(first, demand_kw(trades, first, wires)),
        operator_weight=wires.scenario.bargaining.operator_weight if with_operator else None,
        managers=settled.managers,
    )
    return settlement, accounts


def trades_of(
    market: Market,
    wires: Wires,
    roster: pd.DataFrame,
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    bargained: Floats | None,
    layers: Layers = NO_LAYERS,
) -> Trades:
    """What a market settles, from tables whose rows stand in order of case, agent and slot.

    Parameters
    ----------
    roster : one row per agent, in order of address
    bargained : (n,) payments agreed on; None where the market has none
    layers : what communities with managers and batteries for rent came to
    """
    first, last = market.cases[0], market.cases[-1]
    price = price_at_places(prices, last, wires).T
    tariff, losses_kw, hours = wires.tariff, None, wires.scenario.horizon.slot_hours
    at_place = layers.energy_price(price, wires.place_of(roster["bus"]))
    known = anticipations(wires.scenario, tariff, last)
    if known is not None:
        at_place = np.array([one.own_price(row) for one, row in zip(known, at_place, strict=True)])
    if wires.feeder is not None:
        losses_kw = wires.losses_kw(last, demand_kw(trades, last, wires))
    traded_kw = trade_kw(trades, last, len(roster))
    return Trades(
        agents=tuple(roster["agent"]),
        baseline_kw=trade_kw(trades, first, len(roster)),
        trade_kw=traded_kw,
        price_per_kwh=at_place,
        terms=Terms(
            hours,
            tariff.retail_price_per_kwh,
            tariff.feed_in_price_per_kwh,
            wires.loss_price_per_kwh,
            losses_kw,
            price_curve(wires.scenario, tariff) if last == COURNOT else None,
        ),
        bargained=bargained,
        membership=membership(wires.levels),
        passed_on=passed_on(layers.levels, traded_kw, price, hours),
        renting=renting(layers.rentals, traded_kw),
        charge_per_kwh=None if wires.charge is None else wires.charge.per_kwh,
    )


def _bills_alone(wires: Wires, trades: Trades) -> Floats:
    """(n,) what agents pay the utility alone: its tariff, and members the fee of the rest."""
    bills = wires.tariff.bills(trades.baseline_kw, trades.terms.slot_hours)
    if trades.membership is None:
        return bills
    return bills + trades.membership.fees_alone(trades.baseline_kw, trades.terms.slot_hours)


def settlement_of(market: Market, trades: Trades) -> pd.DataFrame:
    """Every payment of a market, one row each; the operator's upstream come last."""
    return settlement_table(trades.parties, payments_of(market, trades))


def payments_of(market: Market, trades: Trades) -> list[Payments]:
    """Every payment of a market as columns; the operator's upstream come last."""
    fees = fees_due(trades, market.has_trading)
    return [*market.settle(trades), *fees, *_upstream(market, trades)]


def _upstream(market: Market, trades: Trades) -> list[Payments]:
    """What the operator pays the utility: losses always, the community's energy in a market."""
    terms, payer, payee = trades.terms, trades.counterparty, trades.utility
    if terms.losses_kw is None:
        return []
    lost = whole_wh(terms.losses_kw, terms.slot_hours)
    price = whole_micro(terms.loss_price_per_kwh)
    losses = energy_payments("losses", payer, payee, lost[None], price)
    if not market.has_trading:
        return [losses]
    # The root has one meter: rounding every agent first would add up to cents.
    total = whole_wh(trades.delivered_kw, terms.slot_hours)
    price = terms.upstream_micro(total)
    return [energy_payments("energy upstream", payer, payee, total[None], price), losses]
