"""Whether the wires can carry what participants need, and if not, which limit is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from nashgrid.grid.feeder import FloatArray, IntArray
from nashgrid.grid.operator_limits import FACETS
from nashgrid.grid.operator_terms import OperatorTerms

Limit = Literal["exchange", "line", "lowest voltage", "highest voltage", "demand", "generation"]

_TOLERANCE_KW = 1e-6
_ROW_TOLERANCE_KW = 1e-7


@dataclass(frozen=True)
class Relaxation:
    """A limit that stands in the way in one slot, and how far it would have to give way.

    Attributes
    ----------
    slot : int
    limit : {"exchange", "line", "lowest voltage", "highest voltage", "demand", "generation"}
    element : str
        The bus or line, as a user writes it ("18", "5-6").
    bound, amount : float
        The limit as it is, and what it must give, in `unit`.
    unit : {"kW", "kVA", "kvar", "pu"}
    severity_kw : float
        The same amount as power at the bus that moves it most, to compare limits in one unit.
    """

    slot: int
    limit: Limit
    element: str
    bound: float
    amount: float
    unit: Literal["kW", "kVA", "kvar", "pu"]
    severity_kw: float

    def __str__(self) -> str:
        place = "line" if self.limit == "line" else "bus"
        return (
            f"slot {self.slot}, {place} {self.element}: the {self.limit} limit of "
            f"{self.bound:.6g} {self.unit} must give way by {_enough(self.amount)} {self.unit}"
        )


def _enough(amount: float) -> str:
    """To four digits, rounded up: giving way by what is told is enough."""
    told = Decimal(f"{amount:.9g}")
    return f"{float(Context(prec=4, rounding=ROUND_CEILING).plus(told)):.4g}"


def find_relaxations(
    terms: OperatorTerms, lowest_kw: FloatArray, highest_kw: FloatArray
) -> tuple[Relaxation, ...]:
    """Limits that no delivery between `lowest_kw` and `highest_kw` (S, B) can keep, worst first.

    Per slot a linear program moves the limits as little as possible, counted as power (kW) at the
    bus that moves them most; voltages of different buses are compared in pu. Relaxing all that
    are returned for a slot makes the slot feasible. Empty if the limits can be kept as they are.
    """
    settable = np.tile(terms.inverters.limit_kvar, (len(lowest_kw), 1))
    lowest, highest = np.hstack([lowest_kw, -settable]), np.hstack([highest_kw, settable])
    found: list[Relaxation] = []
    plainly = _plainly_kept(terms, lowest, highest)
    for slot in np.flatnonzero(~plainly).tolist():
        found += _relax_slot(terms, slot, lowest[slot], highest[slot])
    return tuple(sorted(found, key=lambda item: -item.severity_kw))


def _plainly_kept(
    terms: OperatorTerms, lowest: FloatArray, highest: FloatArray
) -> NDArray[np.bool_]:
    """Slots, (S,), where the range nearest to nothing, or its middle, keeps every limit."""
    limits, box = terms.limits, terms.decision_limit
    kept = np.zeros(len(lowest), dtype=bool)
    for decision in (np.clip(0.0, lowest, highest), 0.5 * (lowest + highest)):
        value = decision @ limits.rows.T
        within = ((limits.lower <= value) & (value <= limits.upper)).all(axis=1)
        kept |= within & (np.abs(decision) <= box).all(axis=1)
    return kept


def _relax_slot(
    terms: OperatorTerms, slot: int, lowest: FloatArray, highest: FloatArray
) -> list[Relaxation]:
    limits, box = terms.limits, terms.decision_limit
    # A range outside the demand limit: that limit gives way as far as the range asks.
    beyond = np.maximum(np.maximum(lowest - box, -box - highest), 0.0)
    found = [
        Relaxation(slot, "demand", str(terms.trading_buses[at]), box[at], amount, "kW", amount)
        for at, amount in enumerate(beyond)
        if amount > _TOLERANCE_KW
    ]
    reach = np.maximum(lowest, -box - beyond), np.minimum(highest, box + beyond)
    decision, given = _least_given(terms, slot, *reach)
    severity = _severity(terms) * given
    above = limits.rows @ decision > limits.upper[slot]
    # Of the sides of a polygon, which give way alike, the first speaks for the line.
    named = np.unique(_limit_of_row(terms)[severity > _TOLERANCE_KW])
    found += [
        _relaxation(terms, slot, int(row), bool(above[row]), float(given[row]), severity[row])
        for row in named
    ]
    return found


def _least_given(
    terms: OperatorTerms, slot: int, lowest: FloatArray, highest: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A decision (B + Q,), and what every row (M,) gives way for it: least in total severity.

    Rows enter the program once a delivery breaks them: on a large feeder most never do. All sides
    of a line's polygon give way together, as they do when its limit grows.
    """
    limits, decisions = terms.limits, len(lowest)
    upper, lower = limits.upper[slot], limits.lower[slot]
    decision, given = np.clip(0.0, lowest, highest), np.zeros(len(limits.rows))
    limit_of = _limit_of_row(terms)
    taken = np.zeros(len(limits.rows), dtype=bool)
    while True:
        value = limits.rows @ decision
        broken = np.maximum(value - upper, lower - value) - given > _ROW_TOLERANCE_KW
        if not (broken & ~taken).any():
            return decision, given
        taken |= broken
        rows = limits.rows[taken]
        named, own = np.unique(limit_of[taken], return_inverse=True)
        gives = -np.eye(len(named))[own]
        sides = np.vstack([np.hstack([rows, gives]), np.hstack([-rows, gives])])
        bounds = np.concatenate([upper[taken], -lower[taken]])
        there = np.isfinite(bounds)
        program = linprog(
            np.concatenate([np.zeros(decisions), _severity(terms)[named]]),
            A_ub=sides[there],
            b_ub=bounds[there],
            bounds=[*zip(lowest, highest), *[(0.0, None)] * len(named)],
            method="highs",
        )
        if program.x is None:
            raise RuntimeError(f"the feasibility program of slot {slot} failed: {program.message}")
        decision, of_limit = program.x[:decisions], np.zeros(len(given))
        of_limit[named] = program.x[decisions:]
        given = of_limit[limit_of]


