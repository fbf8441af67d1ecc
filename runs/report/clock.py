"""The slots of a horizon on a time axis."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nashgrid.runs.inputs import slot_starts
from nashgrid.runs.report.figure import Trace
from nashgrid.runs.report.style import axis
from nashgrid.runs.scenario import HorizonEntry

_DAY_HOURS = 36


class Clock:
    """Times of a horizon as plotly wants them."""

    def __init__(self, horizon: HorizonEntry) -> None:
        self.slots = horizon.slots
        self.hours = horizon.slot_hours
        length = timedelta(minutes=horizon.slot_minutes)
        starts = slot_starts(horizon)
        self.one_day = horizon.slots * horizon.slot_hours <= _DAY_HOURS
        form = "%H:%M" if self.one_day else "%a %d %b %H:%M"
        self.starts = [start.isoformat(timespec="seconds") for start in starts]
        self.ends = [(start + length).isoformat(timespec="seconds") for start in starts]
        self.edges = [*self.starts, self.ends[-1]]
        self.labels = [f"{start:{form}}–{start + length:%H:%M}" for start in starts]
        self.milliseconds = horizon.slot_minutes * 60_000

    @property
    def per_slot(self) -> dict[str, Any]:
        """What a trace with one value per slot needs: drawn in the middle, named by its start."""
        return {
            "x": self.starts,
            "xperiod": self.milliseconds,
            "xperiod0": self.starts[0],
            "xperiodalignment": "middle",
        }

    def steps(self, values: Sequence[float], line: dict[str, Any], **common: Any) -> list[Trace]:
        """A quantity that is constant in every slot: its line, and silent marks that answer.

        The line runs from edge to edge; pointing at a slot finds the mark in its middle.
        """
        hover = common.pop("hovertemplate")
        drawn = {
            "type": "scatter",
            "mode": "lines",
            "x": self.edges,
            "y": [*values, values[-1]],
            "line": line | {"shape": "hv"},
            "hoverinfo": "skip",
        }
        answering = {
            "type": "scatter",
            "mode": "markers",
            **self.per_slot,
            "y": list(values),
            "marker": {"size": 8, "opacity": 0, "color": line["color"]},
            "hovertemplate": hover,
        }
        return [drawn | common, answering | common | {"showlegend": False}]

    def axis(self, title: str = "time of day", **more: Any) -> dict[str, Any]:
        """The time axis, from the first to the last moment."""
        ticks: dict[str, Any] = {"tickformat": "%d %b %H:%M", "nticks": 12}
        if self.one_day:
            step = 3 if self.slots * self.hours > 8 else 1
            ticks = {"tickformat": "%H:%M", "dtick": step * 3_600_000, "tick0": self.starts[0]}
        hover = "%H:%M" if self.one_day else "%d %b %H:%M"
        return axis(
            title if self.one_day else "time",
            type="date",
            range=[self.edges[0], self.edges[-1]],
            hoverformat=f"from {hover}",
            zeroline=False,
            **ticks,
            **more,
        )
