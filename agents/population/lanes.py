"""Lanes: several agents side by side in one vector register.

A *lane* is one agent's place in a vector of doubles.  The passes of the population kernel are
ordinary Python functions over :class:`Lane` values; they run once, while Numba compiles, and each
operation they perform becomes one LLVM vector instruction.  Python loops over the batteries or the
shiftable loads of a class of buildings are thereby unrolled; the loop over the slots is a real one
(:meth:`Tracer.slots`).

Why not plain Numba: it turns the same loops into scalar divisions, four times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils as untyped_cgutils

cgutils: Any = untyped_cgutils
DOUBLE = ir.DoubleType()
SINGLE = ir.FloatType()
INDEX = ir.IntType(64)
NUMBER = ir.IntType(32)


def _lane_count() -> int:
    """Eight lanes where the processor has AVX-512 registers, four elsewhere."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot tell on this platform
        return 4
    return 8 if features.get("avx512f", False) else 4


WIDTH = _lane_count()
LINE = 8  # doubles in a line of the cache


class Lane:
    """One number per agent of a block, while the kernel is being traced."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _like(self, other: Lane | float) -> Any:
        if isinstance(other, Lane):
            return other.value
        return ir.Constant(self.value.type, [float(other)] * self.value.type.count)

    def __add__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fadd(self.value, self._like(other)))

    def __sub__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fsub(self.value, self._like(other)))

    def __mul__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fmul(self.value, self._like(other)))

    def __truediv__(self, other: Lane | float) -> Lane:
        return Lane(self.builder, self.builder.fdiv(self.value, self._like(other)))

    def __neg__(self) -> Lane:
        return Lane(self.builder, self.builder.fneg(self.value))

    def compare(self, relation: str, other: Lane | float) -> Any:
        """Mask of the lanes in which the ordered `relation` ("<", "==" ...) holds."""
        return self.builder.fcmp_ordered(relation, self.value, self._like(other))


def fma(a: Lane, b: Lane | float, c: Lane | float) -> Lane:
    """a b + c, rounded once."""
    kind = a.value.type
    function = cgutils.get_or_insert_function(
        a.builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fma.v{kind.count}f64"
    )
    return Lane(a.builder, a.builder.call(function, [a.value, a._like(b), a._like(c)]))


def absolute(a: Lane) -> Lane:
    """|a|."""
    kind = a.value.type
    function = cgutils.get_or_insert_function(
        a.builder.module, ir.FunctionType(kind, [kind]), f"llvm.fabs.v{kind.count}f64"
    )
    return Lane(a.builder, a.builder.call(function, [a.value]))


def where(mask: Any, a: Lane, b: Lane | float) -> Lane:
    """`a` in the lanes of the mask, `b` in the others."""
    return Lane(a.builder, a.builder.select(mask, a.value, a._like(b)))


def largest(a: Lane, b: Lane | float) -> Lane:
    """max(a, b); `b` where `a` is NaN."""
    return where(a.compare(">", b), a, b)


def smallest(a: Lane, b: Lane | float) -> Lane:
    """min(a, b); `b` where `a` is NaN."""
    return where(a.compare("<", b), a, b)


def clip(a: Lane, low: Lane | float, high: Lane | float) -> Lane:
    """The number nearest to `a` between `low` and `high`."""
    return smallest(largest(a, low), high)


def reciprocal(a: Lane) -> Lane:
    """1 / a."""
    return Lane(a.builder, a._like(1.0)) / a


class Whole:
    """An integer known when the kernel runs (slot, row of a table), with + and *."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _like(self, other: Whole | int) -> Any:
        return other.value if isinstance(other, Whole) else ir.Constant(INDEX, other)

    def __add__(self, other: Whole | int) -> Whole:
        return Whole(self.builder, self.builder.add(self.value, self._like(other)))

    def __mul__(self, other: Whole | int) -> Whole:
        return Whole(self.builder, self.builder.mul(self.value, self._like(other)))

    def __floordiv__(self, other: int) -> Whole:
        return Whole(self.builder, self.builder.udiv(self.value, self._like(other)))

    def __mod__(self, other: int) -> Whole:
        return Whole(self.builder, self.builder.urem(self.value, self._like(other)))

    __radd__ = __add__
    __rmul__ = __mul__


