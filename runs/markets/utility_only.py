"""Market `utility-only`: no trade among the agents, the disagreement outcome of all others."""

from nashgrid.market.settlement import Payments, energy_payments
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.trades import Trades


def pay_the_tariff(trades: Trades) -> list[Payments]:
    """lb p+ - ls p- to the utility, whoever delivers."""
    energy = trades.baseline_wh
    tariff = trades.terms.tariff_micro(energy)
    item = "energy at the tariff"
    return [energy_payments(item, trades.everybody, trades.utility, energy, tariff)]


UTILITY_ALONE = Market(
    name="utility-only",
    title="the utility alone",
    rule="everybody pays retail for itself: the disagreement outcome",
    explanation="Nobody trades with another: everybody pays the utility's tariff for itself.",
    exchanges=(UTILITY_ONLY,),
    settle=pay_the_tariff,
    for_levels=True,
    individually_rational=True,
)
