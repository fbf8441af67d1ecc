"""A negotiation: enrolment, rounds of quotes and offers, closing."""

from collections.abc import Sequence
from typing import Protocol

from nashgrid.market.exchange import Exchange
from nashgrid.market.post import Post


class Participant(Protocol):
    """Whoever takes part in an exchange."""

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Put an enrolment into the outbox."""
        ...


class Coordinator(Protocol):
    """Whoever runs an exchange."""

    unique_id: int
    topic: str

    @property
    def exchange(self) -> Exchange:
        """Prices, residuals and rounds."""
        ...

    def open_exchange(self) -> bool: ...
    def quote(self, now_s: float) -> None: ...
    def close_round(self) -> None: ...
    def announce_closing(self, now_s: float) -> None: ...
    def tell_sums(self, receiver: int, now_s: float) -> None: ...
    def tell_left_over(self, receivers: Sequence[int], now_s: float) -> None: ...
    def tell_remainder(self, receiver: int, now_s: float) -> None: ...
    def pass_on_set_points(self, now_s: float) -> None: ...


class Negotiation:
    """Leads one exchange from enrolment to closing, one round at a time.

    Parameters
    ----------
    coordinator : of the exchange
    participants : those who enrol by themselves
    counterparty : address of the participant at every place, who enrols once it knows the sums
        of the others and takes what they leave; None if there is none
    post : carries the messages
    managers : addresses of those who enrol after the participants and before the counterparty,
        once they know the sums of their members, and take what these leave
    """

    def __init__(
        self,
        coordinator: Coordinator,
        participants: Sequence[Participant],
        counterparty: int | None,
        post: Post,
        managers: Sequence[int] = (),
    ) -> None:
        self.coordinator = coordinator
        self._managers = managers
        self._participants = participants
        self._counterparty = counterparty
        self._post = post

    def open(self) -> bool:
        """Everybody enrols; sizes are fixed and the feeder's feasibility is checked.

        Returns whether there is anything to negotiate.
        """
        for participant in self._participants:
            participant.enrol(self.coordinator.topic, self.coordinator.unique_id, self._now_s)
        self._post.carry()
        if self._managers:
            for manager in self._managers:
                self.coordinator.tell_sums(manager, self._now_s)
            self._post.carry()
        if self._counterparty is not None:
            self.coordinator.tell_sums(self._counterparty, self._now_s)
            self._post.carry()
        opened = self.coordinator.open_exchange()
        self._post.carry()
        return opened

    def round(self) -> None:
        """One quote and the offers to it."""
        self.coordinator.quote(self._now_s)
        self._post.carry()
        self.coordinator.close_round()

    def close(self) -> None:
        """Announce the price; everybody keeps its own last answer, the counterparty the rest.

        Before it, managers take what their members leave; after it, inverters are set.
        """
        self.coordinator.announce_closing(self._now_s)
        self._post.carry()
        if self._managers:
            self.coordinator.tell_left_over(self._managers, self._now_s)
            self._post.carry()
        if self._counterparty is not None:
            self.coordinator.tell_remainder(self._counterparty, self._now_s)
            self._post.carry()
            self.coordinator.pass_on_set_points(self._now_s)
            self._post.carry()

    @property
    def _now_s(self) -> float:
        return self._post.network.clock_s
