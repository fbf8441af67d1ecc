"""Who belongs together: groups of agents whose profiles complement each other."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.messages import Floats, Integers

STARTS = 8
"""Groupings that the search starts from; the best end counts."""


@dataclass(frozen=True)
class Exchanged:
    """Where the energy of n profiles goes when communities net it, slot by slot [kWh].

    Attributes
    ----------
    alone_kwh : everybody's exchange with the outside where nothing is netted, bought and sold
    inside_kwh : what passes between members of one community
    between_kwh : what passes between communities
    upstream_kwh : exchange of all together with who delivers; the same for every grouping
    """

    alone_kwh: float
    inside_kwh: float
    between_kwh: float
    upstream_kwh: float

    @property
    def relative_exchange(self) -> float:
        """sum_c |X_c| / sum_i |x_i|: what communities exchange with their outside, to be small."""
        if self.alone_kwh == 0:
            return 1.0
        return 1.0 - 2 * self.inside_kwh / self.alone_kwh


def exchanged(profiles_kw: Floats, community: Integers, slot_hours: float) -> Exchanged:
    """What passes inside and between communities, from net profiles.

    With X_ct = sum_{i in c} x_it,

        inside = dt/2 (sum |x_it| - sum |X_ct|),   between = dt/2 (sum |X_ct| - sum |X_t|).

    Parameters
    ----------
    profiles_kw : (n, T) net load, positive where an agent buys [kW]
    community : (n,) numbers from 0
    slot_hours : dt [h]
    """
    by_community = _sums(profiles_kw, community, 1 + int(community.max()))
    alone, outside, all_together = (
        slot_hours * float(np.abs(part).sum())
        for part in (profiles_kw, by_community, profiles_kw.sum(axis=0))
    )
    # Sums in different orders: what is not there may come out a rounding below zero.
    inside, between = max(alone - outside, 0.0) / 2, max(outside - all_together, 0.0) / 2
    return Exchanged(alone, inside, between, all_together)


def form_communities(profiles_kw: Floats, communities: int) -> Integers:
    """Groups of complementary profiles: least energy exchanged with their outside.

    Minimises sum_c sum_t |sum_{i in c} x_it| over groups whose sizes differ by one at most. From
    each of several groupings, two agents change places as long as that helps (an agent and an
    empty place, too). No change of two improves the result; that it is the best of all is not
    promised. The same profiles give the same groups.

    Parameters
    ----------
    profiles_kw : (n, T) net load, positive where an agent buys [kW]
    communities : how many groups, 1 to n

    Returns
    -------
    (n,) numbers of communities, counted from 0 in the order of their first members

    Raises
    ------
    ValueError
        If there are fewer agents than communities, or a power is not a finite number.
    """
    count = len(profiles_kw)
    _check_count(count, communities)
    if profiles_kw.ndim != 2 or not np.isfinite(profiles_kw).all():
        raise ValueError("profiles_kw must be finite numbers, one row of slots per agent [kW]")
    best, least = np.zeros(count, dtype=np.int64), np.inf
    for start in range(STARTS):
        found = _changed_places(profiles_kw, _dealt(count, communities, start), communities)
        outside = float(np.abs(_sums(profiles_kw, found, communities)).sum())
        # A start that ends as well but for rounding does not replace what is there.
        if outside < least * (1 - 1e-12):
            best, least = found, outside
    return _in_order(best)


def random_communities(agents: int, communities: int, seed: int) -> Integers:
    """(n,) groups drawn at random, sizes differing by one at most; the same seed, the same groups.

    Raises
    ------
    ValueError
        If there are fewer agents than communities.
    """
    _check_count(agents, communities)
    order = np.random.default_rng(seed).permutation(agents)
    community = np.empty(agents, dtype=np.int64)
    community[order] = np.arange(agents) % communities
    return _in_order(community)


def communities_by_bus(buses: Integers, communities: int) -> Integers:
    """(n,) groups of agents at buses next to each other in number, sizes as above.

    Raises
    ------
    ValueError
        If there are fewer agents than communities.
    """
    agents = len(buses)
    _check_count(agents, communities)
    community = np.empty(agents, dtype=np.int64)
    community[np.argsort(buses, kind="stable")] = np.arange(agents) * communities // agents
    return _in_order(community)


def links(community: Integers) -> tuple[int, int]:
    """Links of the flat market and of two levels.

    Flat, everybody deals with everybody: N (N - 1) / 2. On two levels members deal with each
    other and with their manager, and managers with each other:
    sum_c N_c (N_c - 1) / 2 + N + C (C - 1) / 2.

    Parameters
    ----------
    community : (n,) of every agent, as numbers or names
    """
    _, sizes = np.unique(community, return_counts=True)
    inside = int((sizes * (sizes - 1) // 2).sum())
    count, groups = int(sizes.sum()), len(sizes)
    return count * (count - 1) // 2, inside + count + groups * (groups - 1) // 2


def _check_count(agents: int, communities: int) -> None:
    if not 1 <= communities <= agents:
        raise ValueError(
            f"communities: count = {communities} must be at least 1 and at most the number of "
            f"agents, {agents}"
        )


def _dealt(agents: int, communities: int, start: int) -> Integers:
    """A grouping to start from: dealt like cards, in order or shuffled."""
    if start == 0:
        return np.arange(agents) % communities
    return random_communities(agents, communities, start)


def _sums(profiles_kw: Floats, community: Integers, communities: int) -> Floats:
    sums = np.zeros((communities, profiles_kw.shape[1]))
    np.add.at(sums, community, profiles_kw)
    return sums


def _changed_places(profiles_kw: Floats, start: Integers, communities: int) -> Integers:
    """Change the places of two, always the best partner, until no change helps."""
    agents, slots = profiles_kw.shape
    sizes = np.bincount(start, minlength=communities)
    # Smaller communities have one empty place each.
    lacking = np.flatnonzero(sizes < sizes.max())
    power = np.concatenate([profiles_kw, np.zeros((len(lacking), slots))])
    place = np.concatenate([start, lacking])
    empty = np.arange(len(power)) >= agents
    least_gain = 1e-9 * float(np.abs(profiles_kw).sum())
    improved = True
    while improved:
        improved = False
        sums = _sums(power, place, communities)
        for one in range(len(power)):
            own = place[one]
            exchanged_kw = np.abs(sums).sum(axis=1)
            after = np.abs(sums[own] - power[one] + power).sum(axis=1)
            after += np.abs(sums[place] - power + power[one]).sum(axis=1)
            gain = exchanged_kw[own] + exchanged_kw[place] - after
            gain[(place == own) | _second_empty(one, place, empty, communities)] = 0.0
            other = int(np.argmax(gain))
            if gain[other] > least_gain:
                moved = power[other] - power[one]
                sums[own] += moved
                sums[place[other]] -= moved
                place[one], place[other] = place[other], own
                improved = True
    return place[:agents]


def _second_empty(one: int, place: Integers, empty: np.ndarray, communities: int) -> np.ndarray:
    """(m,) whether a change of places would leave a community with two empty ones."""
    has_empty = np.bincount(place[empty], minlength=communities) > 0
    receives = has_empty[place] if empty[one] else np.full(len(place), has_empty[place[one]])
    return np.asarray((empty != empty[one]) & receives)


def _in_order(community: Integers) -> Integers:
    """The same groups, counted in the order of their first members."""
    _, first, group = np.unique(community, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]
