"""One building's answer by Clarabel, for the few that the Newton method gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nashgrid.agents.population.bounds import UNBOUNDED_KWH, storage_bounds
from nashgrid.agents.population.buildings import BuildingArrays, Floats
from nashgrid.agents.population.feasibility import storage_limits
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.tables import Blocks, Quote, shape_of

Matrix: TypeAlias = Any  # the stubs tell sparse formats apart that scipy mixes

TIGHT, ENOUGH = 1e-11, 1e-8  # accuracy asked for, and the least accepted


@dataclass(frozen=True)
class Seat:
    """A building's lane: the tables of its class, its block and lane there, and its row."""

    blocks: Blocks
    block: int
    lane: int
    row: int

    @property
    def shape(self) -> Shape:
        """The device set."""
        return shape_of(self.blocks)

    def day(self, row: int) -> float:
        """A number that holds for the whole day."""
        return float(self.blocks.data[self.block, row, self.lane])

    def last(self, at: int) -> NDArray[Any]:
        """(T,) the last answer: curtailment at 0, stored energy k at 1 + k [kW, kW slots]."""
        return self.blocks.answer[self.block, at :: self.shape.answer_rows, self.lane]

    def last_flat(self, at: int) -> Floats | float:
        """(T,) the last answer of a flat device; 0 in a class without any."""
        if not self.shape.flat:
            return 0.0
        return self.blocks.flat[self.block, at :: self.shape.flat_rows, self.lane]

    def multipliers(self, at: int) -> Floats:
        """(T,) prices of energy at 0, values of stored energy k at 1 + k; a view."""
        shape = self.shape
        table = self.blocks.multipliers[self.block, shape.shiftables + at :, self.lane]
        return table[:: shape.price_rows]


@dataclass(frozen=True)
class Group:
    """The T variables of one kind, in kW (stored energy in kW slots).

    Cost `linear` x + `curvature` / 2 x^2, bounds `low` and `high`, and the entries in the balance,
    the row of stored energy and the row of a shiftable load's energy.
    """

    linear: Floats
    curvature: float
    low: Floats
    high: Floats
    balance: float


def answer_alone(buildings: BuildingArrays, seat: Seat, quote: Quote) -> bool:
    """Answer the quote for one building: the kernel's problem, proximal terms included.

    Writes its trade and what the next answer starts from; False, and nothing, if not solved.
    """
    groups = list(_groups(buildings, seat, quote))
    equal, right = _rows(buildings, seat, groups)
    slots, count = buildings.slots, equal.shape[1]
    stiffness = 1.0 / (seat.day(Shape.SIZE) * quote.inverse_rho)
    curvature: Matrix = sparse.diags(
        np.repeat([group.curvature for group in groups], slots), format="lil"
    )
    for here, there in ((0, 1), (1, 0)):  # the trade is bought less sold
        at = slice(here * slots, (here + 1) * slots), slice(there * slots, (there + 1) * slots)
        curvature[at] = -stiffness * sparse.identity(slots)
    low, high = (np.concatenate([getattr(g, name) for g in groups]) for name in ("low", "high"))
    box = sparse.identity(count, format="csr")
    above, below = high < UNBOUNDED_KWH / 2, low > -UNBOUNDED_KWH / 2
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(sparse.triu(curvature)),
        np.concatenate([group.linear for group in groups]),
        sparse.csc_matrix(sparse.vstack([equal, box[above], -box[below]])),
        np.concatenate([right, high[above], -low[below]]),
        [clarabel.ZeroConeT(right.size), clarabel.NonnegativeConeT(int(above.sum() + below.sum()))],
        _settings(),
    )
    solution = solver.solve()
    solved = (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved)
    if solution.status not in solved:
        return False
    powers = np.clip(solution.x, low, high).reshape(-1, slots)
    _write(seat, quote, powers, np.asarray(solution.z))
    return True


