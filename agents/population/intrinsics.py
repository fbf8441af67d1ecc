"""The passes as functions that Numba can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from nashgrid.agents.population import passes
from nashgrid.agents.population.day import Tables
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import Tracer


def _define(emit: Callable[[Tracer, Shape, Tables], None]) -> Callable[..., Any]:
    """The typing and the lowering of one pass.

    The numbers of batteries and shiftable loads are the lengths of two tuples, so that they are
    known from the types alone.
    """

    def typing(
        _context: Any, batteries: Any, shiftables: Any, data: Any, multipliers: Any, answer: Any,
        flat: Any, flat_stride: Any, bounds: Any, bounds_row: Any, bounds_stride: Any,
        bounds_last: Any, work: Any, control: Any, slots: Any,
    ) -> Any:
        shape = Shape(len(batteries), len(shiftables))

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            trace = Tracer(context, builder)
            kinds = signature.args

            def table(position: int) -> Any:
                return trace.table(kinds[position], args[position])

            tables = Tables(
                data=table(2),
                multipliers=table(3),
                answer=table(4),
                flat=table(5),
                flat_stride=trace.whole(args[6]),
                bounds=table(7),
                bounds_row=trace.whole(args[8]),
                bounds_stride=trace.whole(args[9]),
                bounds_last=trace.whole(args[10]),
                work=table(11),
                control=table(12),
                slots=trace.whole(args[13]),
            )
            emit(trace, shape, tables)
            return context.get_dummy_value()

        whole = types.int64
        signature = types.void(
            batteries, shiftables, data, multipliers, answer, flat, whole, bounds, whole, whole,
            whole, work, control, whole,
        )
        return signature, codegen

    return typing


forward = intrinsic(_define(passes.forward))
backward = intrinsic(_define(passes.backward))
