"""Feeders as folders of tables: the built-in ones, and a user's own in the same form."""

from __future__ import annotations

import math
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pandas as pd
import tomli_w

from nashgrid.grid.feeder import Feeder, make_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.matpower_case import read_matpower_case
from nashgrid.grid.pandapower_network import read_pandapower_network
from nashgrid.grid.tables import Column, read_table

FEEDER_FILES = ("feeder.toml", "buses.csv", "lines.csv")
# Files of other programs: ending, the extra that reads them, and how.
_EXCHANGED = {
    ".m": ("matpower", read_matpower_case),
    ".json": ("pandapower", read_pandapower_network),
}

_HEADER: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "source": str,
    "base_kv": (int, float),
    "base_mva": (int, float),
    "root_bus": int,
}
_BUS_COLUMNS = (Column("bus", integer=True), Column("load_kw"), Column("load_kvar"))
_LINE_COLUMNS = (
    Column("from_bus", integer=True),
    Column("to_bus", integer=True),
    Column("resistance_pu"),
    Column("reactance_pu"),
    Column("limit_kva", blank=math.inf),
    Column("closed", flag=True),
)


def built_in_feeders() -> tuple[str, ...]:
    """Names of the feeders that come with the package, for `read_feeder`."""
    root = files("nashgrid.grid.feeders")
    return tuple(sorted(item.name for item in root.iterdir() if (item / "feeder.toml").is_file()))


def read_feeder(name_or_path: str | Path) -> Feeder:
    """Read a built-in feeder by name, or any radial feeder from a folder in the same form.

    The folder holds `feeder.toml` (name, base_kv, base_mva, root_bus, source), `buses.csv` (bus,
    load_kw, load_kvar) and `lines.csv` (from_bus, to_bus, resistance_pu, reactance_pu, limit_kva
    (blank: none), closed (0 or 1)). In its place a MATPOWER case (`.m`) or a pandapower network
    (`.json`) is read, as `read_matpower_case` and `read_pandapower_network` say.

    Raises
    ------
    ValueError
        If there is no such feeder, a file, key or column is missing, a cell is not the number it
        should be (file, column and row are named), or the whole is not a radial feeder; or if
        the library that reads such a file is not installed.
    """
    if (ending := Path(name_or_path).suffix) in _EXCHANGED:
        extra, read = _EXCHANGED[ending]
        try:
            return read(name_or_path)
        except ModuleNotFoundError as error:
            raise ValueError(f"{name_or_path}: pip install 'nashgrid[{extra}]' reads it") from error
    folder: Traversable = files("nashgrid.grid.feeders") / str(name_or_path)
    if isinstance(name_or_path, Path) or name_or_path not in built_in_feeders():
        folder = Path(name_or_path)
    if not folder.is_dir():
        built_in = ", ".join(built_in_feeders())
        raise ValueError(f"no feeder {name_or_path}: neither a folder nor built in ({built_in})")
    header = _read_header(folder / "feeder.toml")
    buses = read_table(folder / "buses.csv", _BUS_COLUMNS)
    lines = read_table(folder / "lines.csv", _LINE_COLUMNS)
    return make_feeder(
        name=str(header["name"]),
        source=str(header["source"]),
        base_kv=float(header["base_kv"]),
        base_mva=float(header["base_mva"]),
        root_bus=int(header["root_bus"]),
        buses=buses["bus"],
        load_kw=buses["load_kw"],
        load_kvar=buses["load_kvar"],
        lines=[
            Line(int(one), int(other), r_pu, x_pu, limit_kva, bool(closed))
            for one, other, r_pu, x_pu, limit_kva, closed in zip(*lines.values())
        ],
    )


def write_feeder(feeder: Feeder, folder: str | Path) -> None:
    """Write a feeder as a new folder, from which `read_feeder` reads the same feeder."""
    place = Path(folder)
    place.mkdir()
    header = {key: getattr(feeder, key) for key in _HEADER}
    (place / "feeder.toml").write_text(tomli_w.dumps(header), encoding="utf-8")
    buses = {column.name: getattr(feeder, column.name) for column in _BUS_COLUMNS[1:]}
    lines = pd.DataFrame(feeder.lines + feeder.ties).replace({"limit_kva": math.inf}, math.nan)
    lines["closed"] = lines["closed"].astype(int)
    for name, table in (("buses", pd.DataFrame({"bus": feeder.buses, **buses})), ("lines", lines)):
        table.to_csv(place / f"{name}.csv", index=False, lineterminator="\n")


def _read_header(file: Traversable) -> dict[str, str | int | float]:
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    try:
        header: dict[str, str | int | float] = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from None
    for key, kind in _HEADER.items():
        if key not in header:
            raise ValueError(f"{file}: missing key {key}")
        value = header[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = "text" if kind is str else "an integer" if kind is int else "a number"
            raise ValueError(f"{file}: {key} = {value!r} must be {wanted}")
    return header
