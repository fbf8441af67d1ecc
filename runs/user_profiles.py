"""A user's own profiles: a CSV or Parquet file with a time column and one column per profile.

The conventions, each enforced with an error that names file, column, row and time stamp:

- **Unit.** The end of a column's name says it: ``_kw``, ``_kw_per_m2``, ``_m_per_s`` or ``_pu``.
- **Time.** Stamps are the starts of evenly spaced steps, in ISO 8601 (``2016-07-13 04:15``).
  Without UTC offset they are the scenario's local standard time, without daylight saving. With an
  offset they are converted to the standard time of the time zone that the scenario states.
- **CSV.** Separated by commas, decimal point, UTF-8, one header line.

Rows are counted from 1, the first after the header.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from nashgrid.runs.profile_times import local_standard_times, place
from nashgrid.runs.profiles import TIME_COLUMN, did_you_mean


@dataclass(frozen=True)
class Unit:
    """What the end of a column's name says about its values, and the bounds they must keep."""

    symbol: str
    meaning: str
    lower: float = -inf
    upper: float = inf

    @property
    def suffix(self) -> str:
        """The end of a column's name in this unit."""
        return f"_{self.symbol}"


# The upper bounds catch W/m2 and the like: no place on Earth comes near them.
UNITS = (
    Unit("kw", "power in kW"),
    Unit("kw_per_m2", "irradiance in kW/m2", lower=0.0, upper=2.0),
    Unit("m_per_s", "wind speed in m/s", lower=0.0, upper=120.0),
    Unit("pu", "power per unit of the peak or rating that the scenario states"),
)


def unit_of(column: str) -> Unit:
    """The unit that a column's name ends in; ValueError where it ends in none."""
    for unit in UNITS:
        if column.endswith(unit.suffix):
            return unit
    known = ", ".join(f"{unit.suffix} ({unit.meaning})" for unit in UNITS)
    raise ValueError(f"the name of column {column!r} must end in its unit, one of {known}")


def read_profiles(
    path: Path | str, columns: Sequence[str] | None = None, time_zone: str | None = None
) -> pd.DataFrame:
    """Read profiles from a user's CSV or Parquet file, and check them.

    Parameters
    ----------
    path : Path or str
        A file ending in ``.csv`` or ``.parquet`` with a column ``time`` and one per profile.
    columns : sequence of str, optional
        The profiles wanted; only these are loaded and checked. All by default.
    time_zone : str, optional
        The scenario's time zone, such as ``"Europe/Berlin"``; needed where the file's time
        stamps carry a UTC offset.

    Returns
    -------
    pandas.DataFrame
        One column of floats per profile, under its name in the file, in the unit its name ends
        in. The index holds the starts of the steps, evenly spaced, in local standard time without
        time zone: fit for :func:`nashgrid.runs.profiles.resample`.

    Raises
    ------
    ValueError
        If the file or a column is missing or cannot be read, a unit is missing or unknown, time
        stamps are unreadable, repeated, out of order, unevenly spaced or lack the time zone that
        they need, or a value is missing, not a finite number, or out of its unit's bounds. The
        message names file, column, row and time stamp.
    """
    path = Path(path)
    try:
        table = _load(path, columns)
        stamps = table.column(TIME_COLUMN)
        index = local_standard_times(stamps, time_zone)
        wanted = [name for name in table.column_names if name != TIME_COLUMN]
        numbers = {name: _numbers(table.column(name), name, stamps) for name in wanted}
    except (ValueError, OSError, csv.Error, pa.ArrowException) as error:
        raise ValueError(f"profile file {path}: {error}") from error
    return pd.DataFrame(numbers, index=index)


def _load(path: Path, columns: Sequence[str] | None) -> pa.Table:
    """The time column and the wanted ones, CSV cells still as text."""
    if not path.is_file():
        raise ValueError("there is no such file")
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise ValueError("the name must end in .csv or .parquet")
    names = _csv_header(path) if kind == ".csv" else pyarrow.parquet.read_schema(path).names
    wanted = _wanted(names, columns)
    if kind == ".parquet":
        table = pyarrow.parquet.read_table(path, columns=wanted)
    else:
        table = _csv_cells(path, wanted)
    if table.num_rows < 2:
        raise ValueError(
            f"it has {table.num_rows} data rows; at least two are needed to know the time step"
        )
    return table


def _csv_header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        names = next(csv.reader(file), [])
    if len(names) == 1 and ";" in names[0]:
        raise ValueError("its columns are separated by semicolons; separate them by commas")
    return names


def _csv_cells(path: Path, wanted: list[str]) -> pa.Table:
    ragged: list[pyarrow.csv.InvalidRow] = []

    def remember(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    table = pyarrow.csv.read_csv(
        path,
        # Only without threads does Arrow know the number of a ragged row; it counts the header.
        read_options=pyarrow.csv.ReadOptions(use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(invalid_row_handler=remember),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=wanted, column_types={name: pa.string() for name in wanted}
        ),
    )
    if ragged:
        row = ragged[0]
        raise ValueError(
            f"row {row.number - 1} has {row.actual_columns} cells, the header has "
            f"{row.expected_columns}: {row.text!r}"
        )
    return table


def _wanted(names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    """Names of the columns to load, the time column first."""
    if not names:
        raise ValueError("it is empty; a header line with a column 'time' is needed")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"the column name {repeated[0]!r} occurs more than once")
    if TIME_COLUMN not in names:
        raise ValueError(f"it has no column 'time'; its columns are {', '.join(map(repr, names))}")
    profiles = [name for name in names if name != TIME_COLUMN]
    if not profiles:
        raise ValueError("it has no column beside 'time'; one per profile is needed")
    wanted = profiles if columns is None else list(dict.fromkeys(columns))
    for name in wanted:
        if name not in profiles:
            raise ValueError(
                f"it has no profile column {name!r};{did_you_mean(name, tuple(profiles))} its "
                f"profile columns are {', '.join(map(repr, profiles))}"
            )
        unit_of(name)
    return [TIME_COLUMN, *wanted]


def _numbers(cells: pa.ChunkedArray, column: str, stamps: pa.ChunkedArray) -> NDArray[np.float64]:
    """The values of one column, checked against what its unit allows."""
    unit = unit_of(column)
    if not (pa.types.is_string(cells.type) or _is_number(cells.type)):
        raise ValueError(f"column {column!r} holds {cells.type}, not numbers")
    raw = cells.to_pandas()
    values = np.asarray(pd.to_numeric(raw, errors="coerce"), dtype=np.float64)
    allowed = np.isfinite(values) & (values >= unit.lower) & (values <= unit.upper)
    if allowed.all():
        return values
    row = int(np.argmin(allowed))
    where = f"column {column!r}, {place(row, stamps)}"
    cell = cells[row].as_py()
    if cell is None or str(cell).strip().lower() in ("", "nan", "na", "null", "none"):
        raise ValueError(f"{where}: the value is missing; fill the gap, a profile must be complete")
    if np.isnan(values[row]):
        raise ValueError(f"{where}: {cell!r} is not a number (write it like 1234.5)")
    if np.isinf(values[row]):
        raise ValueError(f"{where}: the value is infinite")
    raise ValueError(
        f"{where}: {values[row]:g} is outside {unit.lower:g} to {unit.upper:g}, "
        f"the bounds of {unit.meaning}"
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    )
