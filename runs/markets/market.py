"""The record of a market: all that the rest of a run needs to know about its rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.settlement import Payments
from nashgrid.market.topics import MONEY_EXCHANGES, TRADING, UTILITY_ONLY
from nashgrid.runs.markets.books import Books
from nashgrid.runs.markets.trades import Trades
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.scenario import Scenario

Settle = Callable[[Trades], list[Payments]]
"""What every agent owes, given energy and prices."""
Promises = Callable[[Books], dict[str, dict[str, Any]]]
"""Claims by name that the rule's accounts are held to."""
Presumes = Callable[[Scenario, Tariff], None]
"""Raises ValueError where a scenario does not suit the rule."""

PRICE_TAKING = (
    "price-taking: each participant may choose any schedule of its own while prices stay; a "
    "price-anticipating agent may gain more"
)
POWER_IN_EVERY_ROUND = "its size and its connection, and its power in every slot and round"


def no_promises(books: Books) -> dict[str, dict[str, Any]]:
    """Of a rule that promises nothing of its own."""
    return {}


def nothing_presumed(scenario: Scenario, tariff: Tariff) -> None:
    """Of a rule that suits every scenario."""


@dataclass(frozen=True)
class Market:
    """A rule for who pays what, and the exchanges that lead to it.

    Parameters
    ----------
    name : as `--market` takes it
    title : for headings
    rule : one line
    explanation : for the report, to people who read of it for the first time
    settle : what every agent owes
    exchanges : topics to negotiate in, in this order
    individually_rational : nobody loses against the utility alone, by the rule itself
    reveals : what an agent gives away of itself, message by message
    heard, said : kinds of messages that reach an agent, and that it sends
    promises : claims beyond budget and individual rationality
    presumes : what the rule needs of a scenario and its tariff, checked before anything else
    by_energy : payments are for energy, slot by slot; otherwise each agent makes one for the day
    weighted : bargaining weights count
    for_levels : suits communities with managers, and batteries for rent
    holds : what the certificate holds the rule to, beside convergence, schedules and budget
    deviation : what an agent may do to gain, in the certificate of its equilibrium
    """

    name: str
    title: str
    rule: str
    explanation: str
    settle: Settle
    exchanges: tuple[str, ...] = (UTILITY_ONLY, TRADING)
    individually_rational: bool = False
    reveals: str = POWER_IN_EVERY_ROUND
    heard: tuple[str, ...] = ("quote", "closing")
    said: tuple[str, ...] = ("enrolment", "offer", "commitment")
    promises: Promises = no_promises
    presumes: Presumes = nothing_presumed
    by_energy: bool = True
    weighted: bool = False
    for_levels: bool = False
    holds: str = ""
    deviation: str = PRICE_TAKING

    def check(self, scenario: Scenario, tariff: Tariff) -> None:
        """Refuse a scenario that does not suit the rule.

        Raises
        ------
        ValueError
            With the reason.
        """
        if not self.for_levels:
            require_plain(scenario, f"market {self.name}: its rule")
        self.presumes(scenario, tariff)

    @property
    def certificate(self) -> str:
        """What is proved, in a line."""
        base = "equilibrium, budget" if self.has_trading else "best responses, budget"
        rational = ", nobody loses" if self.individually_rational and self.has_trading else ""
        return f"{base}{rational}{', ' if self.holds else ''}{self.holds}"

    @property
    def cases(self) -> list[str]:
        """The cases of an outcome: its exchanges of energy."""
        return [topic for topic in self.exchanges if topic not in MONEY_EXCHANGES]

    @property
    def has_trading(self) -> bool:
        """Whether agents trade with each other at all."""
        return len(self.cases) > 1

    @property
    def money(self) -> str | None:
        """The exchange of money in which payments are agreed on; None without one."""
        return next((topic for topic in self.exchanges if topic in MONEY_EXCHANGES), None)

    @property
    def bargains(self) -> bool:
        """Whether payments are agreed on in an exchange of money."""
        return self.money is not None
