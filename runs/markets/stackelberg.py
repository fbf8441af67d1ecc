"""Market `stackelberg`: a leader charges for trades inside the community, and the agents follow.

The leader is who delivers: the operator of the wires, or the utility without a feeder. It
charges c for each kWh that is bought or sold inside, and knows that the agents answer; everybody
pays lambda p + c |p|, with lambda the clearing price at that charge (von Stackelberg 1934). What is
exchanged with the utility is free of the charge: see `nashgrid.runs.leaders_charge`.
"""

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.settlement import Payments, energy_payments, whole_micro
from nashgrid.market.topics import STACKELBERG as STACKELBERG_EXCHANGE
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.markets.competitive import pay_the_clearing_price
from nashgrid.runs.markets.market import POWER_IN_EVERY_ROUND, Market
from nashgrid.runs.markets.trades import Trades
from nashgrid.runs.scenario import Scenario


def pay_price_and_charge(trades: Trades) -> list[Payments]:
    """lambda . p + c . |p|, both to the counterparty."""
    payments = pay_the_clearing_price(trades)
    if trades.charge_per_kwh is not None:
        charge = whole_micro(trades.charge_per_kwh)
        payments.append(
            energy_payments(
                "charge of the leader",
                trades.everybody,
                trades.counterparty,
                abs(trades.energy_wh),
                charge,
            )
        )
    return payments


def no_population(scenario: Scenario, tariff: Tariff) -> None:
    """Refuse a population, which does not hear of charges."""
    if scenario.population is not None:
        raise ValueError(
            f"market 'stackelberg' is played by the agents that a scenario names; the "
            f"{scenario.population.count} buildings of its population follow no leader"
        )


STACKELBERG = Market(
    name="stackelberg",
    title="Stackelberg market",
    rule="clearing prices and a charge on trades inside, which a leader chooses for its profit",
    explanation="Who delivers leads: it charges for every kWh that is traded inside the "
    "community, the same for all, and knows that the agents will answer. It tries charges, each in "
    "an exchange of its own, and settles on the one that earns it most, or on the least that earns "
    "what it needs. What the community exchanges with the utility is free of the charge. The "
    "leader also keeps what prices at full wires leave, which may grow with the charge. Nothing "
    "promises that everybody gains.",
    exchanges=(UTILITY_ONLY, STACKELBERG_EXCHANGE),
    settle=pay_price_and_charge,
    reveals=f"{POWER_IN_EVERY_ROUND}, also of every charge on trial; the leader learns sums, and "
    "what all buy and sell together",
    heard=("charge", "quote", "closing"),
    presumes=no_population,
    holds="no charge tried serves the leader better, its profit",
    deviation="price-taking: each follower may choose any schedule of its own while prices and the "
    "charge stay; the leader may choose any other charge that it tried, and the followers answer",
)
