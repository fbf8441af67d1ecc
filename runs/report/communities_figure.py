"""What a community buys and sells over the day, level by level, before and after trading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.device_kinds import drawn
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace, one_legend_entry_each
from nashgrid.runs.report.panels import panels
from nashgrid.runs.report.style import BLUE, DARK_GREY, GREEN, INK, layout
from nashgrid.runs.report.words import number, rounded, text

BEFORE, AFTER = "before", "after"
_PANELS = {BEFORE: "before trading", AFTER: "after trading"}
_LEVELS = (
    ("inside", "inside the community", GREEN),
    ("between", "between communities", BLUE),
    ("rest", "with the rest", DARK_GREY),
)


@dataclass(frozen=True)
class Split:
    """Energy of n agents over T slots, by level; positive where an agent buys [kWh].

    Parameters
    ----------
    inside, between, rest : (n, T)
    """

    inside: Floats
    between: Floats
    rest: Floats

    def of(self, members: Integers) -> "Split":
        """That of some of the agents."""
        return Split(self.inside[members], self.between[members], self.rest[members])

    @property
    def net(self) -> Floats:
        """(T,) what they buy in all."""
        return np.asarray((self.inside + self.between + self.rest).sum(axis=0))

    def bought(self, level: str) -> Floats:
        """(T,) what those buy who buy."""
        return np.asarray(np.maximum(getattr(self, level), 0.0).sum(axis=0))

    def sold(self, level: str) -> Floats:
        """(T,) what those sell who sell, above zero."""
        return np.asarray(np.maximum(-getattr(self, level), 0.0).sum(axis=0))


def communities_figure(
    names: list[str], community: Integers, splits: Mapping[str, Split], clock: Clock
) -> Figure:
    """One view for each community: purchases above the axis, sales below, in two panels.

    Parameters
    ----------
    names : of the communities
    community : (n,) number of each agent's
    splits : "before" and "after"
    """
    views = {
        name: _view(
            {case: split.of(np.flatnonzero(community == number)) for case, split in splits.items()},
            clock,
            name,
        )
        for number, name in enumerate(names)
    }
    options = tuple(Option(name, name) for name in names)
    return Figure(
        name="communities-figure",
        words="Purchases and sales of the members of a community by level, before and after",
        data=[],
        layout=_layout(clock),
        choices=(Choice("Community", "list", options, names[0]),),
        views=views,
    )


def _view(splits: Mapping[str, Split], clock: Clock, name: str) -> dict[str, Any]:
    traces = [
        trace
        for column, split in enumerate(splits.values(), start=1)
        for trace in _traces(split, clock, column)
    ]
    return {
        "data": one_legend_entry_each(traces),
        "layout": _layout(clock),
        "note": _note(splits[AFTER], name),
    }


def _traces(split: Split, clock: Clock, column: int) -> list[Trace]:
    ending = str(column) if column > 1 else ""
    axes = {"xaxis": f"x{ending}", "yaxis": f"y{ending}"}
    traces: list[Trace] = []
    for level, words, colour in _LEVELS:
        for sign, kwh in ((1, split.bought(level)), (-1, split.sold(level))):
            power = drawn(sign * kwh / clock.hours)
            if not any(power):
                continue
            traces.append(
                {
                    "type": "bar",
                    "name": words,
                    "legendgroup": level,
                    **clock.per_slot,
                    "y": power,
                    "customdata": rounded(kwh / clock.hours, 2),
                    "marker": {"color": colour, "line": {"color": "#ffffff", "width": 0.5}},
                    "hovertemplate": f"{'bought' if sign == 1 else 'sold'} {words} "
                    "%{customdata:,.1f} kW<extra></extra>",
                    **axes,
                }
            )
    ink = {"color": INK, "width": 2.5}
    line = clock.steps(
        rounded(split.net / clock.hours, 3),
        ink,
        name="the community as a whole",
        hovertemplate="in all %{y:,.1f} kW<extra></extra>",
        legendgroup="net",
        **axes,
    )
    return [*traces, *line]


def _layout(clock: Clock) -> dict[str, Any]:
    return layout(
        460,
        barmode="relative",
        bargap=0,
        hovermode="x unified",
        margin={"l": 64, "r": 32, "t": 70, "b": 48},
        **panels(_PANELS, clock, "members [kW]: bought above, sold below"),
    )


def _note(split: Split, name: str) -> str:
    bought, sold = (
        {level: float(getattr(split, side)(level).sum()) for level, _, _ in _LEVELS}
        for side in ("bought", "sold")
    )
    return (
        f"<b>{text(name)}</b>: after trading its members pass {number(bought['inside'], 0)} kWh to "
        f"each other, buy {number(bought['between'], 0)} of other communities and "
        f"{number(bought['rest'], 0)} of the rest, and sell {number(sold['between'], 0)} and "
        f"{number(sold['rest'], 0)} kWh there."
    )
