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
    reactive_kvar : (T, places) reactive power of the inelastic load [kvar]
    connection_kw : (places,) sum of the connection limits [kW]
    """

    roster: pd.DataFrame
    places: tuple[int, ...]
    reactive_kvar: Floats
    connection_kw: Floats


def outline_of(drawn: DrawnPopulation) -> Outline:
    """The outside of buildings that were drawn."""
    place = np.searchsorted(drawn.places, drawn.roster["bus"])
    limits = np.bincount(place, drawn.buildings.connection_kw, minlength=len(drawn.places))
    return Outline(drawn.roster[COLUMNS], drawn.places, drawn.reactive_kvar, limits)


def join_outlines(parts: Sequence[Outline]) -> Outline:
    """The outside of all shards of a population, in order."""
    places = np.array(sorted({place for part in parts for place in part.places}))
    reactive = np.zeros((len(parts[0].reactive_kvar), len(places)))
    limits = np.zeros(len(places))
    for part in parts:
        columns = np.searchsorted(places, part.places)
        reactive[:, columns] += part.reactive_kvar
        limits[columns] += part.connection_kw
    people = pd.concat([part.roster for part in parts], ignore_index=True)
    return Outline(people, tuple(places.tolist()), reactive, limits)
