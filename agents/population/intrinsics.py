"""The traced passes as functions that Numba can compile and call.

The passes of a shape are compiled on their own (see :mod:`.compiled`) and called through their
addresses, so that what surrounds them is compiled once for all shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nashgrid.agents.population import transfer
from nashgrid.agents.population.day import Tables
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import (
    DOUBLE,
    NUMBER,
    SINGLE,
    Numbers,
    Table,
    Tracer,
    Whole,
)

_pointer_to: Any = types.CPointer
_doubles, _singles = _pointer_to(types.float64), _pointer_to(types.float32)
_numbers, _whole = _pointer_to(types.int32), types.int64


def emitted(function: Callable[..., Any]) -> Any:
    """Numba's `intrinsic`, for functions whose first argument callers leave out."""
    return intrinsic(function)


def emitted_for_literals(function: Callable[..., Any]) -> Any:
    """The same for functions whose code depends on arguments known while compiling."""
    return intrinsic(prefer_literal=True)(function)


# data, multipliers, answer, flat and its stride, bounds and their pattern, work, control, slots
PASS_SIGNATURE = types.void(
    _doubles, _doubles, _singles, _doubles, _whole, _doubles, _numbers, _doubles, _doubles, _whole
)


def trace_pass(
    emit: Callable[[Tracer, Shape, Tables], None], shape: Shape, context: Any, builder: Any,
    args: Any,
) -> None:  # fmt: skip
    """Make the code of a pass of one shape, given what PASS_SIGNATURE says."""
    trace = Tracer(context, builder)

    def table(position: int) -> Table:
        return Table(builder, args[position], single=position == 2)

    tables = Tables(
        data=table(0),
        multipliers=table(1),
        answer=table(2),
        flat=table(3),
        flat_stride=trace.whole(args[4]),
        bounds=table(5),
        pattern=Numbers(builder, args[6]),
        work=table(7),
        control=table(8),
        slots=trace.whole(args[9]),
    )
    emit(trace, shape, tables)


def _pointer(context: Any, builder: Any, kind: Any, table: Any, number: Any = DOUBLE) -> Any:
    """Pointer to the first number of a table: an array, or an address of numbers of that kind."""
    if isinstance(kind, types.Integer):
        return builder.inttoptr(table, number.as_pointer())
    return context.make_array(kind)(context, builder, table).data


@emitted
def place(_context: Any, table: Any, index: Any) -> Any:
    """Address of ``table[index]``, for a table without gaps that outlives its use.

    A view would be counted as a reference to the table, twice per use.
    """

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        array = context.make_array(table)(context, builder, args[0])
        stride = builder.extract_value(array.strides, 0)
        first = builder.ptrtoint(array.data, stride.type)
        return builder.add(first, builder.mul(args[1], stride))

    return _whole(table, _whole), codegen


@emitted
def call_pass(
    _context: Any, address: Any, data: Any, multipliers: Any, answer: Any, flat: Any,
    flat_stride: Any, bounds: Any, pattern: Any, work: Any, control: Any, slots: Any,
) -> Any:  # fmt: skip
    """Run the compiled pass at an address on the tables of a block."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        counts = (4, 9)  # of the pass's arguments, the stride and the number of slots
        passed = [
            arg if at in counts else _pointer(context, builder, kind, arg)
            for at, (kind, arg) in enumerate(zip(signature.args[1:], args[1:]))
        ]
        kind = ir.FunctionType(ir.VoidType(), [arg.type for arg in passed])
        function = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(function, passed)
        return context.get_dummy_value()

    return types.void(
        _whole, data, multipliers, answer, flat, _whole, bounds, pattern, work, control, _whole
    ), codegen  # fmt: skip


@emitted
def take_quotes(
    _context: Any, size: Any, price: Any, own_price: Any, target: Any, rows: Any, work: Any,
    first: Any, step: Any, control: Any, slots: Any,
) -> Any:  # fmt: skip
    """See :func:`.transfer.take_quotes`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        trace = Tracer(context, builder)
        pointer = [_pointer(context, builder, *pair) for pair in zip(signature.args, args)]
        slots = trace.whole(args[9])
        agents = trace.numbers(_pointer(context, builder, rows, args[4], NUMBER))
        own = trace.whole(args[2])
        transfer.take_quotes(
            trace,
            Table(builder, pointer[0]),
            trace.matrix(pointer[1], slots, [agent * own for agent in agents]),
            trace.matrix(pointer[3], slots, agents),
            Table(builder, pointer[5]),
            trace.whole(args[6]),
            trace.whole(args[7]),
            Table(builder, pointer[8]),
            slots,
        )
        return context.get_dummy_value()

    return types.void(
        size, price, _whole, target, rows, work, _whole, _whole, control, _whole
    ), codegen


