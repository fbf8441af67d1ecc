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
    with trace.slots(slots) as slot:
        offset = fma(slope, price[slot], target[slot])
        work[slot * step + first] = offset
        none.add(offset - offset)
    control[fields.FACTOR] = none.get()


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
    done = control[fields.FACTOR].compare("==", 0.0)
    with trace.slots(slots) as slot:
        row = slot * step
        trade[slot] = work[row + Shape.TRADE]
        with trace.slots(answer_rows) as i:
            at = slot * answer_rows + i
            answer[at] = where(done, work[row + i + Shape.CURTAILMENT], answer[at])
        with trace.slots(flat_rows) as i:
            at = slot * flat_rows + i
            flat[at] = where(done, work[row + i + flat_row], flat[at])
