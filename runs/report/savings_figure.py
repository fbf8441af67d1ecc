"""Savings, payments and costs as bars: by agent, by kind, by community."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import (
    BLUE,
    DARK_GREY,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    VERMILLION,
    axis,
    layout,
    panel_title,
)
from nashgrid.runs.report.words import number, rounded, text
from nashgrid.runs.scenario import UTILITY

GROUPS = {
    "agent": "each agent",
    "kind": "by kind of agent",
    "community": "by community",
}
MATTERS = 0.005
"""Amounts below half a cent are numerical noise to a reader [currency]."""

_TITLES = {
    "saving": "Saving",
    "payment": "Payment: pays +, receives −",
    "cost": "Cost before and after",
}
_DOMAINS = {2: ([0.0, 0.46], [0.54, 1.0]), 3: ([0.0, 0.28], [0.33, 0.65], [0.70, 1.0])}


def savings_figure(outcome: Outcome) -> Figure:
    """Panels of saving, payment and cost; without trading there is nothing to save."""
    accounts = _shown(outcome)
    panels = ["payment", "cost"]
    if market_named(outcome.market).has_trading:
        panels.insert(0, "saving")
    groups = [group for group in GROUPS if group == "agent" or accounts[group].nunique() > 1]
    if outcome.scenario.population is not None and not outcome.scenario.agents:
        groups = [group for group in groups if group != "agent"] or ["kind"]
    views: dict[str, dict[str, Any]] = {}
    for group in groups:
        sums = _grouped(accounts, group)
        views[group] = {
            "data": _traces(sums, panels, outcome.scenario.currency),
            "layout": _layout(sums, panels, outcome.scenario.currency),
        }
    options = tuple(Option(group, GROUPS[group]) for group in groups)
    return Figure(
        name="savings-figure",
        words="Bars of saving and payment, and cost before and after",
        data=[],
        layout=views[groups[0]]["layout"],
        choices=(Choice("Show", "buttons", options, groups[0]),),
        views=views,
    )


def _shown(outcome: Outcome) -> pd.DataFrame:
    """The players, and an operator whose account moves; of a population a kind for an agent."""
    accounts = outcome.accounts
    names = ["agent", "kind", "community"]
    coded = {name: accounts[name].astype(str) for name in names}
    own = accounts.assign(**coded)
    if outcome.scenario.population is not None:
        first = len(outcome.scenario.agents)
        drawn = np.arange(len(own)) - first < outcome.scenario.population.count
        drawn[:first] = False
        own["agent"] = own["agent"].mask(drawn, "population: " + own["kind"])
    own = own[own["kind"] != UTILITY]
    own = own[(own["weight"] > 0) | (own["saving"].abs() >= MATTERS)]
    own["community"] = own["community"].where(own["community"] != "", own["agent"])
    return own


def _grouped(accounts: pd.DataFrame, group: str) -> pd.DataFrame:
    """Sums by group, least saving first: the first bar is drawn at the bottom."""
    columns = ["cost_before", "payment", "cost_after", "saving"]
    grouped = accounts.groupby(group, sort=False, observed=True)
    sums = grouped[columns].sum()
    sums["agents"] = grouped.size()
    sums["rounded"] = sums["saving"].round(2)
    return sums.sort_values(["rounded", "cost_before"], kind="stable")


def _traces(sums: pd.DataFrame, panels: list[str], currency: str) -> list[Trace]:
    names = [
        text(str(name)) + (f" ({number(int(count), 0)})" if count > 1 else "")
        for name, count in sums["agents"].items()
    ]
    traces: list[Trace] = []
    for place, panel in enumerate(panels, start=1):
        own = _dumbbells(sums, names, panels, currency)
        if panel != "cost":
            own = [_bars(names, rounded(sums[panel], 4), panel, currency)]
        traces += [trace | {"xaxis": f"x{place}" if place > 1 else "x"} for trace in own]
    return traces


def _bars(names: list[str], values: list[float], panel: str, currency: str) -> Trace:
    good, bad = (GREEN, VERMILLION) if panel == "saving" else (ORANGE, BLUE)
    return {
        "type": "bar",
        "orientation": "h",
        "name": panel,
        "y": names,
        "x": values,
        "marker": {"color": [good if value >= -MATTERS else bad for value in values]},
        "text": [_label(value) for value in values],
        "textposition": "outside",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "showlegend": False,
        "hovertemplate": f"%{{y}}<br>{panel} %{{x:,.2f}} {currency}<extra></extra>",
    }


def _label(value: float) -> str:
    if abs(value) < 1:
        return number(value, 3)
    return number(value, 2 if abs(value) < 100 else 0)


def _dumbbells(
    sums: pd.DataFrame, names: list[str], panels: list[str], currency: str
) -> list[Trace]:
    before, after = rounded(sums["cost_before"], 4), rounded(sums["cost_after"], 4)
    if "saving" not in panels:
        return [_dots(names, after, "cost", "circle", BLUE, currency)]
    pairs = [(y, x) for y, b, a in zip(names, before, after) for x in (b, a, None)]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [x for _, x in pairs],
            "y": [y for y, _ in pairs],
            "line": {"color": LIGHT_GREY, "width": 3},
            "hoverinfo": "skip",
            "showlegend": False,
        },
        _dots(names, before, "cost before", "circle-open", DARK_GREY, currency),
        _dots(names, after, "cost after", "circle", BLUE, currency),
    ]


def _dots(
    names: list[str], values: list[float], name: str, mark: str, colour: str, currency: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": values,
        "y": names,
        "marker": {"symbol": mark, "color": colour, "size": 9, "line": {"width": 2}},
        "hovertemplate": f"%{{y}}<br>{name} %{{x:,.2f}} {currency}<extra></extra>",
    }


def _room(values: pd.Series) -> list[float]:
    """A range with room for the labels at the ends of the bars."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.22 * max(high - low, 2 * MATTERS)
    return rounded([low - room if low < 0 else 0.0, high + room], 6)


def _layout(sums: pd.DataFrame, panels: list[str], currency: str) -> dict[str, Any]:
    bars = max(len(sums), 3)
    more: dict[str, Any] = {}
    titles = []
    for place, (panel, domain) in enumerate(
        zip(panels, _DOMAINS[len(panels)], strict=True), start=1
    ):
        ending = str(place) if place > 1 else ""
        room = {} if panel == "cost" else {"range": _room(sums[panel])}
        more[f"xaxis{ending}"] = axis(
            f"{panel} [{currency}]", domain=domain, anchor="y", nticks=5, **room
        )
        words = _TITLES[panel] if "saving" in panels or panel != "cost" else "Cost"
        titles.append(panel_title(words, f"x{ending}", "y"))
    return layout(
        130 + 24 * bars,
        bargap=0.3,
        hovermode="closest",
        yaxis=axis("", type="category", ticks="", showgrid=False, range=[-0.6, bars - 0.4]),
        annotations=titles,
        margin={"l": 64, "r": 24, "t": 66, "b": 48},
        **more,
    )