def _groups(buildings: BuildingArrays, seat: Seat, quote: Quote) -> Iterator[Group]:
    """Bought, sold, curtailed; charge, discharge and energy of each storage; shiftable loads."""
    row, shape, loose = seat.row, seat.shape, quote.looseness
    zero = np.zeros(buildings.slots)
    stiffness = 1.0 / (seat.day(Shape.SIZE) * quote.inverse_rho)
    pulled = stiffness * quote.target[row]
    most = np.full(buildings.slots, buildings.connection_kw[row])
    yield Group(quote.price[row * quote.own_price] - pulled, stiffness, zero, most, 1.0)
    yield Group(pulled - quote.sale_price[row * quote.own_sale_price], stiffness, zero, most, -1.0)
    pull = seat.day(Shape.CURTAIL_PULL) * loose
    yield Group(-pull * seat.last(0), pull, zero, buildings.available_kw[row], -1.0)
    storages = buildings.storages.take(np.flatnonzero(buildings.storages.owner == row))
    bounds = storage_bounds(storage_limits(storages, buildings.slots), buildings.slot_hours)
    for k in range(shape.batteries):
        first = shape.battery(k)
        pull = seat.day(first + Shape.PULL) * loose
        own = seat.day(first + Shape.CURVATURE) + pull
        for i, sign in enumerate((-1.0, 1.0)):
            wear = seat.day(first + Shape.WEAR) - pull * seat.last_flat(2 * k + i)
            yield Group(zero + wear, own, zero, bounds[k, :, i], sign)
        pull = seat.day(first + Shape.STORED_PULL) * loose
        yield Group(-pull * seat.last(1 + k), pull, bounds[k, :, 2], bounds[k, :, 3], 0.0)
    loads = buildings.loads.take(np.flatnonzero(buildings.loads.owner == row))
    for m in range(shape.shiftables):
        first = shape.shiftable(m)
        pull = seat.day(first + Shape.LOAD_PULL) * loose
        own = seat.day(first + Shape.LOAD_CURVATURE)
        wish = own * loads.preferred_kw[m] + pull * seat.last_flat(2 * shape.batteries + m)
        yield Group(-wish, own + pull, zero, loads.limit_kw[m], -1.0)


def _rows(buildings: BuildingArrays, seat: Seat, groups: list[Group]) -> tuple[Matrix, Floats]:
    """The equations: the balance, then stored energy per storage, then energy per load."""
    shape, slots = seat.shape, buildings.slots
    one, before = sparse.identity(slots), sparse.eye(slots, k=-1)
    rows: list[Matrix] = [sparse.hstack([group.balance * one for group in groups])]
    right = [buildings.load_kw[seat.row] - buildings.available_kw[seat.row]]
    for k in range(shape.batteries):
        first = shape.battery(k)
        eta, inverse = seat.day(first + Shape.ETA), seat.day(first + Shape.INVERSE_ETA)
        own = [-eta * one, inverse * one, one - before]
        rows.append(_placed(own, 3 + 3 * k, len(groups), slots))
        right.append(np.zeros(slots))
    for m in range(shape.shiftables):
        at = 3 + 3 * shape.batteries + m
        rows.append(_placed([sparse.csr_matrix(np.ones((1, slots)))], at, len(groups), slots))
        right.append(np.array([seat.day(shape.shiftable(m) + Shape.LOAD_ENERGY)]))
    return sparse.csr_matrix(sparse.vstack(rows)), np.concatenate(right)


def _placed(own: list[Matrix], at: int, groups: int, slots: int) -> Matrix:
    """A row of blocks that is zero but for `own`, from group `at` on."""
    none = sparse.csr_matrix((own[0].shape[0], slots))
    return sparse.hstack([*[none] * at, *own, *[none] * (groups - at - len(own))])


def _write(seat: Seat, quote: Quote, powers: Floats, duals: Floats) -> None:
    """Keep a solution as the kernel keeps its own."""
    shape, slots = seat.shape, powers.shape[1]
    blocks, batteries = seat.blocks, seat.shape.batteries
    quote.trade[seat.row] = powers[0] - powers[1]
    seat.last(0)[:] = powers[2]
    values = duals[slots : (1 + batteries) * slots].reshape(batteries, slots)
    seat.multipliers(0)[:slots] = -duals[:slots]
    for k in range(batteries):
        seat.last(1 + k)[:] = powers[3 + 3 * k + 2]
        seat.multipliers(1 + k)[:slots] = values[k]
    own = (1 + batteries) * slots
    blocks.multipliers[seat.block, : shape.shiftables, seat.lane] = -duals[own:][: shape.shiftables]
    if shape.flat:
        charged = [powers[3 + 3 * k + i] for k in range(batteries) for i in range(2)]
        for at, power in enumerate([*charged, *powers[3 + 3 * batteries :]]):
            blocks.flat[seat.block, at :: shape.flat_rows, seat.lane] = power


def _settings() -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.max_iter = 300
    for name in ("gap_abs", "gap_rel", "feas"):
        setattr(settings, f"tol_{name}", TIGHT)
        setattr(settings, f"reduced_tol_{name}", ENOUGH)
    return settings
