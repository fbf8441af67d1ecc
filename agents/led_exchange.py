"""An exchange that a leader opens with a charge for trades inside, and whose volume it learns."""

from collections.abc import Sequence

import numpy as np

from nashgrid.agents.bench import Bench
from nashgrid.agents.cloud import Cloud
from nashgrid.agents.counterparty import Counterparty, Delivery
from nashgrid.market.messages import Floats
from nashgrid.market.negotiation import Negotiation, Participant
from nashgrid.market.post import Post


class LedCloud(Cloud):
    """The cloud of an exchange with a leader, who is the counterparty.

    Opened again for the next charge, it begins at the price that cleared with the last one.
    """

    def open_exchange(self) -> bool:
        """Fix the sizes; whether there is anything to negotiate."""
        if self._exchange is not None:
            self._opening_price = self._exchange.clearing_price
        return super().open_exchange()

    def pass_on_charge(self, leader: int, now_s: float) -> None:
        """Tell prosumers the charge that the leader has announced."""
        charge = self._bench_of(leader).heard["charge"]
        for bench in self._prosumers:
            rows = np.broadcast_to(charge, (len(bench.members), charge.shape[1]))
            self._tell("charge", bench.members, {"charge": rows}, now_s)

    def tell_volume(self, leader: int, now_s: float) -> None:
        """Tell the leader what all prosumers buy and sell, slot by slot and without signs."""
        volume = sum(np.abs(bench.heard["quantity"]).sum(axis=0) for bench in self._prosumers)
        members = self._bench_of(leader).members
        self._tell("volume", members, {"volume": np.atleast_2d(volume)}, now_s)

    @property
    def _prosumers(self) -> list[Bench]:
        return [bench for bench in self._benches if bench.members.role == "prosumer"]


class LedNegotiation(Negotiation):
    """A negotiation that begins with a leader's charge.

    Parameters
    ----------
    leader : the counterparty
    charge_per_kwh : (T,) for each kWh bought or sold inside [currency/kWh]
    delivery : makes the leader's private problem with that charge
    """

    coordinator: LedCloud

    def __init__(
        self,
        cloud: LedCloud,
        participants: Sequence[Participant],
        leader: Counterparty,
        post: Post,
        *,
        charge_per_kwh: Floats,
        delivery: Delivery,
    ) -> None:
        super().__init__(cloud, participants, leader.unique_id, post)
        self._leader = leader
        self._charge_per_kwh, self._delivery_at_charge = charge_per_kwh, delivery

    def open(self) -> bool:
        """The leader announces its charge; then everybody enrols."""
        cloud = self.coordinator
        self._leader.lead(
            cloud.topic,
            cloud.unique_id,
            self._charge_per_kwh,
            self._delivery_at_charge,
            self._now_s,
        )
        self._post.carry()
        cloud.pass_on_charge(self._leader.unique_id, self._now_s)
        self._post.carry()
        return super().open()

    def close(self) -> None:
        """Close as usual; then the leader learns what its charge is paid on."""
        super().close()
        self.coordinator.tell_volume(self._leader.unique_id, self._now_s)
        self._post.carry()
