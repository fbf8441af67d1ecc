"""The member of an exchange that speaks for a shard of a population."""

from typing import Any, Protocol

import mesa

from nashgrid.agents.population_shard import Statement
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Integers, Messages


class Pending(Protocol):
    """An answer that may still be under way."""

    def get(self) -> Any:
        """The answer, once it is there."""
        ...


class Worker(Protocol):
    """Where a shard lives: in this process, in another, or on another machine."""

    def tell(self, task: str, *arguments: Any) -> Pending:
        """Start a task that changes the shard."""
        ...

    def ask(self, task: str, *arguments: Any) -> Pending:
        """Start a task that leaves the shard as it is."""
        ...


class ShardMember(TradingAgent):
    """Speaks for the buildings of one shard: one quote out, one sum in.

    Its addresses are those of the first buildings of the shard's wards. What it says comes from
    the shard, as soon as the outbox is asked for: members that have been sent a quote work side by
    side.

    Parameters
    ----------
    worker : who holds the shard
    buildings : how many there are
    wards : (W,) first rows of the shard's wards
    """

    def __init__(
        self, model: mesa.Model, name: str, worker: Worker, buildings: int, wards: Integers
    ) -> None:
        self._answers: list[tuple[str, int, Pending]] = []
        self._said: list[Messages] = []
        super().__init__(model, name, speaks_for=buildings)
        self.addresses = self.unique_id + wards
        self.worker = worker
        self.buildings = buildings
        self.network: MessageNetwork | None = None

    def __len__(self) -> int:
        return self.buildings

    @property
    def outbox(self) -> list[Messages]:
        """What is to be sent; waits for the shard."""
        while self._answers:
            topic, receiver, pending = self._answers.pop(0)
            statement: Statement = pending.get()
            if self.network is not None:
                self.network.add(statement.traffic, statement.log)
            self.say(statement.kind, topic, receiver, statement.fields, statement.clock_s)
        return self._said

    @outbox.setter
    def outbox(self, messages: list[Messages]) -> None:
        self._said = messages

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        """Have all buildings enrol."""
        self._answers.append((topic, coordinator, self.worker.tell("enrol", topic, now_s)))

    def receive(self, messages: Messages) -> None:
        """Hand a quote or a closing price, the same for all wards, to the shard."""
        fields = {name: values[:1].copy() for name, values in messages.fields.items()}
        now_s = float(messages.sent_s[0])
        pending = self.worker.tell("hear", messages.kind, messages.topic, fields, now_s)
        self._answers.append((messages.topic, int(messages.senders[0]), pending))

    def bargain(self, rules: ExchangeRules) -> None:
        """Seat all buildings in the exchange of money."""
        self.worker.tell("bargain", rules).get()