@emitted
def take_generation(
    _context: Any, load: Any, available: Any, rows: Any, work: Any, step: Any, slots: Any
) -> Any:
    """See :func:`.transfer.take_generation`; the first two are addresses."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        trace, slots = Tracer(context, builder), Whole(builder, args[5])
        agents = trace.numbers(_pointer(context, builder, rows, args[2], NUMBER))
        used, made = (
            trace.matrix(_pointer(context, builder, _whole, address), slots, agents)
            for address in args[:2]
        )
        table = Table(builder, _pointer(context, builder, work, args[3]))
        transfer.take_generation(trace, used, made, table, trace.whole(args[4]), slots)
        return context.get_dummy_value()

    return types.void(_whole, _whole, rows, work, _whole, _whole), codegen


@emitted
def take_shiftable(
    _context: Any, curvature: Any, preferred: Any, largest: Any, rows: Any, work: Any, first: Any,
    step: Any, slots: Any,
) -> Any:  # fmt: skip
    """See :func:`.transfer.take_shiftable`; the first three and the rows are addresses."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        trace, slots = Tracer(context, builder), Whole(builder, args[7])
        agents = trace.numbers(_pointer(context, builder, _whole, args[3], NUMBER))
        wish, most = (
            trace.matrix(_pointer(context, builder, _whole, address), slots, agents)
            for address in args[1:3]
        )
        own = Table(builder, _pointer(context, builder, _whole, args[0]))
        table = Table(builder, _pointer(context, builder, work, args[4]))
        at, between = trace.whole(args[5]), trace.whole(args[6])
        transfer.take_shiftable(trace, own, wish, most, table, at, between, slots)
        return context.get_dummy_value()

    return types.void(_whole, _whole, _whole, _whole, work, _whole, _whole, _whole), codegen


@emitted
def take_rows(
    _context: Any, source: Any, own: Any, rows: Any, work: Any, first: Any, step: Any, slots: Any
) -> Any:
    """See :func:`.transfer.take_rows`; `source` is a matrix, or the address of its numbers.

    With `own` = 0 all lanes take the first row.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        trace = Tracer(context, builder)
        matrix = _pointer(context, builder, source, args[0])
        agents = trace.numbers(_pointer(context, builder, rows, args[2], NUMBER))
        lanes, slots = [agent * trace.whole(args[1]) for agent in agents], trace.whole(args[6])
        transfer.take_rows(
            trace,
            trace.matrix(matrix, slots, lanes),
            Table(builder, _pointer(context, builder, work, args[3])),
            trace.whole(args[4]),
            trace.whole(args[5]),
            slots,
        )
        return context.get_dummy_value()

    return types.void(source, _whole, rows, work, _whole, _whole, _whole), codegen


@emitted
def expect_rows(_context: Any, source: Any, rows: Any, slots: Any) -> Any:
    """Begin to fetch rows of a table, an array or an address, that will be taken soon."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        trace, slots = Tracer(context, builder), Whole(builder, args[2])
        agents = trace.numbers(_pointer(context, builder, rows, args[1], NUMBER))
        trace.matrix(_pointer(context, builder, source, args[0]), slots, agents).expect(
            trace, slots
        )
        return context.get_dummy_value()

    return types.void(source, rows, _whole), codegen


@emitted
def number_at(_context: Any, address: Any, index: Any) -> Any:
    """One of the doubles at an address."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        first = builder.inttoptr(args[0], DOUBLE.as_pointer())
        return builder.load(builder.gep(first, [args[1]]))

    return types.float64(_whole, _whole), codegen


@emitted
def keep_answers(
    _context: Any, work: Any, step: Any, control: Any, answer: Any, answer_rows: Any, flat: Any,
    flat_row: Any, flat_rows: Any, trade: Any, rows: Any, slots: Any,
) -> Any:  # fmt: skip
    """See :func:`.transfer.keep_answers`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        trace = Tracer(context, builder)
        pointer = [_pointer(context, builder, *pair) for pair in zip(signature.args, args)]
        slots = trace.whole(args[10])
        agents = trace.numbers(_pointer(context, builder, rows, args[9], NUMBER))
        transfer.keep_answers(
            trace,
            Table(builder, pointer[0]),
            trace.whole(args[1]),
            Table(builder, pointer[2]),
            Table(builder, _pointer(context, builder, answer, args[3], SINGLE), single=True),
            trace.whole(args[4]),
            Table(builder, pointer[5]),
            trace.whole(args[6]),
            trace.whole(args[7]),
            trace.matrix(pointer[8], slots, agents),
            slots,
        )
        return context.get_dummy_value()

    return types.void(
        work, _whole, control, answer, _whole, flat, _whole, _whole, trade, rows, _whole
    ), codegen


@emitted
def fused(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c for single numbers, rounded once."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    number = types.float64
    return number(number, number, number), codegen
