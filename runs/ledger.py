"""The payments that each market asks for, given schedules and prices."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import Payment, energy_payments, whole_micro, whole_wh
from nashgrid.runs.assembly import Wires
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.scenario import UTILITY, Scenario


@dataclass(frozen=True)
class Trades:
    """What a market settles.

    Parameters
    ----------
    baseline_kw, trade_kw : agent -> (T,) trade alone and in the market [kW]
    price_per_kwh : agent -> (T,) clearing price at its place [currency/kWh]
    bargained : agent -> payment agreed [currency]; only in `nash-bargaining`
    losses_kw : (T,) losses that the operator buys [kW]
    """

    baseline_kw: dict[str, Floats]
    trade_kw: dict[str, Floats]
    price_per_kwh: dict[str, Floats]
    bargained: dict[str, float]
    losses_kw: Floats


def payments(
    market: str, trades: Trades, scenario: Scenario, wires: Wires, counterparty: str
) -> list[Payment]:
    """Every payment of a market.

    Raises
    ------
    ValueError
        If there is no such market.
    """
    hours = scenario.horizon.slot_hours
    retail = whole_micro(wires.tariff.retail_price_per_kwh)
    feed_in = whole_micro(wires.tariff.feed_in_price_per_kwh)
    listed: list[Payment] = []
    for name, trade_kw in trades.trade_kw.items():
        energy = whole_wh(trade_kw, hours)
        alone = whole_wh(trades.baseline_kw[name], hours)
        price = whole_micro(trades.price_per_kwh[name])
        if market == "utility-only":
            listed += _by_tariff(name, UTILITY, "energy at the tariff", alone, retail, feed_in)
        elif market == "competitive":
            listed += energy_payments(
                name, counterparty, "energy at the clearing price", energy, price
            )
        elif market == "two-part":
            listed += _by_tariff(
                name, counterparty, "baseline at the tariff", alone, retail, feed_in
            )
            listed += energy_payments(
                name, counterparty, "deviation at the clearing price", energy - alone, price
            )
        elif market == "nash-bargaining":
            micro = int(whole_micro(np.array([trades.bargained[name]]))[0])
            listed.append(
                Payment(name, counterparty, "bargained payment", None, None, None, 1000 * micro)
            )
        else:
            raise ValueError(f"there is no market {market!r}; the markets are {', '.join(MARKETS)}")
    if wires.feeder is not None:
        listed += _upstream(market, trades, hours, retail, feed_in, wires, counterparty)
    return listed


def settlement_table(listed: list[Payment]) -> pd.DataFrame:
    """One row per payment."""
    table = pd.DataFrame([vars(payment) for payment in listed])
    whole = ["slot", "energy_wh", "price_micro_per_kwh", "amount_nano"]
    return table.astype(dict.fromkeys(whole, "Int64"))


def settlement_payments(table: pd.DataFrame) -> list[Payment]:
    """The payments of a settlement table."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [Payment(**{str(key): value for key, value in row.items()}) for row in rows]


def _by_tariff(
    payer: str, payee: str, item: str, energy: Integers, retail: Integers, feed_in: Integers
) -> list[Payment]:
    return energy_payments(payer, payee, item, energy, np.where(energy > 0, retail, feed_in))


def _upstream(
    market: str,
    trades: Trades,
    hours: float,
    retail: Integers,
    feed_in: Integers,
    wires: Wires,
    operator: str,
) -> list[Payment]:
    """What the operator pays the utility: losses always, the community's energy in a market."""
    losses = energy_payments(
        operator,
        UTILITY,
        "losses",
        whole_wh(trades.losses_kw, hours),
        whole_micro(wires.loss_price_per_kwh),
    )
    if market == "utility-only":
        return losses
    # The root has one meter: rounding every agent first would add up to cents.
    total = whole_wh(np.sum(list(trades.trade_kw.values()), axis=0), hours)
    energy = _by_tariff(operator, UTILITY, "energy upstream", total, retail, feed_in)
    return energy + losses
