"""Comparison of what stands in a run's files with what follows from the rest."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TOLERANCE = 1e-6


def table_differences(name: str, stored: pd.DataFrame, again: pd.DataFrame) -> Iterator[str]:
    """The first entry of each column that differs."""
    if len(stored) != len(again) or list(stored.columns) != list(again.columns):
        yield f"{name}: {len(stored)} rows where {len(again)} follow from the other files"
        return
    for column in again.columns:
        alike = _alike_rows(stored[column], again[column])
        if not alike.all():
            row = int(np.argmin(alike))
            one, other = stored[column].iloc[row], again[column].iloc[row]
            yield f"{name}: row {row + 1}, {column} is {one}, but {other} follows from the rest"


def _alike_rows(stored: pd.Series, again: pd.Series) -> NDArray[np.bool_]:
    """(n,) what `_alike` says of two columns, row by row."""
    dtypes = (stored.dtype, again.dtype)
    if all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes):
        codes = again.cat.set_categories(stored.cat.categories).cat.codes
        return np.asarray(stored.cat.codes.to_numpy() == codes.to_numpy())
    missing = stored.isna().to_numpy(), again.isna().to_numpy()
    if all(pd.api.types.is_integer_dtype(dtype) for dtype in dtypes):
        numbers = (column.astype("Int64").fillna(0).to_numpy() for column in (stored, again))
        alike = np.equal(*numbers)
    elif all(pd.api.types.is_numeric_dtype(dtype) for dtype in dtypes):
        one, other = (column.to_numpy(float, na_value=np.nan) for column in (stored, again))
        with np.errstate(invalid="ignore"):
            near = np.abs(one - other) <= TOLERANCE * np.maximum(1.0, np.abs(other))
        alike = (one == other) | near
    elif all(_is_text(dtype) for dtype in dtypes):
        alike = np.asarray(stored.astype(object).to_numpy() == again.astype(object).to_numpy())
    else:
        pairs = zip(stored, again, strict=True)
        return np.array([_alike(one, other) for one, other in pairs], dtype=bool)
    return np.asarray(np.where(missing[0] | missing[1], missing[0] & missing[1], alike))


def _is_text(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    return isinstance(dtype, pd.StringDtype)


def differences(where: str, stored: Any, again: Any) -> Iterator[str]:
    """Every entry of nested plain dictionaries and lists that differs."""
    if isinstance(again, dict):
        if not isinstance(stored, dict) or stored.keys() != again.keys():
            yield f"{where}: has other entries than what follows from the files"
            return
        for key in again:
            yield from differences(f"{where}: {key}", stored[key], again[key])
    elif isinstance(again, list):
        if not isinstance(stored, list) or len(stored) != len(again):
            yield f"{where}: has other entries than what follows from the files"
            return
        for number, (one, other) in enumerate(zip(stored, again, strict=True)):
            yield from differences(f"{where}[{number}]", one, other)
    elif not _alike(stored, again):
        yield f"{where} is {stored}, but {again} follows from the files"


def _alike(one: Any, other: Any) -> bool:
    """Whole numbers and text must be equal, other numbers equal within the tolerance."""
    if isinstance(one, (dict, list)):
        return False
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    whole = (int, np.integer)
    if isinstance(one, whole) and isinstance(other, whole):
        return int(one) == int(other)
    numbers = (*whole, float, np.floating)
    if isinstance(one, numbers) and isinstance(other, numbers):
        if one == other:
            return True
        return bool(abs(one - other) <= TOLERANCE * max(1.0, abs(float(other))))
    return str(one) == str(other)
