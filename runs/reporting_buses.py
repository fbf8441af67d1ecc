"""At which bus the power of a place is reported to the operator, where a sum of one would tell all.

The sum over the participants at a bus is no secret of the only one there. Nor is the reactive
demand of the only one with inelastic load, in proportion to that load, nor what the only inverter
can take. Buses with such a sum are reported together with a neighbour: the one farthest from the
root is joined with the place nearest to it along the feeder (by the impedance between them), then
the next, until every sum is over at least two, or over nothing. The joint power is reported at that
of the two that is farther from the root: there it moves voltages most, and it loads all lines on
the way.

The operator then plans with that: one price for the buses of a place, and no view of the lines
between them. Voltages, flows and losses of an outcome are computed at the true buses.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.network_charges.electrical_distance import electrical_distance
from nashgrid.market.messages import Integers
from nashgrid.runs.private_quantities import (
    QUANTITIES,
    Flags,
    counts_at,
    only_ones,
    sums_over_one,
)


def reporting_buses(
    feeder: Feeder | None,
    bus_of: Sequence[int],
    names: Sequence[str],
    has: Flags,
    rule: Literal["merge", "refuse"],
) -> dict[int, int]:
    """Buses that are reported at another one -> that bus.

    Parameters
    ----------
    bus_of, names : (n,) of all participants
    has : (n, 3) what they add to the sums at their bus, `private_quantities`
    rule : what is done about a bus where a sum is over one

    Raises
    ------
    ValueError
        If a sum is over one participant and the rule refuses it, or there is nobody to join it
        with; names bus and participant.
    """
    buses, place = np.unique(np.asarray(bus_of, dtype=np.int64), return_inverse=True)
    alone, in_all = only_ones(has, place), only_ones(has, np.zeros_like(place))
    if not alone:
        return {}
    if rule == "merge" and feeder is not None and not in_all:
        return _merged(feeder, buses.tolist(), counts_at(has, place))
    # Where joining all places would not do, that is what to say.
    told = alone if rule == "refuse" else in_all
    row, quantity = told[0]
    where = f"bus {bus_of[row]}" if rule == "refuse" else "the feeder"
    raise ValueError(
        f"privacy: {names[row]} is the only participant of "
        f"{'the community' if feeder is None else where} with {QUANTITIES[quantity]}, so that the "
        f"sum known to who delivers is its own (and {len(told) - 1} more). "
        "Connect another one there, or let single_participant_buses be 'allow'"
        + ("" if in_all else ", or 'merge' to report it with a neighbour")
    )


def _merged(feeder: Feeder, buses: Sequence[int], counts: Integers) -> dict[int, int]:
    labels = [feeder.root_bus, *buses]
    distance = electrical_distance(feeder, labels)
    row = {bus: position for position, bus in enumerate(labels)}
    joined, present = {bus: [bus] for bus in buses}, dict(zip(buses, counts, strict=True))

    def nearest(place: int) -> int:
        others = (bus for bus in present if bus != place)
        return min(others, key=lambda bus: (distance[row[place], row[bus]], bus))

    def depth(bus: int) -> tuple[float, int]:
        return float(distance[0, row[bus]]), bus

    while alone := [bus for bus, own in present.items() if sums_over_one(own[None]).any()]:
        outermost = max(alone, key=depth)
        near, far = sorted((outermost, nearest(outermost)), key=depth)
        present[far] = present[far] + present.pop(near)
        joined[far] += joined.pop(near)
    return {bus: place for place, merged in joined.items() for bus in merged if bus != place}
