"""A line of a feeder, and what a set of lines must fulfil before it can be one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line or switch between two buses; impedance in pu on the feeder's base, limit in kVA."""

    from_bus: int
    to_bus: int
    resistance_pu: float
    reactance_pu: float
    limit_kva: float = math.inf
    closed: bool = True

    def joins(self, one: int, other: int) -> bool:
        """Whether the line joins these two buses, in either direction."""
        return {self.from_bus, self.to_bus} == {one, other}

    def __str__(self) -> str:
        return f"{self.from_bus}-{self.to_bus}"


def check_lines(lines: Sequence[Line], buses: Collection[int]) -> None:
    """Raise ValueError naming the first line that cannot be part of a feeder with these buses."""
    seen: set[frozenset[int]] = set()
    for line in lines:
        for bus in (line.from_bus, line.to_bus):
            if bus not in buses:
                raise ValueError(f"line {line}: there is no bus {bus}")
        ends = frozenset((line.from_bus, line.to_bus))
        if len(ends) == 1:
            raise ValueError(f"line {line} begins and ends at the same bus")
        if ends in seen:
            raise ValueError(f"line {line} is there twice; merge parallel lines into one")
        seen.add(ends)
        _check_values(line)


def _check_values(line: Line) -> None:
    impedance = (("resistance", line.resistance_pu), ("reactance", line.reactance_pu))
    for name, value_pu in impedance:
        if not 0 <= value_pu < math.inf:
            raise ValueError(f"line {line}: {name} {value_pu} pu must be finite and at least 0")
    if line.resistance_pu == 0 and line.reactance_pu == 0:
        raise ValueError(f"line {line} has no impedance; merge its two buses into one")
    if not line.limit_kva >= 0:
        raise ValueError(f"line {line}: limit {line.limit_kva} kVA must be at least 0")
