"""Work shared among threads: everything once, in order, whoever does it."""

import threading
import time

import numpy as np
import pytest

from nashgrid.market.chunks import in_chunks, share_out


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_results_stand_in_order(threads: int, count: int) -> None:
    assert share_out(lambda number: number**2, count, threads) == [n**2 for n in range(count)]


def test_helpers_work_beside_the_caller() -> None:
    seen = set()

    def work(_: int) -> None:
        time.sleep(0.02)
        seen.add(threading.get_ident())

    share_out(work, 20, 2)
    assert len(seen) == 2
    assert threading.get_ident() in seen


def test_the_caller_does_not_wait_for_helpers_who_come_too_late() -> None:
    # Work within work: all helpers are busy, so whoever asks for help does it alone.
    total = share_out(lambda outer: sum(share_out(lambda inner: inner + outer, 10, 8)), 10, 8)
    assert total == [45 + 10 * outer for outer in range(10)]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_of_any_of_them_is_heard_of(threads: int) -> None:
    def work(number: int) -> None:
        time.sleep(0.002)
        if number == 13:
            raise ValueError("13 is not done")

    with pytest.raises(ValueError, match="13 is not done"):
        share_out(work, 30, threads)


@pytest.mark.parametrize("rows", [0, 1, 10, 25])
def test_slices_cover_all_rows_once(rows: int) -> None:
    times = np.zeros(rows)

    def touch(part: slice) -> None:
        times[part] += 1

    in_chunks(touch, rows, longest=10)
    np.testing.assert_array_equal(times, 1)
