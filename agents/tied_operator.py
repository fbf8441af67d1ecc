"""A system operator with a neighbour: the flow over their tie is a commodity of both."""

from collections.abc import Mapping
from typing import Unpack

import mesa

from nashgrid.agents.counterparty import CounterpartyTerms, SystemOperator
from nashgrid.market.messages import Floats


class TiedOperator(SystemOperator):
    """It trades the flow into the tie at its last place, with the neighbour alone.

    Parameters
    ----------
    tie_kw : largest flow over the tie, either way; the size of both operators there
    proposes : whether the flow at the end is the one that it would have; the neighbour takes it
    terms : see `Counterparty`; the tie is the last place
    """

    def __init__(
        self,
        model: mesa.Model,
        name: str,
        *,
        tie_kw: float,
        proposes: bool,
        **terms: Unpack[CounterpartyTerms],
    ) -> None:
        super().__init__(model, name, **terms)
        self._tie_kw, self._proposes = tie_kw, proposes
        self._over_the_tie = slice(-terms["slots"], None)

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """As any operator, but at the tie, where nobody else speaks."""
        if kind == "enrolment sums":
            reach = {"size": 1.0, "connection_kw": 1.0, "lowest_kw": -1.0, "highest_kw": 1.0}
            sums = {
                name: self._at_tie(fields[name], sign * self._tie_kw)
                for name, sign in reach.items()
            }
            return super().react(kind, topic, sums)
        if kind == "closing" and self._proposes:
            super().react(kind, topic, fields)
            nothing = 0.0 * self.seats[topic].quantity
            return "commitment", {"quantity": self._at_tie(nothing, self._proposal(topic))}
        if kind == "remainder" and self._proposes:
            left = self._at_tie(fields["quantity"], self._proposal(topic))
            return super().react(kind, topic, {"quantity": left})
        return super().react(kind, topic, fields)

    def _proposal(self, topic: str) -> Floats:
        return self.seats[topic].quantity[:, self._over_the_tie]

    def _at_tie(self, values: Floats, there: Floats | float) -> Floats:
        """(1, K) values with others at the tie."""
        changed = values.copy()
        changed[:, self._over_the_tie] = there
        return changed
