"""A source of active and reactive power at a bus: DG, PV inverter, or the network upstream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cvxpy as cp
import numpy as np

from nashgrid.grid.feeder import Feeder, FloatArray


@dataclass(frozen=True)
class Generator:
    """A source of power at a bus, cost = linear g + quadratic g^2 per hour, g in kW.

    Its reactive power lies in a box and, as an inverter's, within g^2 + h^2 <= rated_kva^2. A PV
    plant has no cost and may be curtailed: `highest_kw` is what the sun gives.
    """

    bus: int
    linear_cost_per_kwh: float
    highest_kw: float
    lowest_kw: float = 0.0
    quadratic_cost_per_kw2h: float = 0.0
    lowest_kvar: float = 0.0
    highest_kvar: float = 0.0
    rated_kva: float = math.inf


def check_generators(feeder: Feeder, generators: Sequence[Generator]) -> None:
    """Raise ValueError naming the first generator that cannot be, its bus, value and bound."""
    if not generators:
        raise ValueError(f"feeder {feeder.name}: there is no generator, not even at the root")
    feeder.bus_positions([generator.bus for generator in generators])
    for generator in generators:
        where = f"generator at bus {generator.bus}"
        for field in fields(generator):
            value = getattr(generator, field.name)
            if math.isnan(value) or (math.isinf(value) and field.name != "rated_kva"):
                raise ValueError(f"{where}: {field.name} {value} must be finite")
        for low, high in (("lowest_kw", "highest_kw"), ("lowest_kvar", "highest_kvar")):
            if getattr(generator, low) > getattr(generator, high):
                raise ValueError(
                    f"{where}: {low} {getattr(generator, low):g} is above "
                    f"{high} {getattr(generator, high):g}"
                )
        for name in ("quadratic_cost_per_kw2h", "rated_kva"):
            if getattr(generator, name) < 0:
                raise ValueError(f"{where}: {name} {getattr(generator, name):g} must be >= 0")


class Dispatch:
    """The generators of a feeder as CVXPY variables p (kW) and q (kvar), their cost and limits."""

    def __init__(self, feeder: Feeder, generators: Sequence[Generator]) -> None:
        check_generators(feeder, generators)
        self.p, self.q = cp.Variable(len(generators)), cp.Variable(len(generators))
        self._generators = generators
        self.placed = np.zeros((feeder.bus_count, len(generators)))
        at = feeder.bus_positions([generator.bus for generator in generators])
        self.placed[at, range(len(generators))] = 1.0

    def of_each(self, name: str) -> FloatArray:
        """One attribute of every generator, (G,)."""
        return np.array([getattr(g, name) for g in self._generators], dtype=np.float64)

    def cost(self) -> cp.Expression:
        """Generation cost per hour."""
        linear = self.of_each("linear_cost_per_kwh") @ self.p
        cost: cp.Expression = linear + self.of_each("quadratic_cost_per_kw2h") @ self.p**2
        return cost

    def limits(self, slack_kw: cp.Expression, slack_kvar: cp.Expression) -> list[cp.Constraint]:
        """Boxes, widened by the slacks, and circles of apparent power."""
        constraints: list[cp.Constraint] = [
            self.p >= self.of_each("lowest_kw"),
            self.p <= self.of_each("highest_kw") + slack_kw,
            self.q >= self.of_each("lowest_kvar") - slack_kvar,
            self.q <= self.of_each("highest_kvar") + slack_kvar,
        ]
        rated = self.of_each("rated_kva")
        round_ones = np.flatnonzero(np.isfinite(rated))
        if round_ones.size:
            size = cp.vstack([self.p[round_ones], self.q[round_ones]])
            wider = rated[round_ones] + slack_kw[round_ones] + slack_kvar[round_ones]
            constraints.append(cp.norm(size, 2, axis=0) <= wider)
        return constraints
