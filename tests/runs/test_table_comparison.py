"""Comparison of columns at once against the comparison of single values."""

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.table_comparison import _alike, _alike_rows, table_differences

NUMBERS = [0.0, -0.0, 1.0, 1.0 + 5e-7, 1.0 + 5e-6, 1e9, 1e9 + 100, np.inf, -np.inf, np.nan]
WHOLE = pd.array([0, 1, 2, 2**62, 2**62 + 1, None], dtype="Int64")
COLUMNS = {
    "float": pd.Series(NUMBERS),
    "whole": pd.Series(WHOLE),
    "int64": pd.Series([0, 1, -1]),
    "boolean": pd.Series([True, False]),
    "text": pd.Series(["a", "b", ""]),
    "category": pd.Series(["b", "c", "a"], dtype="category"),
    "time": pd.Series(pd.to_datetime(["2016-06-23 10:00", "2016-06-23 11:00"])),
    "time as text": pd.Series(["2016-06-23 10:00:00", "2016-06-23"]),
    "nothing": pd.Series([None, None], dtype=object),
}


@pytest.mark.parametrize("one", list(COLUMNS))
@pytest.mark.parametrize("other", list(COLUMNS))
def test_columns_compare_like_their_values(one: str, other: str) -> None:
    """Every value of one column against every value of the other."""
    stored, again = COLUMNS[one], COLUMNS[other]
    rows = np.repeat(np.arange(len(stored)), len(again))
    columns = np.tile(np.arange(len(again)), len(stored))
    stored, again = stored.iloc[rows], again.iloc[columns]
    expected = [_alike(a, b) for a, b in zip(stored, again, strict=True)]
    assert _alike_rows(stored, again).tolist() == expected


def test_the_first_row_that_differs_is_named() -> None:
    stored = pd.DataFrame({"agent": ["A", "B", "C"], "bus": [1, 3, 4]})
    again = pd.DataFrame({"agent": ["A", "B", "C"], "bus": [1, 2, 3]})
    assert list(table_differences("t.csv", again, again)) == []
    assert list(table_differences("t.csv", stored, again)) == [
        "t.csv: row 2, bus is 3, but 2 follows from the rest"
    ]
    assert list(table_differences("t.csv", stored[:2], again)) == [
        "t.csv: 2 rows where 3 follow from the other files"
    ]
    empty = again[:0]
    assert list(table_differences("t.csv", empty, empty)) == []
