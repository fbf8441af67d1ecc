"""Guarded elimination of the Newton matrix, slot by slot.

The order is pi_t, s_1t ... s_Kt, then the next slot, and at the end the border, one unknown per
shiftable load.  The balance row is scalar; the storage rows are a K x K block that meets the next
slot only through the stored energies.

Every pivot is scalar and guarded, piv <- max(piv, |right side| / D): a group of variables that are
all at their bounds would leave a zero pivot; so its price moves by at most D per step.  What is put
on a pivot is put on the diagonal of the whole matrix, so the step remains one of ascent, and its
slope is sum(right side ** 2 / pivot).
"""

from __future__ import annotations

from dataclasses import dataclass

from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import (
    Carried,
    Lane,
    Table,
    Tracer,
    Whole,
    absolute,
    fma,
    largest,
    reciprocal,
)

TINY = 1e-13  # keeps an empty pivot with an empty right side from 0 / 0


def guarded(pivot: Lane, right: Lane, guard: Lane) -> Lane:
    """The pivot, or as much as keeps the move of its unknown within D = 1 / guard."""
    return largest(absolute(right) * guard, pivot)


@dataclass
class ReducedBalance:
    """The balance row of a slot, divided by its pivot; and its entries before that."""

    right: Lane
    storage: list[Lane]
    border: list[Lane]
    storage_entries: list[Lane]
    border_entries: list[Lane]


def eliminate_balance(
    guard: Lane, pivot: Lane, right: Lane, storage: list[Lane], border: list[Lane]
) -> ReducedBalance:
    """Divide the row of pi_t by its guarded pivot."""
    inverse = reciprocal(guarded(pivot + TINY, right, guard))
    return ReducedBalance(
        right=right * inverse,
        storage=[entry * inverse for entry in storage],
        border=[entry * inverse for entry in border],
        storage_entries=storage,
        border_entries=border,
    )


class Border:
    """What the elimination of the slots leaves for the shiftable loads' multipliers."""

    def __init__(self, trace: Tracer, shape: Shape, guard: Lane) -> None:
        count = range(shape.shiftables)
        self.guard = guard
        self.use = [trace.carried() for _ in count]
        self.right = [trace.carried() for _ in count]
        self.matrix = [[trace.carried() for _ in range(m + 1)] for m in count]

    def reduce(self, balance: ReducedBalance, right: Lane) -> None:
        """Take a balance row out of the border."""
        self._reduce(balance.border, balance.border_entries, right)

    def reduce_storage(self, column: list[Lane], inverse: Lane, right: Lane) -> None:
        """Take a storage row, with entries `column` in the border, out of the border."""
        self._reduce([entry * inverse for entry in column], column, right)

    def _reduce(self, scaled: list[Lane], column: list[Lane], right: Lane) -> None:
        for m, entry in enumerate(scaled):
            self.right[m].set(fma(-entry, right, self.right[m].get()))
            for other in range(m + 1):
                cell = self.matrix[m][other]
                cell.set(fma(-entry, column[other], cell.get()))

    def solve(self, decrement: Carried) -> list[Lane]:
        """The step of the border, by the same guarded elimination."""
        count = len(self.right)
        right = [cell.get() for cell in self.right]
        matrix = [[cell.get() for cell in row] for row in self.matrix]
        inverse: list[Lane] = []
        for j in range(count):
            inverse.append(reciprocal(guarded(matrix[j][j] + TINY, right[j], self.guard)))
            decrement.set(fma(right[j] * inverse[j], right[j], decrement.get()))
            for i in range(j + 1, count):
                lower = matrix[i][j] * inverse[j]
                right[i] = fma(-lower, right[j], right[i])
                for c in range(j + 1, i + 1):
                    matrix[i][c] = fma(-lower, matrix[c][j], matrix[i][c])
        step = list(right)
        for j in reversed(range(count)):
            for i in range(j + 1, count):
                right[j] = fma(-matrix[i][j], step[i], right[j])
            step[j] = right[j] * inverse[j]
        return step


@dataclass
class Block:
    """The storage rows of one slot while they are being eliminated.

    `lower` holds the unit lower factor, `fill[i, j]` the entry of row i of the next slot in row
    j >= i of this one.
    """

    right: list[Lane]
    column: list[list[Lane]]
    inverse: list[Lane]
    lower: dict[tuple[int, int], Lane]
    fill: dict[tuple[int, int], Lane]