def _limit_of_row(terms: OperatorTerms) -> IntArray:
    """(M,) the first of the rows that say the same limit."""
    limits, number = terms.limits, np.arange(len(terms.limits.rows))
    _, first, line = np.unique(limits.lines, return_index=True, return_inverse=True)
    number[limits.line_rows] = number[limits.line_rows][first[line]]
    return number


def _severity(terms: OperatorTerms) -> FloatArray:
    """Weight of each row: 1 for power; voltages compare in pu, not by their own sensitivity."""
    limits = terms.limits
    weight = np.ones(len(limits.rows))
    weight[limits.bus_rows] = limits.volt_scale.min(initial=np.inf) / limits.volt_scale
    return weight


def _relaxation(
    terms: OperatorTerms, slot: int, row: int, above: bool, given: float, severity: float
) -> Relaxation:
    limits, feeder = terms.limits, terms.feeder
    if row == 0:
        bound = float(terms.exchange_limit_kw[slot])
        return Relaxation(slot, "exchange", str(feeder.root_bus), bound, given, "kW", severity)
    if row < limits.bus_rows.start:
        line = limits.lines[row - 1]
        limit_kva, room = float(feeder.limit_kva[line]), limits.upper[slot, row]
        if limits.angles[row - 1]:
            wanted_kva = limit_kva + given / float(np.cos(np.pi / FACETS))
        else:
            wanted_kva = float(np.sqrt(limit_kva**2 - room**2 + (room + given) ** 2))
        name = str(feeder.lines[line])
        return Relaxation(slot, "line", name, limit_kva, wanted_kva - limit_kva, "kVA", severity)
    at = row - limits.bus_rows.start
    bus = str(feeder.buses[limits.buses[at]])
    squared = given / limits.volt_scale[at]
    if above:
        bound = terms.lowest_voltage_pu
        amount = bound - float(np.sqrt(max(bound**2 - squared, 0.0)))
        return Relaxation(slot, "lowest voltage", bus, bound, amount, "pu", severity)
    bound = terms.highest_voltage_pu
    amount = float(np.sqrt(bound**2 + squared)) - bound
    return Relaxation(slot, "highest voltage", bus, bound, amount, "pu", severity)
