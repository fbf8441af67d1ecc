"""The names of the exchanges that a market may hold."""

UTILITY_ONLY = "utility-only"
"""Everybody pays the utility for itself: what happens without a market."""

TRADING = "trading"
"""Energy at every place in every slot."""

MONEY = "money"
"""Payments that share the savings."""
