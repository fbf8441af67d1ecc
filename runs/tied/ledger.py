"""Who pays whom where two feeders are tied: both markets, and the flow between their operators."""

from dataclasses import replace

import numpy as np
import pandas as pd

from nashgrid.market.messages import Integers
from nashgrid.market.settlement import (
    Payments,
    energy_payments,
    net_payments_micro,
    settlement_table,
    whole_micro,
    whole_wh,
)
from nashgrid.market.topics import TRADING
from nashgrid.runs.accounts import with_others, with_payments
from nashgrid.runs.ledger import payments_of
from nashgrid.runs.markets.competitive import COMPETITIVE
from nashgrid.runs.markets.trades import Terms, Trades
from nashgrid.runs.scenario import OPERATOR
from nashgrid.runs.tied.half import Half

FLOW = "flow over the tie"


def party(name: str, scenario: str) -> str:
    """What a party is called among those of both feeders."""
    return f"{name} of {scenario}"


def settle_tied(first: Half, second: Half) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Settlement of both feeders together, and the accounts of each.

    Everybody pays its own operator the price of its own place. The operator of the feeder that the
    flow goes into pays the other one the price of the flow, which is the same at both ends, and
    each pays its own utility. All payments together sum to zero, in whole micro-units.
    """
    trades = [_trades(half) for half in (first, second)]
    names = [
        [party(name, half.name) for name in own.parties]
        for half, own in zip((first, second), trades)
    ]
    beyond = len(names[0])
    payments = [
        *payments_of(COMPETITIVE, trades[0]),
        *(_renumbered(one, beyond) for one in payments_of(COMPETITIVE, trades[1])),
        energy_payments(
            FLOW,
            trades[1].counterparty + beyond,
            trades[0].counterparty,
            whole_wh(first.into_tie_kw, first.scenario.horizon.slot_hours)[None],
            whole_micro(first.price[:, -1]),
        ),
    ]
    parties = [*names[0], *names[1]]
    settlement = settlement_table(parties, payments)
    net = net_payments_micro(settlement, parties, residual=party(OPERATOR, first.name))
    own_net = np.split(net, [beyond])
    return settlement, [_accounts(*each) for each in zip((first, second), own_net)]


def _trades(half: Half) -> Trades:
    """What a feeder settles; its operator passes the flow on."""
    wires, hours = half.wires, half.scenario.horizon.slot_hours
    agents = half.trades[half.trades["community"] != ""]
    traded_kw = agents["trade_kw"].to_numpy(float).reshape(len(half.roster), -1)
    terms = Terms(
        hours,
        wires.tariff.retail_price_per_kwh,
        wires.tariff.feed_in_price_per_kwh,
        wires.loss_price_per_kwh,
        wires.losses_kw(TRADING, half.demand_kw),
    )
    return Trades(
        agents=tuple(half.roster["agent"]),
        baseline_kw=traded_kw,
        trade_kw=traded_kw,
        price_per_kwh=half.price.T[wires.place_of(half.roster["bus"])],
        terms=terms,
        onward_kw=half.into_tie_kw,
    )


def _renumbered(payments: Payments, beyond: int) -> Payments:
    """The same between parties that stand after `beyond` others."""
    return replace(payments, payer=payments.payer + beyond, payee=payments.payee + beyond)


def _accounts(half: Half, payment_micro: Integers) -> pd.DataFrame:
    table = with_others(half.roster, (), half.scenario.bargaining.operator_weight)
    alone = half.alone
    table["cost_before"] = np.nan if alone is None else alone.accounts["cost_after"].to_numpy()
    others = np.zeros(len(table) - len(half.device_cost))
    return with_payments(table, np.concatenate([half.device_cost, others]), payment_micro)
