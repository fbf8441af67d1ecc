"""Market `two-part`: retail on the baseline p0, the clearing price on the deviation from it.

lb p0+ - ls p0- + lambda . (p - p0): individually rational, for at prices lambda the schedule p
is the agent's best and p0 was feasible; the operator keeps what the agents' gains leave of S.
"""

from typing import Any

from nashgrid.market.settlement import Payments, energy_payments
from nashgrid.runs.claims import claim
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Trades
from nashgrid.runs.scenario import OPERATOR


def pay_in_two_parts(trades: Trades) -> list[Payments]:
    """The bill of the baseline and the price of the deviation, both to the counterparty."""
    alone, deviation = trades.baseline_wh, trades.energy_wh - trades.baseline_wh
    tariff, price = trades.terms.tariff_micro(alone), trades.price_micro
    payer, payee = trades.everybody, trades.counterparty
    return [
        energy_payments("baseline at the tariff", payer, payee, alone, tariff),
        energy_payments("deviation at the clearing price", payer, payee, deviation, price),
    ]


def operators_part(books: Books) -> dict[str, dict[str, Any]]:
    """What is left with the operator is no loss."""
    last = books.accounts["kind"] == OPERATOR
    return {
        "operator's part": claim(
            -float(books.accounts.loc[last, "saving"].sum()),
            float(books.rounding[last].sum()),
            "loss of the operator, who keeps what the agents' gains leave [currency]",
        )
    }


TWO_PART = Market(
    name="two-part",
    title="two-part market",
    rule="retail on what one would buy alone, the clearing price on the deviation",
    explanation="Everybody pays retail for what it would buy alone, and the clearing price for the "
    "deviation from it. This rewards a baseline that is reported too high.",
    settle=pay_in_two_parts,
    individually_rational=True,
    promises=operators_part,
    holds="operator's part",
)
