"""What the operator has of each agent at a place: a sum over one tells that one's own."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.market.messages import Integers
from nashgrid.runs import inputs
from nashgrid.runs.scenario import AgentEntry, BuildingEntry, Scenario

Flags = NDArray[np.bool_]

QUANTITIES = ("power", "reactive demand", "inverters")
"""Summed at every place. Power is heard in messages; reactive demand, in proportion to inelastic
load, and what inverters can take are what the operator plans with."""


def private_quantities(scenario: Scenario, people: pd.DataFrame) -> Flags:
    """(n, 3) whether an agent has any of each of the `QUANTITIES`.

    An agent without load and devices has no power: it hides nobody.

    Parameters
    ----------
    people : one row per agent, those that the scenario states before those that it draws
    """
    feeder = scenario.feeder
    settable = 0.0 if feeder is None else feeder.reactive_kvar_per_kw
    has = np.zeros((len(people), len(QUANTITIES)), dtype=bool)
    for row, entry in enumerate(scenario.agents):
        load = bool(inputs.inelastic_load_kw(entry, scenario).any())
        has[row] = load or _has_devices(entry), load, settable * inputs.generation_kw(entry) > 0.0
    has[len(scenario.agents) :] = True, True, False
    has[:, 1] &= feeder is not None
    return has


def counts_at(has: Flags, place: Integers) -> Integers:
    """(P, 3) how many have any of each quantity at each of the places; `place` (n,)."""
    counts = [np.bincount(place, weights=own) for own in has.T]
    return np.stack(counts, axis=1).astype(np.int64)


def sums_over_one(counts: Integers) -> Flags:
    """(P,) places where a sum is over one alone, or nobody has power."""
    return np.asarray((counts == 1).any(axis=1) | (counts[:, 0] == 0))


def only_ones(has: Flags, place: Integers) -> list[tuple[int, int]]:
    """Row of an agent, and the quantity, that a sum over one tells: the first one of each place."""
    counts = counts_at(has, place)
    found = []
    for at in np.flatnonzero(sums_over_one(counts)).tolist():
        quantity = int(np.argmax(counts[at] == 1))
        told = (place == at) & (has[:, quantity] if counts[at, quantity] == 1 else True)
        found.append((int(np.argmax(told)), quantity))
    return sorted(found)


def _has_devices(entry: AgentEntry) -> bool:
    """Whether it has more than inelastic load."""
    if not isinstance(entry, BuildingEntry):
        return True
    return any((entry.pv, entry.wind, entry.batteries, entry.shiftable_loads, entry.vehicles))
