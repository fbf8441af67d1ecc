"""How savings, payments and costs are spread over many buildings: outlines of distributions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.crowd import Crowd
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import BLUE, GREEN, INK, SKY, VERMILLION, axis, layout
from nashgrid.runs.report.words import money, number, rounded, text

GROUPINGS = {"kinds": "kind of building", "outfits": "devices it owns"}
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS, _FEW = 48, 100
_BELL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
_HEIGHT = 0.62  # of the highest outline, in rows
_ALIKE = 0.005
"""Amounts that lie closer together than half a cent are the same to a reader [currency]."""


@dataclass(frozen=True)
class Spread:
    """How an amount is spread over the buildings of a group.

    Parameters
    ----------
    name, count : the group and its number of buildings
    quantiles : (7,) of `_QUANTILES` [currency]
    mean : [currency]
    edges, density : (B + 1,), (B,) share of the buildings per currency; empty where all are alike
    """

    name: str
    count: int
    quantiles: Floats
    mean: float
    edges: Floats
    density: Floats


def spread_figure(outcome: Outcome, crowd: Crowd, quantities: dict[str, str]) -> Figure:
    """Outline, quantiles and mean of every group; `quantities`: column of the accounts -> words."""
    currency = outcome.scenario.currency
    groupings = {name: words for name, words in GROUPINGS.items() if len(getattr(crowd, name)) > 1}
    groupings = groupings or dict(list(GROUPINGS.items())[:1])
    views: dict[str, dict[str, Any]] = {}
    differ = []
    for quantity, words in quantities.items():
        amounts = crowd.accounts[quantity].to_numpy(dtype=float)
        if np.ptp(amounts) > _ALIKE:
            differ.append(quantity)
        for grouping in groupings:
            groups: dict[str, Integers] = getattr(crowd, grouping)
            spreads = [_spread(name, amounts[rows]) for name, rows in groups.items()]
            views[f"{quantity}|{grouping}"] = {
                "data": _traces(spreads, quantity, currency),
                "layout": _layout(spreads, words, currency),
                "note": _note(spreads, words, currency),
            }
    # Where a rule gives everybody the same, something else is shown first.
    first, grouping = (differ or list(quantities))[0], next(iter(groupings))
    shown = tuple(Option(key, words) for key, words in quantities.items())
    by = tuple(Option(key, words) for key, words in groupings.items())
    return Figure(
        name="spread-figure",
        words="Distribution of an amount over the buildings, group by group",
        data=[],
        layout=views[f"{first}|{grouping}"]["layout"],
        choices=(Choice("Show", "buttons", shown, first), Choice("by", "buttons", by, grouping)),
        views=views,
    )


def _spread(name: str, amounts: Floats) -> Spread:
    quantiles = np.quantile(amounts, _QUANTILES)
    edges = density = np.zeros(0)
    low, high = quantiles[0], quantiles[-1]
    if high - low > _ALIKE and len(amounts) > 1:
        if len(amounts) < _FEW:
            low, high = amounts.min(), amounts.max()
        bins = int(np.clip(np.sqrt(len(amounts)), 6, _BINS))
        counts, edges = np.histogram(amounts, bins=bins, range=(low, high))
        smooth = np.convolve(counts, _BELL, mode="same")
        density = smooth / (len(amounts) * (edges[1] - edges[0]))
    return Spread(name, len(amounts), quantiles, float(amounts.mean()), edges, density)


def _traces(spreads: list[Spread], quantity: str, currency: str) -> list[Trace]:
    """The first group stands at the top."""
    rows = [len(spreads) - 1 - place for place in range(len(spreads))]
    highest = max((float(one.density.max()) for one in spreads if len(one.density)), default=1.0)
    outlines = [
        _outline(one, row, highest, quantity) for one, row in zip(spreads, rows) if len(one.density)
    ]
    return [
        *outlines,
        _bars(spreads, rows, (1, 5), 2, "5–95 % of the group", INK),
        _bars(spreads, rows, (2, 4), 9, "25–75 %", SKY),
        _marks(spreads, rows, currency),
        _means(spreads, rows, currency),
    ]


def _outline(one: Spread, row: int, highest: float, quantity: str) -> Trace:
    """Each outline has the same height, for the groups differ in width by orders of magnitude."""
    middles = (one.edges[:-1] + one.edges[1:]) / 2
    own = float(one.density.max())
    height = row + 0.16 + _HEIGHT * one.density / own
    colour = GREEN if quantity == "saving" else BLUE
    x = [one.edges[0], *middles, one.edges[-1], one.edges[0]]
    y = [row + 0.16, *height, row + 0.16, row + 0.16]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": rounded(x, 4),
        "y": rounded(y, 4),
        "fill": "toself",
        "fillcolor": f"{colour}33",
        "line": {"color": colour, "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _bars(
    spreads: list[Spread],
    rows: list[int],
    ends: tuple[int, int],
    width: int,
    name: str,
    colour: str,
) -> Trace:
    x: list[float | None] = []
    y: list[float | None] = []
    for one, row in zip(spreads, rows):
        x += [*rounded(one.quantiles[list(ends)], 4), None]
        y += [row, row, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": colour, "width": width},
        "hoverinfo": "skip",
    }


def _marks(spreads: list[Spread], rows: list[int], currency: str) -> Trace:
    words = []
    for one in spreads:
        listed = "<br>".join(
            f"{share:.0%}: {money(float(value), currency)}"
            for share, value in zip(_QUANTILES, one.quantiles)
        )
        words.append(f"<b>{text(one.name)}</b>, {number(one.count, 0)} buildings<br>{listed}")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "median",
        "x": rounded([one.quantiles[3] for one in spreads], 4),
        "y": rows,
        "marker": {"symbol": "line-ns", "size": 15, "line": {"color": INK, "width": 3}},
        "hovertext": words,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _means(spreads: list[Spread], rows: list[int], currency: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "mean",
        "x": rounded([one.mean for one in spreads], 4),
        "y": rows,
        "marker": {"symbol": "diamond", "size": 8, "color": VERMILLION},
        "hovertext": [
            f"<b>{text(one.name)}</b><br>mean {money(one.mean, currency)}" for one in spreads
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _layout(spreads: list[Spread], words: str, currency: str) -> dict[str, Any]:
    rows = len(spreads)
    ends = [(*one.quantiles[[0, -1]], one.mean, *one.edges[:1], *one.edges[-1:]) for one in spreads]
    low = min(0.0, *(float(min(each)) for each in ends))
    high = max(0.0, *(float(max(each)) for each in ends))
    room = 0.03 * max(high - low, _ALIKE)
    names = [f"{text(one.name)} ({number(one.count, 0)})" for one in reversed(spreads)]
    return layout(
        110 + 74 * rows,
        hovermode="closest",
        xaxis=axis(
            f"{words} of a building [{currency}]", range=rounded([low - room, high + room], 4)
        ),
        yaxis=axis(
            "",
            tickvals=list(range(rows)),
            ticktext=names,
            range=[-0.35, rows - 0.1],
            zeroline=False,
            ticks="",
        ),
        margin={"l": 64, "r": 24, "t": 44, "b": 48},
    )


def _note(spreads: list[Spread], words: str, currency: str) -> str:
    alike = [one for one in spreads if not len(one.density)]
    if len(alike) == len(spreads):
        low, high = (float(f(one.quantiles[3] for one in spreads)) for f in (min, max))
        if high - low <= _ALIKE:
            return f"The {words} is the same for every building: {money(high, currency)}."
    return (
        "Each outline is the density of its group between the lowest and the highest hundredth, "
        "all of the same height. Point at a median for the numbers."
    )