class StorageChain:
    """Block elimination of the storage rows; what one slot leaves on the next is carried."""

    def __init__(self, trace: Tracer, shape: Shape, guard: Lane) -> None:
        count = range(shape.batteries)
        self.guard = guard
        self.matrix = [[trace.carried() for _ in range(i + 1)] for i in count]
        self.right = [trace.carried() for _ in count]
        self.column = [[trace.carried() for _ in range(shape.shiftables)] for _ in count]

    def eliminate(
        self,
        balance: ReducedBalance,
        right: list[Lane],
        diagonal: list[Lane],
        link: list[Lane],
        border: Border,
        decrement: Carried,
    ) -> list[Lane]:
        """Eliminate the K storage rows of a slot; the factors for the way back.

        `link` is the slope of the stored energy that joins the slot to the next.
        """
        count = range(len(link))
        couple = balance.storage_entries
        # What the slot before left is added last: everything else can be ready when it arrives.
        right = [fma(-couple[i], balance.right, right[i]) + self.right[i].get() for i in count]
        column = [
            [
                fma(-couple[i], entry, self.column[i][m].get())
                for m, entry in enumerate(balance.border)
            ]
            for i in count
        ]
        matrix = []
        for i in count:
            row = [-(couple[i] * balance.storage[j]) for j in range(i)]
            row.append(fma(-couple[i], balance.storage[i], diagonal[i] + link[i]) + TINY)
            matrix.append([own + left.get() for own, left in zip(row, self.matrix[i])])
        block = self._factor(matrix, right, column, border, decrement)
        for i in count:
            block.fill[i, i] = -link[i]
            for j in range(i + 1, len(link)):
                entry = -(block.lower[j, i] * block.fill[i, i])
                for c in range(i + 1, j):
                    entry = fma(-block.lower[j, c], block.fill[i, c], entry)
                block.fill[i, j] = entry
        self._carry(block, link)
        inverse = block.inverse
        factors = [block.right[j] * inverse[j] for j in count]
        factors += [block.fill[i, j] * inverse[j] for j in count for i in range(j + 1)]
        factors += [block.lower[i, j] for i in count for j in range(i)]
        factors += [entry * inverse[j] for j in count for entry in block.column[j]]
        return factors

    def _factor(
        self,
        matrix: list[list[Lane]],
        right: list[Lane],
        column: list[list[Lane]],
        border: Border,
        decrement: Carried,
    ) -> Block:
        """Guarded L D L' of the block, applied to the right side and the border columns."""
        count = len(right)
        block = Block(right, column, [], {}, {})
        for j in range(count):
            inverse = reciprocal(guarded(matrix[j][j], right[j], self.guard))
            block.inverse.append(inverse)
            decrement.set(fma(right[j] * inverse, right[j], decrement.get()))
            border.reduce_storage(column[j], inverse, right[j])
            for i in range(j + 1, count):
                lower = matrix[i][j] * inverse
                block.lower[i, j] = lower
                right[i] = fma(-lower, right[j], right[i])
                for m, entry in enumerate(column[j]):
                    column[i][m] = fma(-lower, entry, column[i][m])
                for c in range(j + 1, i + 1):
                    matrix[i][c] = fma(-lower, matrix[c][j], matrix[i][c])
        return block

    def _carry(self, block: Block, link: list[Lane]) -> None:
        """What the slot leaves on the next slot's storage rows."""
        count = len(link)
        for i in range(count):
            scaled = {j: -(block.fill[i, j] * block.inverse[j]) for j in range(i, count)}
            right = scaled[i] * block.right[i]
            for j in range(i + 1, count):
                right = fma(scaled[j], block.right[j], right)
            self.right[i].set(right)
            for m, cell in enumerate(self.column[i]):
                entry = scaled[i] * block.column[i][m]
                for j in range(i + 1, count):
                    entry = fma(scaled[j], block.column[j][m], entry)
                cell.set(entry)
            for other in range(i + 1):
                own = link[i] if other == i else None
                entry = (
                    scaled[i] * block.fill[other, i]
                    if own is None
                    else fma(scaled[i], block.fill[other, i], own)
                )
                for j in range(i + 1, count):
                    entry = fma(scaled[j], block.fill[other, j], entry)
                self.matrix[i][other].set(entry)


def substitute_back(
    shape: Shape, work: Table, row: Whole, later: list[Lane], border: list[Lane]
) -> list[Lane]:
    """The step of a slot's multipliers (pi, s_1 ... s_K) from the next slot's and the border's."""
    count, loads = shape.batteries, shape.shiftables
    fill = shape.storage_factor + count
    lower = fill + count * (count + 1) // 2
    column = lower + count * (count - 1) // 2
    step = [work[row + (shape.storage_factor + j)] for j in range(count)]
    for j in reversed(range(count)):
        for i in range(j + 1):
            step[j] = fma(-work[row + (fill + j * (j + 1) // 2 + i)], later[i], step[j])
        for m in range(loads):
            step[j] = fma(-work[row + (column + j * loads + m)], border[m], step[j])
        for i in range(j + 1, count):
            step[j] = fma(-work[row + (lower + i * (i - 1) // 2 + j)], step[i], step[j])
    price = work[row + shape.balance_factor]
    for i, move in enumerate([*step, *border]):
        price = fma(-work[row + (shape.balance_factor + 1 + i)], move, price)
    return [price, *step]
