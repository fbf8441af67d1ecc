"""What is noted of every round of an exchange."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post


class Negotiating(Protocol):
    """A model that holds exchanges round by round."""

    @property
    def running(self) -> bool:
        """Whether there is a round to come."""
        ...

    @property
    def negotiation(self) -> Negotiation | None:
        """The exchange under way."""
        ...

    @property
    def post(self) -> Post:
        """Carries its messages."""
        ...

    @property
    def datacollector(self) -> Any:
        """What was noted of the rounds so far: a `mesa.DataCollector`."""
        ...


def _of_last_round(attribute: str) -> Callable[[Negotiating], object]:
    def report(model: Negotiating) -> object:
        if model.negotiation is None:
            raise ValueError("no negotiation is under way")
        return getattr(model.negotiation.coordinator.exchange.records[-1], attribute)

    return report


def _of_prices(statistic: Callable[[Floats], float]) -> Callable[[Negotiating], float]:
    def report(model: Negotiating) -> float:
        if model.negotiation is None:
            raise ValueError("no negotiation is under way")
        return float(statistic(model.negotiation.coordinator.exchange.clearing_price))

    return report


ROUND_REPORTERS: dict[str, Callable[[Negotiating], object]] = {
    "topic": lambda model: model.negotiation.coordinator.topic if model.negotiation else "",
    "round": _of_last_round("round"),
    "primal_residual": _of_last_round("primal_residual"),
    "dual_residual": _of_last_round("dual_residual"),
    "restarted": _of_last_round("restarted"),
    "lowest_price": _of_prices(np.min),
    "highest_price": _of_prices(np.max),
    "clock_s": lambda model: model.post.network.clock_s,
    "messages": lambda model: model.post.network.totals()["messages"],
}
