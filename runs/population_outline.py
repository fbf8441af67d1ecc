"""What a run has to know of a population that others hold: who is where, and how large."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.population_draw import DrawnPopulation

COLUMNS = ["agent", "kind", "community", "bus", "weight"]


@dataclass(frozen=True)
class Outline:
    """The outside of a population.

    Parameters
    ----------
    roster : (n rows) agent, kind, community, bus, weight
    places : buses with at least one of them, rising; (0,) without a feeder
    reactive_by_ward : (W, places, T) reactive power of the inelastic load, ward by ward [kvar]
    connection_kw : (places,) sum of the connection limits [kW]
    """

    roster: pd.DataFrame
    places: tuple[int, ...]
    reactive_by_ward: Floats
    connection_kw: Floats

    @property
    def reactive_kvar(self) -> Floats:
        """(T, places) reactive power of the inelastic load [kvar]."""
        return np.asarray(self.reactive_by_ward.sum(axis=0).T)


def outline_of(drawn: DrawnPopulation) -> Outline:
    """The outside of buildings that were drawn."""
    limits = np.zeros(len(drawn.places))
    place = np.searchsorted(drawn.places, drawn.roster["bus"])
    np.add.at(limits, place, drawn.buildings.connection_kw)
    return Outline(drawn.roster[COLUMNS], drawn.places, drawn.reactive_by_ward, limits)


def join_outlines(parts: Sequence[Outline]) -> Outline:
    """The outside of all shards of a population, in order."""
    places = np.array(sorted({place for part in parts for place in part.places}))
    wards = sum(len(part.reactive_by_ward) for part in parts)
    slots = parts[0].reactive_by_ward.shape[2]
    reactive, limits = np.zeros((wards, len(places), slots)), np.zeros(len(places))
    first = 0
    for part in parts:
        columns, last = np.searchsorted(places, part.places), first + len(part.reactive_by_ward)
        reactive[first:last, columns] = part.reactive_by_ward
        limits[columns] += part.connection_kw
        first = last
    people = pd.concat([part.roster for part in parts], ignore_index=True)
    return Outline(people, tuple(places.tolist()), reactive, limits)
