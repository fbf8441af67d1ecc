"""Which commodities everybody trades in an exchange over two tied feeders, by number."""

from collections.abc import Sequence

import numpy as np

from nashgrid.agents.bench import Members
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.tied.tie import TiedWires


def tied_members(wires: Sequence[TiedWires], places: Sequence[Integers]) -> list[Members]:
    """Who takes part, by address: the agents of both feeders from 1 on, then the two operators.

    The commodities are power at the places of the first feeder, at those of the second, and the
    flow over the tie, each slot by slot.

    Parameters
    ----------
    places : (n,) which of the places of its feeder each agent is at, feeder by feeder
    """
    slots = wires[0].scenario.horizon.slots
    counts = [len(own.places) - 1 for own in wires]
    blocks = [np.arange(counts[0]), counts[0] + np.arange(counts[1])]
    tie = np.array([sum(counts)])
    address, groups = 1, []
    for block, place in zip(blocks, places, strict=True):
        addresses = np.arange(address, address + len(place))
        groups.append(Members(addresses, _slots_of(block, slots), place))
        address += len(place)
    for number, block in enumerate(blocks):
        every = _slots_of(np.append(block, tie), slots).reshape(1, -1)
        alone = np.zeros(1, dtype=np.int64)
        groups.append(Members(alone + address + number, every, alone, role="counterparty"))
    return groups


def tied_opening_price(wires: Sequence[TiedWires]) -> Floats:
    """(K,) retail at every place, between the two at the tie [currency/kWh]."""
    retail = [own.tariff.retail_price_per_kwh for own in wires]
    places = [len(own.places) - 1 for own in wires]
    return np.concatenate([*map(np.tile, retail, places), 0.5 * (retail[0] + retail[1])])


def _slots_of(places: Integers, slots: int) -> Integers:
    """(P, T) commodities of places."""
    return np.asarray(places[:, None] * slots + np.arange(slots))
