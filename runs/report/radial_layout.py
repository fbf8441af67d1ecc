"""Where the buses of a radial feeder stand in its drawing."""

from collections.abc import Iterable, Mapping

Place = tuple[int, int]


def radial_layout(lines: Iterable[tuple[int, int]]) -> dict[int, Place]:
    """A tidy drawing of a tree: bus -> (lines away from the root, lane).

    The longest path from a bus stays in its lane; a lateral takes the nearest free lane above or
    below. It leaves its bus straight up or down and then runs outwards, so that no two lines
    cross: laterals are placed from the far end of a path, those nearer to the root outside.

    Parameters
    ----------
    lines : (from bus, to bus) of every line, away from the root

    Raises
    ------
    ValueError
        If the lines are not one tree.
    """
    children: dict[int, list[int]] = {}
    fed = set()
    for start, end in lines:
        children.setdefault(start, []).append(end)
        children.setdefault(end, [])
        if end in fed:
            raise ValueError(f"bus {end} is fed by two lines: only a tree can be drawn")
        fed.add(end)
    roots = [bus for bus in children if bus not in fed]
    if len(roots) != 1:
        raise ValueError(f"the lines have {len(roots)} roots; one tree has one")
    depth = _depths(roots[0], children)
    if len(depth) != len(children):
        raise ValueError("the lines do not hang together: only a tree can be drawn")
    places, _ = _placed(roots[0], children, depth)
    return places


def _depths(root: int, children: Mapping[int, list[int]]) -> dict[int, int]:
    """How many lines there are from each bus to the farthest bus behind it."""
    order = [root]
    for bus in order:
        order.extend(children[bus])
    depth: dict[int, int] = {}
    for bus in reversed(order):
        depth[bus] = max((depth[child] + 1 for child in children[bus]), default=0)
    return depth


def _placed(
    root: int, children: Mapping[int, list[int]], depth: Mapping[int, int]
) -> tuple[dict[int, Place], set[Place]]:
    """Places relative to `root`, which stands at (0, 0), and where laterals turn outwards."""
    path = [root]
    while children[path[-1]]:
        path.append(max(children[path[-1]], key=lambda bus: (depth[bus], -bus)))
    places = {bus: (step, 0) for step, bus in enumerate(path)}
    corners: set[Place] = set()
    highest = [0] * (depth[root] + 1)
    lowest = [0] * (depth[root] + 1)
    for step in reversed(range(len(path))):
        for child in sorted(set(children[path[step]]).difference(path)):
            part, turns = _placed(child, children, depth)
            taken = [(step + 1 + x, lane) for x, lane in (*part.values(), *turns)]
            above = max(highest[x] - lane for x, lane in taken) + 1
            below = min(lowest[x] - lane for x, lane in taken) - 1
            shift = above if above < -below else below
            places |= {bus: (step + 1 + x, lane + shift) for bus, (x, lane) in part.items()}
            corners |= {(step + 1 + x, lane + shift) for x, lane in turns} | {(step, shift)}
            for x, lane in (*taken, (step, 0)):
                highest[x] = max(highest[x], lane + shift)
                lowest[x] = min(lowest[x], lane + shift)
    return places, corners
