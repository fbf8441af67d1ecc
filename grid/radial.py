"""The shape of a feeder: lines put in order from the root outwards, or a plain reason why not."""

from __future__ import annotations

from collections.abc import Sequence

Edge = tuple[int, int]
_NAMED_AT_MOST = 5


def orient_outwards(root_bus: int, buses: Sequence[int], edges: Sequence[Edge]) -> list[Edge]:
    """Walk the tree of `edges` from the root and return each edge's (line position, parent).

    The walk is depth first and follows the given order of the edges, so that a line comes after
    the line that feeds it and the lines behind a line follow it without a gap.

    Parameters
    ----------
    root_bus : int
        The bus where the feeder meets the network upstream.
    buses : sequence of int
        All bus labels.
    edges : sequence of (int, int)
        The two bus labels of each closed line, in any direction.

    Returns
    -------
    list of (int, int)
        One pair per line, parents before children: the position in `edges`, and the bus label at
        the end nearer to the root.

    Raises
    ------
    ValueError
        If the lines form a cycle (its lines are named), or if a bus has no path to the root.
    """
    neighbours: dict[int, list[Edge]] = {bus: [] for bus in buses}
    for position, (one, other) in enumerate(edges):
        neighbours[one].append((position, other))
        neighbours[other].append((position, one))
    parent: dict[int, int] = {root_bus: root_bus}
    order: list[Edge] = []
    # One entry per line still to walk: (line, bus it leaves from, bus it leads to).
    ahead = [(line, root_bus, bus) for line, bus in reversed(neighbours[root_bus])]
    walked: set[int] = set()
    while ahead:
        line, near, far = ahead.pop()
        if line in walked:
            continue
        if far in parent:
            raise ValueError(_meshed(parent, near, far))
        walked.add(line)
        parent[far] = near
        order.append((line, near))
        ahead.extend((line, far, bus) for line, bus in reversed(neighbours[far]))
    missing = [bus for bus in buses if bus not in parent]
    if missing:
        raise ValueError(_disconnected(missing, root_bus))
    return order


def _meshed(parent: dict[int, int], one: int, other: int) -> str:
    path_of_one, path_of_other = _path_to_root(parent, one), _path_to_root(parent, other)
    shared = set(path_of_other)
    meeting = next(bus for bus in path_of_one if bus in shared)
    ring = path_of_one[: path_of_one.index(meeting) + 1]
    ring += path_of_other[: path_of_other.index(meeting)][::-1]
    lines = ", ".join(f"{a}-{b}" for a, b in zip(ring, ring[1:] + ring[:1]))
    return f"the feeder is meshed: the closed lines {lines} form a cycle; open one of them"


def _path_to_root(parent: dict[int, int], bus: int) -> list[int]:
    path = [bus]
    while parent[path[-1]] != path[-1]:
        path.append(parent[path[-1]])
    return path


def _disconnected(missing: Sequence[int], root_bus: int) -> str:
    named = ", ".join(str(bus) for bus in missing[:_NAMED_AT_MOST])
    more = f" and {len(missing) - _NAMED_AT_MOST} more" if len(missing) > _NAMED_AT_MOST else ""
    plural = "es" if len(missing) > 1 else ""
    verb = "have" if len(missing) > 1 else "has"
    return f"bus{plural} {named}{more} {verb} no path of closed lines to the root bus {root_bus}"
