"""The mediator: a cloud of money whom everybody trusts with what the rule needs to know."""

from collections.abc import Callable, Mapping
from typing import Unpack

import mesa
import numpy as np

from nashgrid.agents.bargainer import size_in_money
from nashgrid.agents.cloud import CloudTerms
from nashgrid.agents.money_exchange import MoneyCloud
from nashgrid.market.messages import Floats, Messages

Weigh = Callable[[Mapping[str, Floats]], Floats]
"""What all members said at enrolment, (n, ...) by field and in order of address, 0 where nothing
was said -> (n,) weights, at least 0, by which they share the savings."""


class Mediator(MoneyCloud):
    """Tells each member a weight that follows from the statements of all; then money is exchanged.

    Parameters
    ----------
    weigh : the rule
    terms : see `nashgrid.agents.cloud.Cloud`
    """

    def __init__(
        self, model: mesa.Model, topic: str, *, weigh: Weigh, **terms: Unpack[CloudTerms]
    ) -> None:
        super().__init__(model, topic, **terms)
        self._weigh = weigh
        self._heard_s = 0.0

    def open_exchange(self) -> bool:
        """Award the weights; nothing where there is no surplus."""
        if not self.has_surplus:
            return False
        weights = self._weigh(self._statements())
        weights = weights / weights[weights > 0].mean() if (weights > 0).any() else weights
        start = 0
        for bench in self._benches:
            rows = slice(start, start + len(bench.members))
            start = rows.stop
            own = weights[rows, None]
            bench.heard["weight"], bench.heard["size"] = own, size_in_money(own)
            self._tell("award", bench.members, {"weight": own}, self._heard_s)
        return super().open_exchange()

    def receive(self, messages: Messages) -> None:
        """Note a column, and when it came."""
        self._heard_s = max(self._heard_s, float(messages.sent_s.max()))
        super().receive(messages)

    def _statements(self) -> dict[str, Floats]:
        names = {name for bench in self._benches for name in bench.heard}
        said = {}
        for name in sorted(names):
            width = max(b.heard[name].shape[1] for b in self._benches if name in b.heard)
            said[name] = np.concatenate(
                [b.heard.get(name, np.zeros((len(b.members), width))) for b in self._benches]
            )
        return said
