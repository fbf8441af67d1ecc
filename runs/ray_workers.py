"""Workers on Ray: each shard an actor in a process of its own, on this machine or a cluster's.

What a shard holds is a function of its task and of what it has been told, in order: a worker that
dies is started anew, hears everything again, and stands where it stood, to the last bit.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import Any

from nashgrid.agents.shard_member import Worker
from nashgrid.runs.shard_office import ShardOffice, ShardTask

MOST_RESTARTS = 5
"""Of one worker. What kills it again and again, too little memory say, will not go away."""


def load_ray() -> Any:
    """The package Ray.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise ValueError(
            "workers need Ray, which is not installed: pip install 'nashgrid[cluster]'"
        ) from error


class RayAnswer:
    """An answer that an actor works on; asked for anew where the actor has died.

    Parameters
    ----------
    worker : of the actor
    start : starts the work, once more if need be
    told : whether the work changes the shard
    """

    def __init__(self, worker: "RayWorker", start: Callable[[], Any], told: bool) -> None:
        self._worker, self._start, self.told = worker, start, told
        self.restart()

    def restart(self) -> None:
        """Start the work."""
        self.reference = self._start()

    def get(self) -> Any:
        """The answer, once it is there.

        Raises
        ------
        ValueError
            If the shard raises it.
        RuntimeError
            If the worker has died too often.
        """
        ray = load_ray()
        while True:
            try:
                answer = ray.get(self.reference)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, ValueError):
                    raise ValueError(str(error.cause)) from error
                raise
            except ray.exceptions.RayError as error:
                self._worker.revive(error)
                continue
            self._worker.forget(self)
            return answer


class RayWorker:
    """A shard in an actor.

    Parameters
    ----------
    task : what to make
    cpus : processors that Ray sets aside for it
    """

    def __init__(self, task: ShardTask, cpus: float) -> None:
        self._task, self._cpus = task, cpus
        self._told: list[tuple[str, tuple[Any, ...]]] = []
        self._waiting: list[RayAnswer] = []
        self.restarts = 0
        self.actor = self._hire()

    def tell(self, task: str, *arguments: Any) -> RayAnswer:
        """Start a task that changes the shard."""
        self._told.append((task, arguments))
        return self._wait_for(task, arguments, told=True)

    def ask(self, task: str, *arguments: Any) -> RayAnswer:
        """Start a task that leaves the shard as it is."""
        return self._wait_for(task, arguments, told=False)

    def revive(self, reason: Exception) -> None:
        """Start the actor anew and tell it everything again; the answers under way come from it.

        Raises
        ------
        RuntimeError
            If it has died too often.
        """
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            raise RuntimeError(
                f"the worker of buildings {self._task.rows[0] + 1} to {self._task.rows[1]} died "
                f"{self.restarts} times: {reason}"
            ) from reason
        self.actor = self._hire()
        before = len(self._told) - sum(answer.told for answer in self._waiting)
        for task, arguments in self._told[:before]:
            self.actor.do.remote(task, *arguments)
        for answer in self._waiting:
            answer.restart()

    def forget(self, answer: RayAnswer) -> None:
        """An answer has come."""
        self._waiting.remove(answer)

    def dismiss(self) -> None:
        """Give the processors and the memory back."""
        load_ray().kill(self.actor)

    def _wait_for(self, task: str, arguments: tuple[Any, ...], *, told: bool) -> RayAnswer:
        answer = RayAnswer(self, lambda: self.actor.do.remote(task, *arguments), told)
        self._waiting.append(answer)
        return answer

    def _hire(self) -> Any:
        return load_ray().remote(num_cpus=self._cpus)(_Actor).remote(self._task)


class _Actor:
    """An office in a process of its own; made with the first task, which says what is wrong."""

    def __init__(self, task: ShardTask) -> None:
        self._task = task
        self._office: ShardOffice | None = None

    def do(self, task: str, *arguments: Any) -> Any:
        """Do a task of the office."""
        if self._office is None:
            self._office = ShardOffice(self._task)
        return getattr(self._office, task)(*arguments)


class RayCrew:
    """Starts workers on Ray: on the cluster of this session if there is one, else on this machine.

    Parameters
    ----------
    workers : how many shards; one for each processor if None

    Raises
    ------
    ValueError
        If Ray is not installed, or there is to be no worker.
    """

    def __init__(self, workers: int | None = None) -> None:
        ray = load_ray()
        if workers is not None and workers < 1:
            raise ValueError(f"worker count = {workers} must be at least 1")
        self._ours = not ray.is_initialized()
        if self._ours:
            # Ray makes its workers give way to all other processes; here they are the run itself.
            os.environ.setdefault("RAY_worker_niceness", "0")
            options = {} if "RAY_ADDRESS" in os.environ else {"include_dashboard": False}
            ray.init(log_to_driver=False, configure_logging=False, **options)
        processors = int(ray.cluster_resources().get("CPU", 1))
        self.workers = workers or processors
        self._threads = max(1, processors // self.workers)
        self._cpus = min(1.0, processors / self.workers)
        self._hired: list[RayWorker] = []

    def start(self, task: ShardTask) -> Worker:
        """A worker for a shard."""
        worker = RayWorker(replace(task, threads=self._threads), self._cpus)
        self._hired.append(worker)
        return worker

    def dismiss(self) -> None:
        """End all workers, and give back their processors and memory."""
        while self._hired:
            self._hired.pop().dismiss()

    def __enter__(self) -> "RayCrew":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.dismiss()
        if self._ours:
            load_ray().shutdown()
