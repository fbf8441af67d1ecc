"""Two levels of exchange: communities with managers, and who trades which commodities."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.scenario import BuildingEntry, Scenario


@dataclass(frozen=True)
class Levels:
    """Who trades with whom where communities have managers.

    Buildings trade with the manager of their community at their place; managers, community
    batteries and generators with who delivers; managers with each other. A row of commodities is
    one of these for all slots: first the P places, then the K pairs of a community and a place
    where it has members, and last what passes between communities.

    Parameters
    ----------
    communities : those with buildings, in the order of the scenario
    pairs : (K, 2) numbers of community and place, rising
    row : (n,) which row of commodities each agent of the scenario trades
    places : P
    fees : per kWh and level
    """

    communities: tuple[str, ...]
    pairs: Integers
    row: Integers
    places: int
    fees: LevelFees

    @property
    def between_row(self) -> int:
        """Row of what passes between communities."""
        return self.places + len(self.pairs)

    @property
    def place_of_row(self) -> Integers:
        """Number of the place of each row; 0 for what passes between communities."""
        return np.concatenate([np.arange(self.places), self.pairs[:, 1], [0]])

    @cached_property
    def community(self) -> Integers:
        """(n,) number of the community that each agent is a member of; -1: of none."""
        of_row = np.full(self.between_row, -1)
        of_row[self.places :] = self.pairs[:, 0]
        return of_row[self.row]

    def rows_of(self, community: int) -> Integers:
        """Rows that the manager of a community trades, in its order."""
        own = np.flatnonzero(self.pairs[:, 0] == community)
        return np.concatenate([self.places + own, self.pairs[own, 1], [self.between_row]])

    def places_of(self, community: int) -> Integers:
        """Numbers of the places where a community has members."""
        return np.asarray(self.pairs[self.pairs[:, 0] == community, 1])

    def by_pair(self, of_agents: Floats) -> Floats:
        """(K, T) sums of (n, T) over the members of each community at each place."""
        sums = np.zeros((self.between_row, of_agents.shape[1]))
        np.add.at(sums, self.row, of_agents)
        return sums[self.places :]

    def by_community(self, of_pairs: Floats) -> Floats:
        """(C, T) sums of (K, T) over the places of each community."""
        sums = np.zeros((len(self.communities), of_pairs.shape[1]))
        np.add.at(sums, self.pairs[:, 0], of_pairs)
        return sums


def levels_of(scenario: Scenario, place: Integers, places: int) -> Levels | None:
    """The levels that a scenario asks for; None where everybody trades with who delivers.

    Parameters
    ----------
    place : (n,) number of the place of each of its agents
    places : P, how many there are
    """
    if scenario.levels is None:
        return None
    names = dict.fromkeys(entry.community for entry in scenario.buildings)
    number = {name: index for index, name in enumerate(names)}
    pair = [
        (number[entry.community], int(at)) if isinstance(entry, BuildingEntry) else None
        for entry, at in zip(scenario.agents, place, strict=True)
    ]
    pairs = sorted({one for one in pair if one is not None})
    row = [
        int(at) if one is None else places + pairs.index(one)
        for one, at in zip(pair, place, strict=True)
    ]
    return Levels(tuple(names), np.array(pairs), np.array(row), places, scenario.levels.fees)
