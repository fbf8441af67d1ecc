"""What prices are made of: over the day at one bus, and over the buses at one time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.style import BLUE, GREEN, INK, ORANGE, VERMILLION, axis, layout
from nashgrid.runs.report.words import number, rounded

ADDED = (
    ("loss", "losses", ORANGE),
    ("congestion", "lines at their limit", VERMILLION),
    ("voltage", "voltages", GREEN),
)
"""What comes on top of the energy: part, words, colour."""
_DIGITS = 6


class _Parts:
    """Prices and parts of the last case, (T, B)."""

    def __init__(self, outcome: Outcome) -> None:
        case = cases_of(outcome)[-1]
        parts = outcome.price_parts[outcome.price_parts["case"] == case]
        prices = outcome.prices[outcome.prices["case"] == case]
        self.price = _by_slot(prices, "price_per_kwh")
        self.energy = _by_slot(parts, "energy_per_kwh")
        self.added = {part: _by_slot(parts, f"{part}_per_kwh") for part, _, _ in ADDED}
        self.buses = [int(bus) for bus in sorted(parts["bus"].unique())]

    @property
    def wires(self) -> Floats:
        """What the wires add, taken positive."""
        return np.asarray(sum(np.abs(values) for values in self.added.values()))


def price_parts_section(outcome: Outcome) -> Section | None:
    """The prices of the last case in parts; none without a feeder."""
    if outcome.scenario.feeder is None:
        return None
    parts, clock = _Parts(outcome), Clock(outcome.scenario.horizon)
    unit = f"{outcome.scenario.currency}/kWh"
    figures = _over_the_day(parts, clock, unit), _over_the_buses(parts, clock, unit)
    body = (
        "<p>A price is the value of energy where the feeder begins, and what the wires add: the "
        "losses that one more kilowatt-hour causes, and the limits of lines and voltages on its "
        "way. The parts are found from the multipliers of the limits, apart from the price; the "
        f"certificate says how well they sum to it. {_most(parts, clock, unit)}</p>"
    )
    return Section("price-parts", "Price parts", "What prices are made of", body, figures)


def _most(parts: _Parts, clock: Clock, unit: str) -> str:
    """Where each part is largest."""
    found = []
    for part, words, _ in ADDED:
        values = parts.added[part]
        slot, at = np.unravel_index(int(np.abs(values).argmax()), values.shape)
        if abs(values[slot, at]) > 10.0**-_DIGITS:
            found.append(
                f"{words} {number(float(values[slot, at]), 4)} {unit} at bus {parts.buses[at]}, "
                f"{clock.labels[int(slot)]}"
            )
    return f"Most is added by {'; '.join(found)}." if found else "Here the wires add nothing."


def _over_the_day(parts: _Parts, clock: Clock, unit: str) -> Figure:
    busiest = int(parts.wires.sum(axis=0).argmax())
    views = {
        str(bus): {"changes": [[0, {"y": _values(parts, np.s_[:, at], steps=True)}]]}
        for at, bus in enumerate(parts.buses)
    }
    options = tuple(Option(str(bus), f"bus {bus}") for bus in parts.buses)
    chosen = str(parts.buses[busiest])
    values = _values(parts, np.s_[:, busiest], steps=True)
    step: Trace = {"type": "scatter", "mode": "lines", "x": clock.edges}
    lines: list[Trace] = [
        step | {"line": {"color": BLUE, "width": 2, "dash": "dot", "shape": "hv"}},
        step | {"line": {"color": INK, "width": 3, "shape": "hv"}},
    ]
    return Figure(
        name="parts-day-figure",
        words="The parts of the price at one bus, slot by slot",
        data=_traces(lines, clock.per_slot, values),
        layout=_layout(clock.axis(anchor="y2"), unit),
        choices=(Choice("At", "list", options, chosen),),
        views=views,
    )


def _over_the_buses(parts: _Parts, clock: Clock, unit: str) -> Figure:
    busiest = int(parts.wires.sum(axis=1).argmax())
    views = {
        str(slot): {"changes": [[0, {"y": _values(parts, np.s_[slot, :], steps=False)}]]}
        for slot in range(clock.slots)
    }
    options = tuple(Option(str(slot), label) for slot, label in enumerate(clock.labels))
    names = [str(bus) for bus in parts.buses]
    mark: Trace = {"type": "scatter", "mode": "lines", "x": names}
    lines: list[Trace] = [
        mark | {"line": {"color": BLUE, "width": 2, "dash": "dot"}},
        mark
        | {
            "mode": "markers",
            "marker": {"color": INK, "size": 11, "symbol": "line-ew-open", "line": {"width": 3}},
        },
    ]
    values = _values(parts, np.s_[busiest, :], steps=False)
    return Figure(
        name="parts-bus-figure",
        words="The parts of the price at every bus, at one time",
        data=_traces(lines, {"x": names}, values),
        layout=_layout(axis("bus", type="category", anchor="y2", showgrid=False), unit),
        choices=(Choice("Time", "slider", options, str(busiest)),),
        views=views,
    )


def _values(parts: _Parts, at: Any, steps: bool) -> list[list[float]]:
    """Energy, price and the added parts of one bus or one slot; lines in steps need both ends."""
    lines = [rounded(table[at], _DIGITS) for table in (parts.energy, parts.price)]
    bars = [rounded(table[at], _DIGITS) for table in parts.added.values()]
    return [[*line, line[-1]] if steps else line for line in lines] + bars


def _traces(
    lines: Sequence[Trace], place: dict[str, Any], values: Sequence[Sequence[float]]
) -> list[Trace]:
    named: list[Trace] = [
        line | {"name": name, "hovertemplate": "%{y:.5f}", "yaxis": "y"}
        for line, name in zip(lines, ("energy upstream", "price"), strict=True)
    ]
    named += [
        {
            "type": "bar",
            "name": words,
            "marker": {"color": colour},
            "hovertemplate": "%{y:.5f}",
            "yaxis": "y2",
            **place,
        }
        for _, words, colour in ADDED
    ]
    return [trace | {"y": list(own)} for trace, own in zip(named, values, strict=True)]


def _layout(across: dict[str, Any], unit: str) -> dict[str, Any]:
    return layout(
        460,
        xaxis=across,
        yaxis=axis(f"price [{unit}]", domain=[0.56, 1.0], rangemode="tozero"),
        yaxis2=axis(f"the wires add [{unit}]", domain=[0.0, 0.46]),
        barmode="relative",
        hovermode="x unified",
        margin={"l": 72, "r": 16, "t": 44, "b": 48},
    )


def _by_slot(rows: pd.DataFrame, column: str) -> Floats:
    table = rows.pivot(index="slot", columns="bus", values=column).sort_index().sort_index(axis=1)
    return np.asarray(table.to_numpy(dtype=float))
