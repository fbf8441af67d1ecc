"""Market `cournot`: a price that slopes with the community's power, among agents who know it.

The utility's price is a + b X, X the power that the community takes in all; everybody pays it for
all that it trades. Agent i minimises C_i(x_i) + sum_t dt (a_t + b_t X_t) x_it and knows its own
influence. The equilibrium minimises sum C_i + a'X + b X^2 / 2 + b sum x_i^2 / 2: the agents find it
in an exchange with one more participant, a market maker who sells X at cost a'X + b X^2 / 2. Where
slopes differ between agents, each divides its cost by its own (a weighted potential). Limits of
the wires and of the exchange are shared: with them it is the variational equilibrium, in which all
see the same charges; where slopes differ, the weights choose which one.
"""

from nashgrid.market.topics import COURNOT as COURNOT_EXCHANGE
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.markets.competitive import pay_the_clearing_price
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.named_players import named_players

COURNOT = Market(
    name="cournot",
    title="Cournot market",
    rule="a price that rises with the community's power, among agents who anticipate it",
    explanation="The utility's price rises with the power that the community takes: from feed-in "
    "at full export to retail at full import. Everybody pays it for all that it trades, knows what "
    "its own power does to it, and holds back. Savings are against the tariff, so they hold both "
    "what trading saves and what the other price does. Nothing promises that everybody gains.",
    exchanges=(UTILITY_ONLY, COURNOT_EXCHANGE),
    settle=pay_the_clearing_price,
    presumes=named_players(COURNOT_EXCHANGE),
    deviation="price-anticipating: each agent may choose any schedule of its own, knowing how its "
    "power moves the community's price, while the others' power and the charges of wires and "
    "limits stay; who delivers takes prices as given",
)