class Numbers:
    """Whole numbers of 32 bits in memory, one after another: ``numbers[at]`` loads one."""

    __slots__ = ("builder", "pointer")

    def __init__(self, builder: Any, pointer: Any) -> None:
        self.builder = builder
        self.pointer = pointer

    def __getitem__(self, at: Whole | int) -> Whole:
        index = at.value if isinstance(at, Whole) else ir.Constant(INDEX, at)
        number = self.builder.load(self.builder.gep(self.pointer, [index]))
        return Whole(self.builder, self.builder.sext(number, INDEX))


class Table:
    """Rows of lanes in memory: ``table[row]`` loads, ``table[row] = lane`` stores.

    Single-precision tables are widened on loading and rounded on storing.
    """

    __slots__ = ("builder", "pointer", "single")

    def __init__(self, builder: Any, pointer: Any, single: bool = False) -> None:
        self.builder = builder
        self.pointer = pointer
        self.single = single

    def _address(self, row: Whole | int) -> tuple[Any, Any]:
        element = SINGLE if self.single else DOUBLE
        index = row.value if isinstance(row, Whole) else ir.Constant(INDEX, row)
        offset = self.builder.mul(index, ir.Constant(INDEX, WIDTH))
        address = self.builder.gep(self.pointer, [offset])
        kind = ir.VectorType(element, WIDTH)
        return self.builder.bitcast(address, kind.as_pointer()), kind

    def __getitem__(self, row: Whole | int) -> Lane:
        address, _ = self._address(row)
        value = self.builder.load(address, align=4 if self.single else 8)
        if self.single:
            value = self.builder.fpext(value, ir.VectorType(DOUBLE, WIDTH))
        return Lane(self.builder, value)

    def __setitem__(self, row: Whole | int, lane: Lane) -> None:
        address, kind = self._address(row)
        value = self.builder.fptrunc(lane.value, kind) if self.single else lane.value
        self.builder.store(value, address, align=4 if self.single else 8)


def transpose(vectors: list[Any], builder: Any) -> list[Any]:
    """W vectors of W numbers as a matrix, transposed: blocks of 1, 2, 4 ... change places."""
    vectors, reach = list(vectors), 1
    while reach < WIDTH:
        for i in range(WIDTH):
            if i & reach:
                continue
            first, second = vectors[i], vectors[i + reach]
            for at, other in ((i, 0), (i + reach, reach)):
                order = [
                    j + other if not j & reach else WIDTH + j - reach + other for j in range(WIDTH)
                ]
                mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), order)
                vectors[at] = builder.shuffle_vector(first, second, mask)
        reach *= 2
    return vectors


