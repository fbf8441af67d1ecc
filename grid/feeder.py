"""A radial feeder: buses, lines oriented away from the root, parents before children."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nashgrid.grid.line import Line, check_lines
from nashgrid.grid.radial import orient_outwards

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LineLimits: TypeAlias = Mapping[tuple[int, int], float] | pd.DataFrame


@dataclass(frozen=True, eq=False)
class Feeder:
    """A radial feeder. Line l feeds `to_bus[l]`; a line comes after the line that feeds it.

    Attributes
    ----------
    name, source : str
        What it is called, and the publication its numbers come from.
    base_kv, base_mva : float
        Base of the per-unit system (line-to-line voltage, three-phase power).
    root_bus : int
        Label of the bus where the feeder meets the network upstream.
    buses : (n,) int array
        Labels, the root's among them; every per-bus array is in this order.
    load_kw, load_kvar : (n,) arrays
        The published demand (a negative one generates).
    lines : tuple of Line
        The L = n - 1 closed lines, oriented away from the root, parents before children.
    ties : tuple of Line
        The open lines.
    """

    name: str
    source: str
    base_kv: float
    base_mva: float
    root_bus: int
    buses: IntArray
    load_kw: FloatArray
    load_kvar: FloatArray
    lines: tuple[Line, ...]
    ties: tuple[Line, ...]

    @property
    def base_kva(self) -> float:
        """Power base in kVA."""
        return 1000.0 * self.base_mva

    @property
    def bus_count(self) -> int:
        """Number of buses n, the root included."""
        return len(self.buses)

    @property
    def line_count(self) -> int:
        """Number of closed lines L = n - 1."""
        return len(self.lines)

    @cached_property
    def from_bus(self) -> IntArray:
        """Label of each line's bus nearer to the root, (L,)."""
        return np.array([line.from_bus for line in self.lines], dtype=np.int64)

    @cached_property
    def to_bus(self) -> IntArray:
        """Label of the bus that each line feeds, (L,)."""
        return np.array([line.to_bus for line in self.lines], dtype=np.int64)

    @cached_property
    def resistance_pu(self) -> FloatArray:
        """Resistance of each line, (L,), pu."""
        return np.array([line.resistance_pu for line in self.lines])

    @cached_property
    def reactance_pu(self) -> FloatArray:
        """Reactance of each line, (L,), pu."""
        return np.array([line.reactance_pu for line in self.lines])

    @cached_property
    def limit_kva(self) -> FloatArray:
        """Apparent-power limit of each line, (L,), kVA; infinite where there is none."""
        return np.array([line.limit_kva for line in self.lines])

    @cached_property
    def _position(self) -> dict[int, int]:
        return {int(bus): position for position, bus in enumerate(self.buses)}

    def bus_positions(self, labels: ArrayLike) -> IntArray:
        """Positions of bus labels in `buses`; ValueError names a label that is not there."""
        wanted = [int(label) for label in np.atleast_1d(np.asarray(labels))]
        unknown = [str(label) for label in wanted if label not in self._position]
        if unknown:
            raise ValueError(f"feeder {self.name} has no bus {', '.join(unknown)}")
        return np.array([self._position[label] for label in wanted], dtype=np.int64)

    def with_line_limits(self, limits: LineLimits) -> Feeder:
        """The same feeder with the given limits instead of its own.

        Parameters
        ----------
        limits : mapping or DataFrame
            (from_bus, to_bus) -> kVA, in either direction (a DataFrame has the columns from_bus,
            to_bus, limit_kva). Lines that are not named keep their limit; infinity removes one.

        Raises
        ------
        ValueError
            If there is no such line, or a limit is negative or NaN.
        """
        if isinstance(limits, pd.DataFrame):
            limits = {
                (int(row["from_bus"]), int(row["to_bus"])): float(row["limit_kva"])
                for row in limits.to_dict("records")
            }
        lines = list(self.lines + self.ties)
        for (one, other), limit_kva in limits.items():
            at = self._line_at(lines, one, other)
            lines[at] = replace(lines[at], limit_kva=float(limit_kva))
        return self._rebuilt(lines)

    def reconfigured(
        self,
        *,
        open_lines: Iterable[tuple[int, int]] = (),
        close_lines: Iterable[tuple[int, int]] = (),
    ) -> Feeder:
        """The same feeder with some lines opened and some ties closed; it must stay radial."""
        lines = list(self.lines + self.ties)
        for pairs, closed in ((open_lines, False), (close_lines, True)):
            for one, other in pairs:
                at = self._line_at(lines, one, other)
                lines[at] = replace(lines[at], closed=closed)
        return self._rebuilt(lines)

    def _line_at(self, lines: Sequence[Line], one: int, other: int) -> int:
        for at, line in enumerate(lines):
            if line.joins(one, other):
                return at
        raise ValueError(f"feeder {self.name} has no line {one}-{other}")

    def _rebuilt(self, lines: Sequence[Line]) -> Feeder:
        return make_feeder(
            name=self.name,
            source=self.source,
            base_kv=self.base_kv,
            base_mva=self.base_mva,
            root_bus=self.root_bus,
            buses=self.buses,
            load_kw=self.load_kw,
            load_kvar=self.load_kvar,
            lines=lines,
        )


