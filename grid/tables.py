"""Numeric CSV tables, read so that a wrong cell is named by file, column and row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, whether it holds integers, and what a blank cell means."""

    name: str
    integer: bool = False
    blank: float | None = None


def read_table(file: Traversable, columns: Sequence[Column]) -> dict[str, list[float]]:
    """Read the named columns of a CSV file with a header line.

    Parameters
    ----------
    file : path or package resource
        The CSV file; rows are counted as lines of the file, the header being row 1.
    columns : sequence of Column
        The columns that must be there; others are ignored.

    Returns
    -------
    dict of str to list of float
        One list per column, in the order of the rows.

    Raises
    ------
    ValueError
        If the file is missing, a column is missing, or a cell is blank, not a number, not finite
        or not an integer where one is needed.
    """
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    table: dict[str, list[float]] = {column.name: [] for column in columns}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not a text file in UTF-8 ({error})") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    reader.fieldnames = present = [name.strip() for name in reader.fieldnames or []]
    missing = [column.name for column in columns if column.name not in present]
    if missing:
        raise ValueError(
            f"{file}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"found {', '.join(present) or 'no header line'}"
        )
    for cells in reader:
        for column in columns:
            where = f"{file}, column {column.name}, row {reader.line_num}"
            table[column.name].append(_number(cells, column, where))
    return table


def _number(cells: Mapping[str, str | None], column: Column, where: str) -> float:
    text = (cells[column.name] or "").strip()
    if not text and column.blank is not None:
        return column.blank
    try:
        number = float(text)
    except ValueError:
        found = f"'{text}'" if text else "a blank cell"
        raise ValueError(f"{where}: {found} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{where}: {text} is not a finite number")
    if column.integer and number != int(number):
        raise ValueError(f"{where}: {text} is not an integer")
    return number
