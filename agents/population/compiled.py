"""What is compiled, and what the disk keeps of it: once per machine, for every device set.

A pass is compiled for a name and a :class:`.Shape`, and called through its address, so that what
surrounds the passes is compiled once for all shapes.  Numba keeps the code beside the sources or,
where they cannot be written, in the user's cache; empty files there mark what is complete, so that
one can tell beforehand whether an answer will have to wait.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from llvmlite import binding
from numba import cfunc, types

from nashgrid.agents.population import assessment, passes
from nashgrid.agents.population.assessment import assess_blocks
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.intrinsics import (
    PASS_SIGNATURE,
    emitted_for_literals,
    trace_pass,
)
from nashgrid.agents.population.keyed_cache import source_digest
from nashgrid.agents.population.newton import answer_blocks
from nashgrid.agents.population.stragglers import answer_queue
from nashgrid.agents.population.tables import Blocks, Quote, make_scratch

type_of: Any = numba.typeof

PASSES = {
    "forward": passes.forward,
    "forward_at_two_prices": passes.forward_at_two_prices,
    "backward": passes.backward,
    "assess": assessment.assess,
    "assess_at_two_prices": assessment.assess_at_two_prices,
}


def names_of(two_prices: bool) -> tuple[str, str, str]:
    """The passes that answer and assess a quote, with one price or with two."""
    if two_prices:
        return "forward_at_two_prices", "backward", "assess_at_two_prices"
    return "forward", "backward", "assess"


@emitted_for_literals
def run_traced(
    _context: Any, name: Any, batteries: Any, shiftables: Any, flat: Any, data: Any,
    multipliers: Any, answer: Any, flat_answer: Any, flat_stride: Any, bounds: Any, pattern: Any,
    work: Any, control: Any, slots: Any,
) -> Any:  # fmt: skip
    """The pass of a name and a shape, all four known while compiling."""
    shape = Shape(batteries.literal_value, shiftables.literal_value, bool(flat.literal_value))
    emit = PASSES[name.literal_value]

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        trace_pass(emit, shape, context, builder, args[4:])
        return context.get_dummy_value()

    return types.void(name, batteries, shiftables, flat, *PASS_SIGNATURE.args), codegen


def _compile_pass(name: str, batteries: int, shiftables: int, flat: int, digest: str) -> Any:
    def run_pass(
        data: Any, multipliers: Any, answer: Any, flat_answer: Any, flat_stride: Any, bounds: Any,
        pattern: Any, work: Any, control: Any, slots: Any,
    ) -> None:  # fmt: skip
        digest  # noqa: B018 - part of the key of the cache, like the other names from outside
        run_traced(
            name, batteries, shiftables, flat, data, multipliers, answer, flat_answer, flat_stride,
            bounds, pattern, work, control, slots,
        )  # fmt: skip

    return cfunc(PASS_SIGNATURE, cache=True)(run_pass)


@cache
def compiled_pass(name: str, shape: Shape) -> Any:
    """A pass compiled for a shape, or fetched from disk; its `address` is what is called."""
    made = _compile_pass(name, shape.batteries, shape.shiftables, int(shape.flat), source_digest())
    _mark(name, shape).touch()
    return made


def compile_callers(blocks: Blocks, quote: Quote) -> None:
    """Compile what calls the passes, or fetch it from disk; the same code for all shapes.

    Once in a process: to find out that all is there takes as long as an answer of thousands.
    """
    if assess_blocks.signatures:
        return
    scratch = make_scratch(blocks, quote, 1)
    tables = tuple(type_of(made) for made in (blocks, quote, scratch))
    whole, sums = types.int64, types.float64[::1]
    answer_queue.compile((*tables, whole))
    answer_blocks.compile((*tables, whole, whole))
    assess_blocks.compile((whole, *tables, whole, whole, sums, sums))
    _mark("callers").touch()


def is_compiled(shapes: Iterable[Shape], two_prices: bool) -> bool:
    """Whether this machine has compiled all that the shapes need for such a quote."""
    names = names_of(two_prices)
    needed = [_mark(name, shape) for name in names for shape in shapes]
    return all(mark.exists() for mark in [_mark("callers"), *needed])


def _mark(name: str, shape: Shape | None = None) -> Path:
    """The empty file that says that something is compiled, for these sources on this machine."""
    built = f"{source_digest()} {numba.__version__} {platform.python_version()}"
    key = hashlib.sha256(f"{built} {binding.get_host_cpu_name()}".encode()).hexdigest()[:16]
    if shape is not None:
        name += f"-{shape.batteries}-{shape.shiftables}-{int(shape.flat)}"
    return Path(answer_blocks.stats.cache_path) / f"compiled-{key}-{name}"