def make_feeder(
    *,
    name: str,
    source: str,
    base_kv: float,
    base_mva: float,
    root_bus: int,
    buses: ArrayLike,
    load_kw: ArrayLike,
    load_kvar: ArrayLike,
    lines: Sequence[Line],
) -> Feeder:
    """Check the parts of a feeder and put its lines in order; units as in `Feeder`.

    Raises
    ------
    ValueError
        Names what is wrong: a base that is not positive, a bus or line that is there twice, a
        line to an unknown bus, a bad impedance or limit, a cycle of closed lines (its lines are
        named), a bus without a path to the root.
    """
    for what, value, unit in (("base_kv", base_kv, "kV"), ("base_mva", base_mva, "MVA")):
        if not 0 < value < math.inf:
            raise ValueError(f"feeder {name}: {what} {value} {unit} must be positive and finite")
    labels = np.array(buses, dtype=np.int64)
    labels.setflags(write=False)
    known = set(labels.tolist())
    if len(known) < len(labels):
        twice = next(bus for at, bus in enumerate(labels.tolist()) if bus in labels[:at])
        raise ValueError(f"feeder {name}: bus {twice} is there twice")
    if root_bus not in known:
        raise ValueError(f"feeder {name}: there is no bus {root_bus} for the root")
    try:
        check_lines(lines, known)
        closed = [line for line in lines if line.closed]
        edges = [(line.from_bus, line.to_bus) for line in closed]
        order = orient_outwards(root_bus, labels.tolist(), edges)
    except ValueError as error:
        raise ValueError(f"feeder {name}: {error}") from None
    oriented = []
    for at, parent in order:
        line = closed[at]
        child = line.to_bus if line.from_bus == parent else line.from_bus
        oriented.append(replace(line, from_bus=parent, to_bus=child))
    return Feeder(
        name=name,
        source=source,
        base_kv=float(base_kv),
        base_mva=float(base_mva),
        root_bus=int(root_bus),
        buses=labels,
        load_kw=_per_bus(name, "load_kw", load_kw, labels),
        load_kvar=_per_bus(name, "load_kvar", load_kvar, labels),
        lines=tuple(oriented),
        ties=tuple(line for line in lines if not line.closed),
    )


def _per_bus(name: str, what: str, values: ArrayLike, labels: IntArray) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    if array.shape != labels.shape:
        raise ValueError(
            f"feeder {name}: {what} has shape {array.shape}, one value per bus needs {labels.shape}"
        )
    array.setflags(write=False)
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ValueError(f"feeder {name}: {what} at bus {labels[wrong[0]]} is {array[wrong[0]]}")
    return array
