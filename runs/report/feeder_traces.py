"""What stays the same in the drawing of a feeder: where everything stands, and the legend."""

from dataclasses import dataclass
from typing import Any

from nashgrid.market.messages import Floats
from nashgrid.runs.report.figure import Trace
from nashgrid.runs.report.radial_layout import Place
from nashgrid.runs.report.style import (
    BLUE,
    DARK_GREY,
    INK,
    LIGHT_GREY,
    ORANGE,
    SKY,
    VERMILLION,
)

# Largest share of the limit, colour, words.
LOADING = (
    (0.8, SKY, "line below 80 % of its limit"),
    (1.0, ORANGE, "80–100 %"),
    (float("inf"), VERMILLION, "above its limit"),
)
UNLIMITED = (LIGHT_GREY, "line without a limit")
COLOUR_SCALE = "Cividis"


@dataclass(frozen=True)
class Drawing:
    """Where the parts of a feeder stand, and the scales of their marks.

    Parameters
    ----------
    lines : (from bus, to bus) of every line
    limits_kva : (L,) limits, infinite where there is none
    places : bus -> (lines away from the root, lane)
    agents : (name, kind, community, bus)
    voltage_range : lowest and highest voltage of all slots and cases [pu]
    largest_flow_kw, largest_trade_kw : of all slots and cases
    breaches : whether a voltage is ever beyond its limits
    """

    lines: list[tuple[int, int]]
    limits_kva: Floats
    places: dict[int, Place]
    agents: list[tuple[str, str, str, int]]
    voltage_range: tuple[float, float]
    largest_flow_kw: float
    largest_trade_kw: float
    breaches: bool

    @property
    def buses(self) -> list[int]:
        """All buses, in rising order."""
        return sorted(self.places)

    @property
    def root(self) -> int:
        """The bus of the substation."""
        return next(bus for bus, place in self.places.items() if place == (0, 0))

    @property
    def mark(self) -> int:
        """Diameter of a bus [px]; smaller on long feeders."""
        columns = max(depth for depth, _ in self.places.values()) + 1
        return max(8, min(26, 620 // columns))


def base_traces(drawing: Drawing) -> list[Trace]:
    """Lines one by one, their arrows, buses, agents, and the entries of the legend."""
    return [
        *(_line(drawing, start, end) for start, end in drawing.lines),
        _arrows(drawing),
        _labels(drawing),
        _buses(drawing),
        _agents(drawing),
        *_legend(drawing),
    ]


def _line(drawing: Drawing, start: int, end: int) -> Trace:
    (x0, y0), (x1, y1) = drawing.places[start], drawing.places[end]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x0, x0, x1],
        "y": [y0, y1, y1],
        "line": {"color": LIGHT_GREY, "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _arrows(drawing: Drawing) -> Trace:
    ends = [drawing.places[end] for _, end in drawing.lines]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x - 0.5 for x, _ in ends],
        "y": [y for _, y in ends],
        "marker": {"size": 11, "color": INK, "opacity": 1},
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _labels(drawing: Drawing) -> Trace:
    """Loading in words above a line, clear of the buses at its ends."""
    ends = [drawing.places[end] for _, end in drawing.lines]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x - 0.5 for x, _ in ends],
        "y": [y + 0.26 for _, y in ends],
        "textfont": {"size": 12, "color": INK},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _buses(drawing: Drawing) -> Trace:
    buses = drawing.buses
    return {
        "type": "scatter",
        "mode": "markers+text" if drawing.mark >= 16 else "markers",
        "x": [drawing.places[bus][0] for bus in buses],
        "y": [drawing.places[bus][1] for bus in buses],
        "text": [str(bus) for bus in buses],
        "textfont": {"size": 11},
        "marker": {
            "size": drawing.mark,
            "symbol": ["square" if bus == drawing.root else "circle" for bus in buses],
            "cmin": drawing.voltage_range[0],
            "cmax": drawing.voltage_range[1],
            "colorscale": COLOUR_SCALE,
            "colorbar": {
                "title": {"text": "voltage [pu]", "side": "right"},
                "tickformat": ".3f",
                "thickness": 14,
                "nticks": 6,
            },
            "line": {"color": INK, "width": 1},
        },
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def symbol(kind: str) -> str:
    """The mark of an agent."""
    return {"community battery": "diamond", "generator": "triangle-up"}.get(kind, "square")


def _agents(drawing: Drawing) -> Trace:
    """Agents stand below their bus, those of one bus side by side."""
    seen: dict[int, int] = {}
    x, y = [], []
    for _, _, _, bus in drawing.agents:
        nth = seen[bus] = seen.get(bus, -1) + 1
        depth, lane = drawing.places[bus]
        x.append(depth + 0.2 + 0.3 * (nth % 3))
        y.append(lane - 0.3 - 0.22 * (nth // 3))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {"symbol": [symbol(kind) for _, kind, _, _ in drawing.agents], "opacity": 1},
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _legend(drawing: Drawing) -> list[Trace]:
    """Entries without data; only what occurs in the drawing."""
    entries: list[Trace] = []

    def add(words: str, **style: Any) -> None:
        entries.append(
            {"type": "scatter", "x": [None], "y": [None], "name": words, "hoverinfo": "skip"}
            | style
        )

    limited = drawing.limits_kva < float("inf")
    for _, colour, words in LOADING if limited.any() else ():
        add(words, mode="lines", line={"color": colour, "width": 5})
    if not limited.all():
        add(UNLIMITED[1], mode="lines", line={"color": UNLIMITED[0], "width": 5})
    kinds = {symbol(kind): kind for _, kind, _, _ in drawing.agents}
    names = {"square": "building", "diamond": "community battery", "triangle-up": "generator"}
    for mark in (mark for mark in names if mark in kinds):
        add(names[mark], mode="markers", marker={"symbol": mark, "size": 10, "color": DARK_GREY})
    if drawing.breaches:
        edge = {"color": VERMILLION, "width": 4}
        ring = {"symbol": "circle", "size": 11, "color": "#ffffff", "line": edge}
        add("voltage beyond its limit", mode="markers", marker=ring)
    for words, colour in (("buys", BLUE), ("sells (hollow)", "#ffffff")):
        line = {"color": BLUE if words == "buys" else VERMILLION, "width": 2}
        square = {"symbol": "square", "size": 10, "color": colour, "line": line}
        add(words, mode="markers", marker=square)
    return entries
