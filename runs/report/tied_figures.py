"""Figures of two feeders with a tie: the flow, prices bus by bus, and who saves."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.topics import TRADING
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.comparison_matrices import DIVERGING
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import BLUE, INK, ORANGE, PURPLE, SKY, axis, layout, panel_title
from nashgrid.runs.report.words import rounded, text
from nashgrid.runs.scenario import UTILITY
from nashgrid.runs.tied.market import TiedOutcome
from nashgrid.runs.tied.tables import SCENARIO

_WITH, _WITHOUT, _CHANGE = "with", "without", "change"
_SHOWN = {_WITH: "with the tie", _WITHOUT: "without the tie", _CHANGE: "what the tie changes"}


def flow_figure(outcome: TiedOutcome) -> Figure:
    """What flows over the tie, and the prices that it flows between."""
    clock = Clock(outcome.scenarios[0].horizon)
    unit = f"{outcome.scenarios[0].currency}/kWh"
    return Figure(
        name="flow-figure",
        words="Flow over the tie in every slot with its limit, and the prices at its ends",
        data=[*_flow(outcome, clock), *_prices_at_ends(outcome, clock)],
        layout=layout(
            560,
            xaxis=clock.axis(anchor="y2"),
            yaxis=axis("flow [kW]", domain=[0.56, 1.0]),
            yaxis2=axis(f"price [{unit}]", domain=[0.0, 0.44], anchor="x", rangemode="tozero"),
            hovermode="x unified",
            annotations=[panel_title("Flow", "x", "y"), panel_title("Prices", "x", "y2")],
            margin={"l": 64, "r": 24, "t": 84, "b": 48},
        ),
    )


def _flow(outcome: TiedOutcome, clock: Clock) -> list[Trace]:
    """The flow as bars between its limits."""
    first, second = (text(scenario.name) for scenario in outcome.scenarios)
    limit, hover = outcome.link.limit_kw, "%{y:.1f} kW"
    bars: Trace = {
        "type": "bar",
        **clock.per_slot,
        "y": rounded(outcome.tie["flow_kw"], 3),
        "name": f"flow from {first} to {second}",
        "marker": {"color": BLUE},
        "hovertemplate": hover,
    }
    limits = [
        clock.steps(
            [bound] * clock.slots,
            {"color": INK, "width": 1.5, "dash": "dash"},
            name=f"limit, {limit:g} kW either way",
            legendgroup="limit",
            showlegend=bound > 0,
            hovertemplate=hover,
        )[0]
        for bound in (limit, -limit)
    ]
    return [bars, *limits]


def _prices_at_ends(outcome: TiedOutcome, clock: Clock) -> list[Trace]:
    """Where the tie begins, of the flow, and where it ends."""
    first, second = (text(scenario.name) for scenario in outcome.scenarios)
    lines = (
        (f"bus {outcome.link.second_bus} of {second}", "second_price_per_kwh", ORANGE, "solid"),
        ("price of the flow", "price_per_kwh", PURPLE, "dot"),
        (f"bus {outcome.link.first_bus} of {first}", "first_price_per_kwh", SKY, "solid"),
    )
    return [
        trace
        for name, column, colour, dash in lines
        for trace in clock.steps(
            rounded(outcome.tie[column], 6),
            {"color": colour, "width": 2.5, "dash": dash},
            name=name,
            hovertemplate="%{y:.4f}",
            yaxis="y2",
        )
    ]


def prices_figure(outcome: TiedOutcome) -> Figure:
    """Prices of both feeders at every bus and slot, with the tie and without."""
    clock, unit = Clock(outcome.scenarios[0].horizon), f"{outcome.scenarios[0].currency}/kWh"
    views: dict[str, dict[str, Any]] = {}
    for number, scenario in enumerate(outcome.scenarios):
        for key, table in _prices(outcome, number).items():
            words = f"{text(scenario.name)}, {_SHOWN[key]}"
            views[f"{number}|{key}"] = {
                "data": [_heat(table, key, unit, clock)],
                "layout": _heat_layout(table.index, words, clock),
                "note": "Blue: dearer with the tie; orange: cheaper." if key == _CHANGE else "",
            }
    feeders = tuple(Option(str(n), one.name) for n, one in enumerate(outcome.scenarios))
    shown = tuple(
        Option(key, words)
        for key, words in _SHOWN.items()
        if all(f"{feeder.key}|{key}" in views for feeder in feeders)
    )
    opening = views[f"0|{_WITH}"]
    return Figure(
        name="prices-figure",
        words="The price at every bus and slot of either feeder",
        data=opening["data"],
        layout=opening["layout"],
        choices=(
            Choice("Feeder", "buttons", feeders, "0"),
            Choice("Show", "buttons", shown, _WITH),
        ),
        views=views,
    )


def savings_figure(outcome: TiedOutcome) -> Figure:
    """What everybody saves by the tie, feeder by feeder."""
    currency = outcome.scenarios[0].currency
    views: dict[str, dict[str, Any]] = {}
    for number, scenario in enumerate(outcome.scenarios):
        accounts = outcome.accounts
        own = accounts[(accounts[SCENARIO] == scenario.name) & (accounts["kind"] != UTILITY)]
        own = own.sort_values("saving", kind="stable")
        views[str(number)] = {
            "data": [_bars(own, currency)],
            "layout": layout(
                140 + 22 * len(own),
                xaxis=axis(f"saving [{currency}]", zerolinewidth=2),
                yaxis=axis("", showgrid=False, tickfont={"size": 12}),
                margin={"l": 150, "r": 24, "t": 24, "b": 48},
            ),
        }
    options = tuple(Option(str(n), one.name) for n, one in enumerate(outcome.scenarios))
    return Figure(
        name="savings-figure",
        words="What every agent and the operator of a feeder save by the tie",
        data=views["0"]["data"],
        layout=views["0"]["layout"],
        choices=(Choice("Feeder", "buttons", options, "0"),),
        views=views,
    )


def _bars(own: pd.DataFrame, currency: str) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "x": rounded(own["saving"], 4),
        "y": [text(str(name)) for name in own["agent"]],
        "marker": {"color": [BLUE if saving >= 0 else ORANGE for saving in own["saving"]]},
        "hovertemplate": f"<b>%{{y}}</b>: %{{x:,.2f}} {currency}<extra></extra>",
    }


def _prices(outcome: TiedOutcome, number: int) -> dict[str, pd.DataFrame]:
    """Bus x slot of one feeder: with the tie, and where there is a market without, that too."""
    scenario, alone = outcome.scenarios[number], outcome.alone[number]
    prices = outcome.prices
    tied = _by_bus(prices[prices[SCENARIO] == scenario.name])
    if alone is None:
        return {_WITH: tied}
    without = _by_bus(alone.prices[alone.prices["case"] == TRADING])
    # The terminal of the tie is a bus of one of the two alone.
    common = tied.loc[without.index]
    return {_WITH: tied, _WITHOUT: without, _CHANGE: common - without}


def _by_bus(prices: pd.DataFrame) -> pd.DataFrame:
    return prices.pivot(index="bus", columns="slot", values="price_per_kwh").sort_index()


def _heat(table: pd.DataFrame, key: str, unit: str, clock: Clock) -> Trace:
    scale = {"colorscale": DIVERGING, "zmid": 0} if key == _CHANGE else {"colorscale": "Cividis"}
    what = "change" if key == _CHANGE else "price"
    return {
        "type": "heatmap",
        "x": clock.edges,
        "y": [f"bus {bus}" for bus in table.index],
        "z": [rounded(row, 5) for row in table.to_numpy(float)],
        "customdata": [clock.labels] * len(table),
        **scale,
        "colorbar": {"title": {"text": f"{what} [{unit}]", "side": "right"}, "thickness": 14},
        "hovertemplate": f"<b>%{{y}}</b>, %{{customdata}}<br>{what} %{{z:.4f}} {unit}"
        "<extra></extra>",
    }


def _heat_layout(buses: pd.Index, words: str, clock: Clock) -> dict[str, Any]:
    step = max(1, len(buses) // 34)
    ticks = {
        "tickvals": [f"bus {bus}" for bus in buses[::step]],
        "ticktext": [str(bus) for bus in buses[::step]],
        "tickfont": {"size": 11},
    }
    return layout(
        200 + int(np.clip(14 * len(buses), 180, 1000)),
        xaxis=clock.axis(anchor="y", showgrid=False),
        yaxis=axis("bus", autorange="reversed", showgrid=False, **ticks),
        hovermode="closest",
        annotations=[panel_title(words, "x", "y")],
        margin={"l": 64, "r": 16, "t": 40, "b": 48},
    )
