"""The names of the exchanges that a market may hold."""

UTILITY_ONLY = "utility-only"
"""Everybody pays the utility for itself: what happens without a market."""

TRADING = "trading"
"""Energy at every place in every slot."""

MONEY = "money"
"""Payments that share the savings by bargaining weights."""

EQUAL_MONEY = "money in equal shares"
"""Payments that leave all players the same share of their ideal gains, or the same gain."""

BAND_MONEY = "money within a band"
"""Payments within a band of prices for what each trades."""

PRICE_MONEY = "money above locational prices"
"""Payments that leave everybody what it gains at its locational price, and share the rest."""

UTILITY_MONEY = "money for the utility alone"
"""Payments for import and export that count as each one's own; nobody pays anybody else."""

CONTRIBUTION_MONEY = "money by contribution"
"""Payments that share the savings by what each adds to those of all others."""

SHAPLEY_MONEY = "money by Shapley value"
"""Payments that share the savings by the Shapley value."""

NUCLEOLUS_MONEY = "money by nucleolus"
"""Payments that share the savings by the nucleolus of the kinds."""

TRADED_MONEY = "money by energy traded"
"""Payments that share the savings by the energy that each trades."""

MONEY_EXCHANGES = (
    MONEY,
    EQUAL_MONEY,
    BAND_MONEY,
    PRICE_MONEY,
    UTILITY_MONEY,
    CONTRIBUTION_MONEY,
    SHAPLEY_MONEY,
    NUCLEOLUS_MONEY,
    TRADED_MONEY,
)
"""All exchanges of money; the others are of energy, and cases of an outcome."""

COURNOT = "cournot"
"""Energy at a price that slopes with the community's power, among agents who know it."""

ENERGY_SHARING = "energy-sharing"
"""Energy by generalised demand bids, among agents who know what their bids do to the price."""

STACKELBERG = "stackelberg"
"""Energy at every place in every slot, with the charge that a leader chose for trades inside."""

CHARGE_TRIAL = "stackelberg on trial"
"""The same with a charge that the leader tries, one after the other."""

LED = (CHARGE_TRIAL, STACKELBERG)
"""Exchanges that a leader opens with a charge."""

GAMES = (COURNOT, ENERGY_SHARING)
"""Exchanges whose agents anticipate their own influence on the price."""
