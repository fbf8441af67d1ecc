"""Between the population's rows and the lanes of a block."""

from __future__ import annotations

from nashgrid.agents.population import fields
from nashgrid.agents.population.fields import Shape
from nashgrid.agents.population.lanes import Strided, Table, Tracer, Whole, fma, where


def take_quotes(
    trace: Tracer,
    size: Table,
    price: Strided,
    target: Strided,
    work: Table,
    first: Whole,
    step: Whole,
    control: Table,
    slots: Whole,
) -> None:
    """Put a block's quotes into the table of work: z - w lambda / rho, the trade at price zero.

    The row FACTOR of the control is left at 0, or NaN in the lanes whose quote is not finite.
    `first` is the row of work of the first slot, `step` the number of rows per slot.
    """
    slope = -(size[0] * control[fields.RATIO])
    none = trace.carried()
    for span in trace.spans(slots):
        for slot, paid, wish in zip(span, price.take(span), target.take(span)):
            offset = fma(slope, paid, wish)
            work[slot * step + first] = offset
            none.add(offset - offset)
    control[fields.FACTOR] = none.get()


def take_generation(
    trace: Tracer, load: Strided, available: Strided, work: Table, step: Whole, slots: Whole
) -> None:
    """Put net load and available generation into the table of work."""
    for span in trace.spans(slots):
        for slot, used, made in zip(span, load.take(span), available.take(span)):
            work[slot * step + Shape.NET] = used - made
            work[slot * step + Shape.AVAILABLE] = made


def take_shiftable(
    trace: Tracer, curvature: Table, preferred: Strided, largest: Strided, work: Table,
    first: Whole, step: Whole, slots: Whole,
) -> None:  # fmt: skip
    """Put a shiftable load's profiles into the table of work, from its row `first` on.

    What its preference is worth at the margin, and its largest power.
    """
    own = curvature[0]
    for span in trace.spans(slots):
        for slot, wish, most in zip(span, preferred.take(span), largest.take(span)):
            work[slot * step + first] = own * wish
            work[slot * step + first + 1] = most


def take_rows(
    trace: Tracer, source: Strided, work: Table, first: Whole, step: Whole, slots: Whole
) -> None:
    """Put rows of a matrix, one per lane, into the table of work, from its row `first` on."""
    for span in trace.spans(slots):
        for slot, column in zip(span, source.take(span)):
            work[slot * step + first] = column


def keep_answers(
    trace: Tracer,
    work: Table,
    step: Whole,
    control: Table,
    answer: Table,
    answer_rows: Whole,
    flat: Table,
    flat_row: Whole,
    flat_rows: Whole,
    trade: Strided,
    slots: Whole,
) -> None:
    """Write a block's trades, and what the next answers are drawn towards.

    Lanes that are not done keep what their answer in progress is drawn towards; their trades are
    written again when they are done.  `flat_rows` is 0 where no agent has flat devices.
    """
    for span in trace.spans(slots):
        trade.put(span, [work[slot * step + Shape.TRADE] for slot in span])
    done = control[fields.FACTOR].compare("==", 0.0)
    with trace.slots(slots) as slot:
        row = slot * step
        with trace.slots(answer_rows) as i:
            at = slot * answer_rows + i
            answer[at] = where(done, work[row + i + Shape.CURTAILMENT], answer[at])
        with trace.slots(flat_rows) as i:
            at = slot * flat_rows + i
            flat[at] = where(done, work[row + i + flat_row], flat[at])
