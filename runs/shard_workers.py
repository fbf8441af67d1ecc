"""Workers that hold the shards of a population; here those within this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from nashgrid.agents.shard_member import Pending, Worker
from nashgrid.agents.wards import ward_starts
from nashgrid.runs.shard_office import ShardOffice, ShardTask


@dataclass(frozen=True)
class Done:
    """An answer that is there."""

    value: Any

    def get(self) -> Any:
        """The answer."""
        return self.value


class LocalWorker:
    """A shard in this process.

    Parameters
    ----------
    task : what to make
    """

    def __init__(self, task: ShardTask) -> None:
        self._office = ShardOffice(task)

    def tell(self, task: str, *arguments: Any) -> Pending:
        """Do a task that changes the shard."""
        return Done(getattr(self._office, task)(*arguments))

    def ask(self, task: str, *arguments: Any) -> Pending:
        """Do a task that leaves the shard as it is."""
        return Done(getattr(self._office, task)(*arguments))


class Crew(Protocol):
    """Who starts the workers of a run."""

    workers: int

    def start(self, task: ShardTask) -> Worker:
        """A worker for a shard."""
        ...


@dataclass(frozen=True)
class LocalCrew:
    """All shards in this process, one after the other: to test and to look into."""

    workers: int

    def start(self, task: ShardTask) -> Worker:
        """A worker for a shard."""
        return LocalWorker(task)


def shares(count: int, workers: int) -> list[tuple[int, int]]:
    """Rows of each worker: whole wards, as equally many as can be; none without rows."""
    starts = ward_starts(count)
    used = min(len(starts), workers)
    firsts = [int(starts[len(starts) * number // used]) for number in range(used)]
    return list(pairwise([*firsts, count]))


def ask_all(workers: Sequence[Worker], question: Callable[[Worker], Pending]) -> list[Any]:
    """The answers of all, who work on them at the same time."""
    pending = [question(worker) for worker in workers]
    return [one.get() for one in pending]
