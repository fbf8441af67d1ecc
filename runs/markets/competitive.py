"""Market `competitive`: the clearing price for everything, lambda . p.

Schedules and prices are the competitive equilibrium. Where wires bind it is not individually
rational: who bought or sold at better terms before may lose.
"""

from nashgrid.market.settlement import Payments, energy_payments
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Trades


def pay_the_clearing_price(trades: Trades) -> list[Payments]:
    """lambda . p to the counterparty, or to the manager of one's community, who passes it on."""
    own = energy_payments(
        "energy at the clearing price",
        trades.everybody,
        trades.sellers,
        trades.energy_wh,
        trades.price_micro,
    )
    payments = [own]
    if trades.passed_on is not None:
        payments += trades.passed_on.pay(len(trades.agents), trades.counterparty)
    if trades.renting is not None:
        payments += trades.renting.pay()
    return payments


COMPETITIVE = Market(
    name="competitive",
    title="competitive market",
    rule="everybody pays the clearing price for all it trades",
    explanation="Everybody pays the clearing price for all that it trades. Nothing promises that "
    "everybody gains: who paid less than the clearing price before may lose.",
    settle=pay_the_clearing_price,
    for_levels=True,
)
