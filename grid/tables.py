"""Numeric CSV tables, read so that a wrong cell is named by file, column and row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable


@dataclass(frozen=True)
class Column:
    """A column of a table: name, whether it holds integers or a 0/1 flag, what a blank means."""

    name: str
    integer: bool = False
    flag: bool = False
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
        If the file is missing, a column is missing, a row is longer or shorter than the
        header, or a cell is blank, not a number, not finite, or not an integer or flag where
        one is needed.
    """
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    table: dict[str, list[float]] = {column.name: [] for column in columns}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not a text file in UTF-8 ({error})") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    present = [name.strip() for name in next(reader, [])]
    missing = [column.name for column in columns if column.name not in present]
    if missing:
        raise ValueError(
            f"{file}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"found {', '.join(present) or 'no header line'}"
        )
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(present):
            raise ValueError(
                f"{file}, row {reader.line_num}: {len(cells)} cells, but the header has "
                f"{len(present)} columns"
            )
        for column in columns:
            where = f"{file}, column {column.name}, row {reader.line_num}"
            cell = cells[present.index(column.name)].strip()
            table[column.name].append(_number(cell, column, where))
    return table


def _number(text: str, column: Column, where: str) -> float:
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
    if column.flag and number not in (0, 1):
        raise ValueError(f"{where}: {text} is neither 0 nor 1")
    return number
