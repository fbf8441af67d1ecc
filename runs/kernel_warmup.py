"""Compiling the population kernel before the first round, with a word to who waits for it."""

from collections.abc import Callable, Sequence

from nashgrid.agents.population.population import Population
from nashgrid.market.topics import MONEY_EXCHANGES, UTILITY_ONLY

COMPILING = "compiling the population kernel, once per machine (some seconds)"


def warm_up(
    kernel: Population, topics: Sequence[str], say: Callable[[str], None] | None = None
) -> None:
    """Make ready what the exchanges of energy will ask of the kernel.

    With the utility alone buying and selling have different prices, and passes of their own.

    Parameters
    ----------
    kernel : of the population
    topics : exchanges to come
    say : told that it takes seconds, only where it does
    """
    for two_prices in dict.fromkeys(
        topic == UTILITY_ONLY for topic in topics if topic not in MONEY_EXCHANGES
    ):
        if say is not None and not kernel.is_compiled(two_prices):
            say(COMPILING)
        kernel.prepare(two_prices)
