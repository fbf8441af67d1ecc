"""Work on the rows of large arrays, a few thousand at a time, on all processors."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ROWS = 2048
"""Small enough that the intermediate results of a chunk stay in a processor's cache."""


def in_chunks(work: Callable[[slice], None], rows: int) -> None:
    """Call `work` on slices that cover all rows once.

    Rows must not depend on each other: then neither order nor number of threads changes anything.
    """
    chunks = [slice(start, min(start + ROWS, rows)) for start in range(0, rows, ROWS)]
    if len(chunks) <= 1:
        for chunk in chunks:
            work(chunk)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(work, chunks):
            pass
