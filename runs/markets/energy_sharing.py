"""Market `energy-sharing`: generalised demand bids (Chen, Mei, Zhou, Low 2019, arXiv 1904.07829).

Agent i bids b_i and buys q_i = b_i - alpha lambda; the price lambda balances all bids. It knows
that the others' bids leave it a slope: a kW more moves the price by 1 / (alpha n), n the number of
other bidders. The Nash equilibrium minimises sum f_i(q_i) + sum q_i^2 / (2 alpha n) under balance,
and tends to the social optimum as n grows. The utility, or the operator of the wires, bids with the
same slope, so n is the number of agents, but it takes prices as given. Charges of the wires are
taken as given: the equilibrium is variational.
"""

from nashgrid.market.topics import ENERGY_SHARING as SHARING_EXCHANGE
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.markets.competitive import pay_the_clearing_price
from nashgrid.runs.markets.market import Market
from nashgrid.runs.markets.named_players import named_players

ENERGY_SHARING = Market(
    name="energy-sharing",
    title="energy sharing with demand bids",
    rule="bids that fall with the price, by agents who anticipate what theirs do to it",
    explanation="Everybody bids a demand that falls with the price at one common slope, and pays "
    "the price that balances all bids. It knows what its own bid does to the price, and holds "
    "back; with many agents that comes to nothing. Nothing promises that everybody gains.",
    exchanges=(UTILITY_ONLY, SHARING_EXCHANGE),
    settle=pay_the_clearing_price,
    presumes=named_players(SHARING_EXCHANGE),
    deviation="price-anticipating: each agent may bid anything else, knowing how its bid moves the "
    "price, while the others' bids and the charges of wires and limits stay; who delivers takes "
    "prices as given",
)