class Strided:
    """One row of a matrix per lane: gathers and scatters one column, or W together."""

    __slots__ = ("builder", "pointers")

    def __init__(self, builder: Any, data: Any, columns: Whole, rows: list[Whole]) -> None:
        self.builder = builder
        self.pointers = [builder.gep(data, [(row * columns).value]) for row in rows]

    def take(self, columns: list[Whole]) -> list[Lane]:
        """One column, or W that follow each other."""
        if len(columns) == 1:
            return [self._gather(columns[0])]
        rows = [self.builder.load(place, align=8) for place in self._places(columns)]
        return [Lane(self.builder, column) for column in transpose(rows, self.builder)]

    def put(self, columns: list[Whole], lanes: list[Lane]) -> None:
        """Write one column, or W that follow each other."""
        # Backwards: where several lanes share a row, the first of them has the last word.
        if len(columns) == 1:
            for place, pointer in reversed(list(enumerate(self.pointers))):
                at = ir.Constant(ir.IntType(32), place)
                number = self.builder.extract_element(lanes[0].value, at)
                self.builder.store(number, self.builder.gep(pointer, [columns[0].value]))
            return
        rows = transpose([lane.value for lane in lanes], self.builder)
        for row, place in reversed(list(zip(rows, self._places(columns)))):
            self.builder.store(row, place, align=8)

    def expect(self, trace: Tracer, columns: Whole) -> None:
        """Begin to fetch the rows, which need not begin with a line of the cache."""
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        fetch = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0i8")
        how = [ir.Constant(number, flag) for flag in (0, 3, 1)]  # read, keep, data
        with trace.slots((columns + LINE) // LINE) as line:
            for pointer in self.pointers:
                place = self.builder.gep(pointer, [(line * LINE).value])
                self.builder.call(fetch, [self.builder.bitcast(place, byte), *how])

    def _places(self, columns: list[Whole]) -> list[Any]:
        kind = ir.VectorType(DOUBLE, WIDTH).as_pointer()
        at = [self.builder.gep(pointer, [columns[0].value]) for pointer in self.pointers]
        return [self.builder.bitcast(place, kind) for place in at]

    def _gather(self, column: Whole) -> Lane:
        value = ir.Constant(ir.VectorType(DOUBLE, WIDTH), ir.Undefined)
        for lane, pointer in enumerate(self.pointers):
            number = self.builder.load(self.builder.gep(pointer, [column.value]))
            place = ir.Constant(ir.IntType(32), lane)
            value = self.builder.insert_element(value, number, place)
        return Lane(self.builder, value)


class Carried:
    """A lane value that lives through the slot loop, in a register."""

    __slots__ = ("builder", "cell")

    def __init__(self, builder: Any, start: Lane) -> None:
        self.builder = builder
        self.cell = cgutils.alloca_once(builder, start.value.type)
        self.set(start)

    def get(self) -> Lane:
        return Lane(self.builder, self.builder.load(self.cell))

    def set(self, lane: Lane) -> None:
        self.builder.store(lane.value, self.cell)

    def add(self, lane: Lane) -> None:
        self.set(self.get() + lane)


class Tracer:
    """Makes lanes, tables and slot loops while Numba compiles a pass."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.context = context
        self.builder = builder

    def constant(self, number: float) -> Lane:
        """The same number in every lane."""
        kind = ir.VectorType(DOUBLE, WIDTH)
        return Lane(self.builder, ir.Constant(kind, [number] * WIDTH))

    def carried(self, start: float = 0.0) -> Carried:
        return Carried(self.builder, self.constant(start))

    def matrix(self, data: Any, columns: Whole, rows: list[Whole]) -> Strided:
        """The given rows of a matrix, one per lane."""
        return Strided(self.builder, data, columns, rows)

    def numbers(self, data: Any) -> list[Whole]:
        """The first whole numbers of 32 bits at an address, one per lane."""
        table = Numbers(self.builder, data)
        return [table[lane] for lane in range(WIDTH)]

    def whole(self, value: Any) -> Whole:
        return Whole(self.builder, value)

    def spans(self, count: Whole) -> Iterator[list[Whole]]:
        """Loops over the slots 0 .. count - 1, W at a time and then, for the rest, one by one."""
        with self.slots(count // WIDTH) as tile:
            yield [tile * WIDTH + i for i in range(WIDTH)]
        with self.slots(count % WIDTH) as rest:
            yield [(count // WIDTH) * WIDTH + rest]

    @contextmanager
    def slots(self, count: Whole, backward: bool = False) -> Iterator[Whole]:
        """A loop over the slots 0 .. count - 1, or back from the last."""
        with cgutils.for_range(self.builder, count.value, intp=INDEX) as loop:
            slot = loop.index
            if backward:
                last = self.builder.sub(count.value, ir.Constant(INDEX, 1))
                slot = self.builder.sub(last, slot)
            yield self.whole(slot)
