"""At which bus the power of a place is reported to the operator, where a sum of one would tell all.

The sum over the participants at a bus is no secret of the only one there. Such buses are reported
together with a neighbour: the place with one participant that is farthest from the root is joined
with the place nearest to it along the feeder (by the impedance between them), then the next, until
every sum is over at least two. The joint power is reported at that of the two that is farther from
the root: there it moves voltages most, and it loads all lines on the way.

The operator then plans with that: one price for the buses of a place, and no view of the lines
between them. Voltages, flows and losses of an outcome are computed at the true buses.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.network_charges.electrical_distance import electrical_distance


def reporting_buses(
    feeder: Feeder | None,
    bus_of: Sequence[int],
    names: Sequence[str],
    rule: Literal["merge", "refuse"],
) -> dict[int, int]:
    """Buses that are reported at another one -> that bus.

    Parameters
    ----------
    bus_of, names : (n,) of all participants
    rule : what is done about a bus with one participant

    Raises
    ------
    ValueError
        If a bus has one participant and the rule refuses it, or there is nobody to join it with;
        names bus and participant.
    """
    number = Counter(bus_of)
    alone = [(bus, name) for bus, name in zip(bus_of, names) if number[bus] == 1]
    if not alone:
        return {}
    if rule == "refuse" or feeder is None or len(number) == 1:
        bus, name = alone[0]
        where = f"bus {bus}" if feeder is not None else "the community"
        raise ValueError(
            f"privacy: {name} is the only participant of {where}, so that the sum told to who "
            f"delivers is its own power (and {len(alone) - 1} more). Connect another one there, "
            "or let single_participant_buses be 'allow'"
            + (", or 'merge' to report it with a neighbour" if len(number) > 1 else "")
        )
    return _merged(feeder, number)


def _merged(feeder: Feeder, number: Counter[int]) -> dict[int, int]:
    labels = [feeder.root_bus, *sorted(number)]
    distance = electrical_distance(feeder, labels)
    row = {bus: position for position, bus in enumerate(labels)}
    joined, present = {bus: [bus] for bus in number}, dict(number)

    def nearest(place: int) -> int:
        others = (bus for bus in present if bus != place)
        return min(others, key=lambda bus: (distance[row[place], row[bus]], bus))

    def depth(bus: int) -> tuple[float, int]:
        return float(distance[0, row[bus]]), bus

    while min(present.values()) == 1:
        outermost = max((bus for bus in present if present[bus] == 1), key=depth)
        near, far = sorted((outermost, nearest(outermost)), key=depth)
        present[far] += present.pop(near)
        joined[far] += joined.pop(near)
    return {bus: place for place, buses in joined.items() for bus in buses if bus != place}
