"""Work on the rows of large arrays, shared among the processors."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

Result = TypeVar("Result")

ROWS = 2048
"""Small enough that the intermediate results of a chunk stay in a processor's cache."""


def share_out(work: Callable[[int], Result], count: int, threads: int) -> list[Result]:
    """The results of `work(0)` to `work(count - 1)`, whichever of the threads did it.

    The caller works as well, and does not wait for helpers who have not come before all is done:
    to wake one takes as long as a small task.
    """
    results: dict[int, Result] = {}
    numbers = iter(range(count))  # taking one is a single step, which no other thread interrupts

    def work_on() -> None:
        for number in numbers:
            results[number] = work(number)

    helpers = [_pool(os.getpid()).submit(work_on) for _ in range(min(threads, count) - 1)]
    try:
        work_on()
    finally:
        came = [helper for helper in helpers if not helper.cancel()]
        wait(came)
    for helper in came:
        helper.result()
    return [results[number] for number in range(count)]


def in_chunks(work: Callable[[slice], None], rows: int, longest: int = ROWS) -> None:
    """Call `work` on slices of at most `longest` rows that cover all rows once.

    Rows must not depend on each other: then neither order nor number of threads changes anything.
    """
    if 0 < rows <= longest:
        work(slice(0, rows))
        return
    chunks = [slice(start, min(start + longest, rows)) for start in range(0, rows, longest)]
    share_out(lambda number: work(chunks[number]), len(chunks), os.cpu_count() or 1)


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """The helpers of a process, kept; a process that was forked has none of its parent's."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix=f"helper of {process}")
