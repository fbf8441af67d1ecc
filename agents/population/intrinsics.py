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
from nashgrid.agents.population.lanes import Table, Tracer

_pointer_to: Any = types.CPointer
_doubles, _singles, _whole = _pointer_to(types.float64), _pointer_to(types.float32), types.int64


def emitted(function: Callable[..., Any]) -> Any:
    """Numba's `intrinsic`, for functions whose first argument callers leave out."""
    return intrinsic(function)


def emitted_for_literals(function: Callable[..., Any]) -> Any:
    """The same for functions whose code depends on arguments known while compiling."""
    return intrinsic(prefer_literal=True)(function)


# data, multipliers, answer, flat and its stride, bounds with first row, stride and last entry,
# work, control, slots
PASS_SIGNATURE = types.void(
    _doubles, _doubles, _singles, _doubles, _whole, _doubles, _whole, _whole, _whole, _doubles,
    _doubles, _whole,
)  # fmt: skip
_WHOLE_ARGUMENTS = (4, 6, 7, 8, 11)


def trace_pass(
    emit: Callable[[Tracer, Shape, Tables], None], shape: Shape, context: Any, builder: Any,
    args: Any,
) -> None:  # fmt: skip
    """Make the code of a pass of one shape, given what PASS_SIGNATURE says."""
    trace = Tracer(context, builder)

    def table(position: int) -> Table:
        return Table(builder, args[position], single=position == 2)

    whole = {position: trace.whole(args[position]) for position in _WHOLE_ARGUMENTS}
    tables = Tables(
        data=table(0),
        multipliers=table(1),
        answer=table(2),
        flat=table(3),
        flat_stride=whole[4],
        bounds=table(5),
        bounds_row=whole[6],
        bounds_stride=whole[7],
        bounds_last=whole[8],
        work=table(9),
        control=table(10),
        slots=whole[11],
    )
    emit(trace, shape, tables)


def _pointer(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Address of the first number of an array."""
    return context.make_array(kind)(context, builder, array).data


@emitted
def call_pass(
    _context: Any, address: Any, data: Any, multipliers: Any, answer: Any, flat: Any,
    flat_stride: Any, bounds: Any, first: Any, stride: Any, last: Any, work: Any, control: Any,
    slots: Any,
) -> Any:  # fmt: skip
    """Run the compiled pass at an address on the tables of a block."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        passed = [
            arg if isinstance(kind, types.Integer) else _pointer(context, builder, kind, arg)
            for kind, arg in zip(signature.args[1:], args[1:])
        ]
        kind = ir.FunctionType(ir.VoidType(), [arg.type for arg in passed])
        function = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(function, passed)
        return context.get_dummy_value()

    return types.void(
        _whole, data, multipliers, answer, flat, _whole, bounds, _whole, _whole, _whole, work,
        control, _whole,
    ), codegen  # fmt: skip


@emitted
def take_quotes(
    _context: Any, size: Any, price: Any, own_price: Any, target: Any, rows: Any, work: Any,
    first: Any, step: Any, control: Any, slots: Any,
) -> Any:  # fmt: skip
    """See :func:`.transfer.take_quotes`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        trace = Tracer(context, builder)
        pointer = [
            None if isinstance(kind, types.Integer) else _pointer(context, builder, kind, arg)
            for kind, arg in zip(signature.args, args)
        ]
        slots = trace.whole(args[9])
        agents = trace.numbers(pointer[4])
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
def keep_answers(
    _context: Any, work: Any, step: Any, control: Any, answer: Any, answer_rows: Any, flat: Any,
    flat_row: Any, flat_rows: Any, trade: Any, rows: Any, slots: Any,
) -> Any:  # fmt: skip
    """See :func:`.transfer.keep_answers`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        trace = Tracer(context, builder)
        pointer = [
            None if isinstance(kind, types.Integer) else _pointer(context, builder, kind, arg)
            for kind, arg in zip(signature.args, args)
        ]
        slots = trace.whole(args[10])
        transfer.keep_answers(
            trace,
            Table(builder, pointer[0]),
            trace.whole(args[1]),
            Table(builder, pointer[2]),
            Table(builder, pointer[3], single=True),
            trace.whole(args[4]),
            Table(builder, pointer[5]),
            trace.whole(args[6]),
            trace.whole(args[7]),
            trace.matrix(pointer[8], slots, trace.numbers(pointer[9])),
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
