"""What many buildings trade and their devices do, slot by slot, as bands of quantiles."""

from typing import Any

import numpy as np

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import case_words
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.crowd import BASE_LOAD, Crowd
from nashgrid.runs.report.device_kinds import kind_of_device
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.panels import panels
from nashgrid.runs.report.style import BLUE, INK, VERMILLION, layout
from nashgrid.runs.report.words import count, number, rounded, text

_TRADE, _ALL = "trade", "all"
_WIDE, _NARROW = "rgba(0,114,178,0.16)", "rgba(0,114,178,0.34)"
_QUANTILES = (0.95, 0.05, 0.75, 0.25, 0.5)
_LINES = (  # name, fill towards the line before, line
    ("", "", {"color": _WIDE, "width": 0.5}),
    ("5–95 % of the buildings", _WIDE, {"color": _WIDE, "width": 0.5}),
    ("", "", {"color": _NARROW, "width": 0.5}),
    ("25–75 %", _NARROW, {"color": _NARROW, "width": 0.5}),
    ("median", "", {"color": BLUE, "width": 2.5}),
    ("mean", "", {"color": VERMILLION, "width": 1.8, "dash": "dot"}),
)
_ANSWERS = ("95 %", "5 %", "75 %", "25 %", "median", "mean")


def crowd_section(outcome: Outcome, crowd: Crowd) -> Section:
    """The buildings of the population side by side, before and after trading."""
    clock, cases = Clock(outcome.scenario.horizon), case_words(outcome)
    devices = dict.fromkeys(name for case in cases for name in crowd.devices[case])
    quantities = {_TRADE: "trade", BASE_LOAD: "load that cannot shift"}
    quantities |= {name: kind_of_device(name).words for name in devices}
    groups = {_ALL: np.arange(len(crowd)), **crowd.kinds}
    views = {}
    for quantity, words in quantities.items():
        power = [_power(crowd, case, quantity) for case in cases]
        for group, rows in groups.items():
            view, shown = _view(power, rows, len(crowd))
            whose = f"{'' if group == _ALL else f'{text(group)} '}buildings"
            view["note"] = f"{number(len(rows), 0)} {whose}"
            if quantity in devices:
                view["note"] += f", {number(shown, 0)} devices: {text(words)}"
            views[f"{quantity}|{group}"] = view
    options = tuple(Option(key, words) for key, words in quantities.items())
    kinds = tuple(
        Option(group, f"{'all buildings' if group == _ALL else group} ({number(len(rows), 0)})")
        for group, rows in groups.items()
    )
    figure = Figure(
        name="crowd-figure",
        words="Quantiles of the power of many buildings in every slot, before and after trading",
        data=_traces(cases, clock),
        layout=_layout(cases, clock),
        choices=(
            Choice("Show", "buttons", options, _TRADE),
            Choice("of", "list", kinds, _ALL),
        ),
        views=views,
    )
    body = (
        f"<p>{count(len(crowd), 'building')} drawn at random, each with its own schedule. In every "
        "slot the bands hold the middle half and the middle nine tenths of them; no line is the "
        "day of one building. The trade of a building is its net load: positive when it buys. "
        "Devices count only where there are any.</p>"
    )
    return Section("buildings", "Buildings", "The buildings of the population", body, (figure,))


def _power(crowd: Crowd, case: str, quantity: str) -> tuple[Integers, Floats]:
    """Rows of the buildings and the power of each (S, T) [kW]."""
    everybody = np.arange(len(crowd))
    if quantity == _TRADE:
        return everybody, crowd.trade_kw[case]
    if quantity == BASE_LOAD:
        return everybody, crowd.base_load_kw(case)
    if quantity not in crowd.devices[case]:
        return everybody[:0], crowd.trade_kw[case][:0]
    devices = crowd.devices[case][quantity]
    return devices.owner, devices.power_kw


def _view(
    power: list[tuple[Integers, Floats]], rows: Integers, total: int
) -> tuple[dict[str, Any], int]:
    """New heights of all lines and marks, and how many devices there are."""
    chosen = np.zeros(total, dtype=bool)
    chosen[rows] = True
    own = [kw[chosen[owner]] for owner, kw in power]
    answers = [line for kw in own for line in _statistics(kw)]
    lines = [[*line, *line[-1:]] for line in answers]
    return {"changes": [[0, {"y": [*lines, *answers]}]]}, max(map(len, own))


def _statistics(power_kw: Floats) -> list[list[float]]:
    """Quantiles and mean of every slot; nothing of nobody."""
    if not len(power_kw):
        return [[] for _ in _LINES]
    found = [*np.quantile(power_kw, _QUANTILES, axis=0), power_kw.mean(axis=0)]
    return [rounded(line, 3) for line in found]


def _traces(cases: dict[str, str], clock: Clock) -> list[Trace]:
    """First the lines of all panels, then the silent marks that answer."""
    lines: list[Trace] = []
    marks: list[Trace] = []
    nothing = [0.0] * clock.slots
    for column in range(1, len(cases) + 1):
        ending = str(column) if column > 1 else ""
        place = {"xaxis": f"x{ending}", "yaxis": f"y{ending}"}
        for (name, fill, line), answer in zip(_LINES, _ANSWERS, strict=True):
            drawn, mark = clock.steps(
                nothing, dict(line), name=answer, hovertemplate=f"{answer} %{{y:,.2f}} kW"
            )
            filled = {"fill": "tonexty", "fillcolor": fill} if fill else {}
            shown = bool(name) and column == 1
            lines.append(drawn | place | filled | {"name": name, "showlegend": shown})
            marks.append(
                mark | place | {"hovertemplate": f"{answer} %{{y:,.2f}} kW<extra></extra>"}
            )
            marks[-1]["marker"] = {"size": 8, "opacity": 0, "color": INK}
    return [*lines, *marks]


def _layout(cases: dict[str, str], clock: Clock) -> dict[str, Any]:
    return layout(
        460,
        hovermode="x unified",
        margin={"l": 64, "r": 32, "t": 70, "b": 48},
        **panels(cases, clock, "power of each [kW]"),
    )
