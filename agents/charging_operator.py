"""A system operator that charges for its wires: it announces prices and hears sums of schedules."""

from collections.abc import Callable, Mapping
from typing import Unpack

import mesa

from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.agents.counterparty import CounterpartyTerms, DeliveryProblem, SystemOperator
from nashgrid.market.messages import Floats


class ChargingOperator(SystemOperator):
    """It answers sums of schedules with the next prices, and at last with those that were answered.

    Parameters
    ----------
    course : (topic, its delivery problem, (B,) sizes at the places [kW]) -> the charge's course
    terms : see `Counterparty`
    """

    def __init__(
        self,
        model: mesa.Model,
        name: str,
        *,
        course: Callable[[str, DeliveryProblem, Floats], ChargeCourse],
        **terms: Unpack[CounterpartyTerms],
    ) -> None:
        super().__init__(model, name, **terms)
        self._course = course
        self.courses: dict[str, ChargeCourse] = {}

    def react(
        self, kind: str, topic: str, fields: Mapping[str, Floats]
    ) -> tuple[str, Mapping[str, Floats]] | None:
        """Prices after the enrolment and after sums of schedules; the rest as any operator."""
        if kind == "enrolment sums":
            self._take_seat(topic, fields)
            sizes = self._by_slot(fields["size"])[0]
            self.courses[topic] = self._course(topic, self.problems[topic], sizes)
            return self._announced(topic)
        if kind == "offer sums":
            self.courses[topic].hear(self._by_slot(fields["quantity"]))
            return self._announced(topic)
        return super().react(kind, topic, fields)

    def _announced(self, topic: str) -> tuple[str, dict[str, Floats]]:
        course = self.courses[topic]
        if course.finished:
            return "closing", {"price": _by_commodity(course.answered_per_kwh)}
        fields = {name: _by_commodity(values) for name, values in course.announcement.items()}
        return "announcement", fields


def _by_commodity(values: Floats) -> Floats:
    """(T, B) -> (1, B T)."""
    return values.T.reshape(1, -1)
