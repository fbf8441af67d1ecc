"""Prices: by bus and slot beneath the utility's tariff, or one line where there is no feeder."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.inputs import tariff
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.style import BLUE, SKY, TWO_SIDES, VERMILLION, axis, layout, panel_title
from nashgrid.runs.report.words import number, rounded

_UNIFORM = 1e-4
# Prices, and differences to the median price.
_COLOURS: dict[bool, dict[str, Any]] = {
    False: {"colorscale": "Cividis"},
    True: {"colorscale": TWO_SIDES, "zmid": 0},
}


def price_section(outcome: Outcome) -> Section:
    """Section 2: the prices of the last case."""
    clock, rates = Clock(outcome.scenario.horizon), tariff(outcome.scenario)
    case = cases_of(outcome)[-1]
    prices = outcome.prices[outcome.prices["case"] == case]
    table = prices.pivot(index="bus", columns="slot", values="price_per_kwh").sort_index()
    build = _line_figure if outcome.scenario.feeder is None else _heat_figure
    figure = build(outcome, clock, rates, table)
    body = _sentences(outcome, case, table, clock)
    title = "Prices" if outcome.scenario.feeder is None else "Prices, bus by bus"
    return Section("prices", "Prices", title, body, (figure,))


def tariff_lines(rates: Tariff, clock: Clock, **place: str) -> list[Trace]:
    """What the utility sells and buys at, as steps."""
    lines = (
        ("utility sells (retail)", rates.retail_price_per_kwh, VERMILLION, "dash"),
        ("utility buys (feed-in)", rates.feed_in_price_per_kwh, SKY, "dot"),
    )
    return [
        trace
        for name, values, colour, dash in lines
        for trace in clock.steps(
            rounded(values, 6),
            {"color": colour, "width": 2, "dash": dash},
            name=name,
            hovertemplate="%{y:.4f}",
            **place,
        )
    ]


def price_line(name: str, values: Floats, clock: Clock, width: float, **place: str) -> list[Trace]:
    """A price of the community, as steps."""
    line = {"color": BLUE, "width": width}
    return clock.steps(rounded(values, 6), line, name=name, hovertemplate="%{y:.4f}", **place)


def _line_figure(outcome: Outcome, clock: Clock, rates: Tariff, table: pd.DataFrame) -> Figure:
    unit = f"{outcome.scenario.currency}/kWh"
    data = tariff_lines(rates, clock)
    if cases_of(outcome)[-1] != UTILITY_ONLY:
        price = table.iloc[0].to_numpy(dtype=float)
        data += price_line("price of the community", price, clock, 3.5)
    return Figure(
        name="prices-figure",
        words="Price of every slot, between feed-in and retail price",
        data=data,
        layout=layout(
            360,
            xaxis=clock.axis(),
            yaxis=axis(f"price [{unit}]", rangemode="tozero"),
            hovermode="x unified",
        ),
    )


def _heat_figure(outcome: Outcome, clock: Clock, rates: Tariff, table: pd.DataFrame) -> Figure:
    trading = cases_of(outcome)[-1] != UTILITY_ONLY
    unit = f"{outcome.scenario.currency}/kWh"
    what = "price" if trading else "price of congestion"
    values = table.to_numpy(dtype=float)
    lines = tariff_lines(rates, clock, yaxis="y2")
    if trading:
        lines += price_line("dearest bus", values.max(axis=0), clock, 2.5, yaxis="y2")
        lines += price_line("cheapest bus", values.min(axis=0), clock, 1.2, yaxis="y2")
    surcharge = values - np.median(values, axis=0)
    shown = (
        ("price", what, what, values),
        ("surcharge", "what a bus pays more than the median bus", "surcharge", surcharge),
    )
    views: dict[str, dict[str, Any]] = {
        key: {
            "data": [_heat(table.index, part, label, unit, clock), *lines],
            "layout": _heat_layout(table.index, words, unit, clock),
        }
        for key, words, label, part in (shown if trading else shown[:1])
    }
    options = (Option("price", "price"), Option("surcharge", "difference to the median bus"))
    return Figure(
        name="prices-figure",
        words=f"The {what} at every bus and slot",
        data=views["price"]["data"],
        layout=views["price"]["layout"],
        choices=(Choice("Show", "buttons", options, "price"),) if trading else (),
        views=views if trading else {},
    )


def _heat(buses: pd.Index, values: Floats, what: str, unit: str, clock: Clock) -> Trace:
    return {
        "type": "heatmap",
        "x": clock.edges,
        "y": [f"bus {bus}" for bus in buses],
        "z": [rounded(row, 5) for row in values],
        "customdata": [clock.labels] * len(buses),
        **_COLOURS[what == "surcharge"],
        "colorbar": {
            "title": {"text": f"{what} [{unit}]", "side": "right"},
            "thickness": 14,
            "len": 0.68,
            "y": 0,
            "yanchor": "bottom",
        },
        "hovertemplate": f"<b>%{{y}}</b>, %{{customdata}}<br>{what} %{{z:.4f}} {unit}"
        "<extra></extra>",
    }


def _heat_layout(buses: pd.Index, what: str, unit: str, clock: Clock) -> dict[str, Any]:
    step = max(1, len(buses) // 34)
    ticks = {
        "tickvals": [f"bus {bus}" for bus in buses[::step]],
        "ticktext": [str(bus) for bus in buses[::step]],
        "tickfont": {"size": 11},
    }
    titles = [
        panel_title("Tariff and prices", "x", "y2"),
        panel_title(f"{what[0].upper()}{what[1:]}, bus by bus", "x", "y"),
    ]
    return layout(
        260 + max(240, min(1000, 14 * len(buses))),
        xaxis=clock.axis(anchor="y", showgrid=False),
        yaxis=axis("bus", domain=[0, 0.68], autorange="reversed", showgrid=False, **ticks),
        yaxis2=axis(f"[{unit}]", domain=[0.76, 1.0], anchor="x", rangemode="tozero"),
        hovermode="closest",
        annotations=titles,
        margin={"l": 64, "r": 16, "t": 62, "b": 48},
    )


def _sentences(outcome: Outcome, case: str, table: pd.DataFrame, clock: Clock) -> str:
    unit = f"{outcome.scenario.currency}/kWh"
    if case == UTILITY_ONLY and outcome.scenario.feeder is None:
        return "<p>Everybody pays the utility's tariff.</p>"
    if case == UTILITY_ONLY:
        return (
            "<p>Everybody pays the utility's tariff. Where the wires are full, a price of "
            "congestion keeps the schedules within their limits; it is a signal, nobody pays it. "
            f"It reaches {number(float(table.to_numpy().max()), 4)} {unit}.</p>"
        )
    spread = table.max() - table.min()
    slot = int(spread.to_numpy().argmax())
    words = (
        f"<p>Prices lie between {number(float(table.to_numpy().min()), 4)} and "
        f"{number(float(table.to_numpy().max()), 4)} {unit}. "
    )
    if len(table) == 1:
        return (
            words + "Where the community has more than it needs, the price tends to the feed-in "
            "price; where it has to buy from the utility, to the retail price.</p>"
        )
    if float(spread.max()) <= _UNIFORM:
        return words + "They are the same at every bus: no limit of the wires binds.</p>"
    dear, cheap = table.iloc[:, slot].idxmax(), table.iloc[:, slot].idxmin()
    return (
        words + "Where they differ between buses at one time, wires or voltages are at their "
        "limit, or losses cost: one more kilowatt-hour is worth more behind the bottleneck. Where "
        "the agents of a bus are at their own limits, its price may not be unique. Prices differ "
        f"most at {clock.labels[slot]}: "
        f"{number(float(table.iloc[:, slot].max()), 4)} {unit} at bus {dear}, "
        f"{number(float(table.iloc[:, slot].min()), 4)} at bus {cheap}.</p>"
    )
