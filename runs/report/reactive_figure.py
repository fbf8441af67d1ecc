"""Reactive power of inverters as the operator sets it: bus by bus and slot by slot."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.figure import Figure, Section
from nashgrid.runs.report.style import TWO_SIDES, axis, layout
from nashgrid.runs.report.words import number, percent, rounded, text
from nashgrid.runs.scenario import HorizonEntry

_WORTH_NAMING = 0.995


def reactive_section(outcome: Outcome) -> Section | None:
    """How inverters are set in the last case; none where nobody sets any."""
    if not len(outcome.reactive):
        return None
    table = outcome.reactive[outcome.reactive["case"] == cases_of(outcome)[-1]]
    return inverters_section({"": table}, outcome.scenario.horizon)


def inverters_section(tables: Mapping[str, pd.DataFrame], horizon: HorizonEntry) -> Section:
    """How the inverters of feeders are set: name -> its rows of `reactive`."""
    clock = Clock(horizon)
    settings = {name: _Settings(table, clock) for name, table in tables.items()}
    body = (
        "<p>Inverters can give or take reactive power beside their active power. The operator sets "
        "those at a bus all to the same part of what they can, so that losses are least and "
        "voltages and lines stay within their limits. Blue gives, orange takes. "
        + "</p><p>".join(one.words(name) for name, one in settings.items())
        + "</p>"
    )
    figures = tuple(one.figure(name, n) for n, (name, one) in enumerate(settings.items()))
    return Section("reactive", "Reactive power", "How inverters are set", body, figures)


class _Settings:
    """The inverters of one feeder."""

    def __init__(self, table: pd.DataFrame, clock: Clock) -> None:
        self._clock = clock
        self._kvar = table.pivot(index="bus", columns="slot", values="set_kvar").sort_index()
        self._limit = table.groupby("bus")["limit_kvar"].first().loc[self._kvar.index]
        self._share = self._kvar.div(self._limit, axis=0)

    def words(self, name: str) -> str:
        """What is given and taken together."""
        given, taken = -self._kvar.clip(upper=0).sum(), self._kvar.clip(lower=0).sum()
        most = int(given.to_numpy().argmax())
        full = float((self._share.abs() >= _WORTH_NAMING).to_numpy().mean())
        whose = f"<b>{text(name)}:</b> together they" if name else "Together they"
        highest = number(float(given.max()), 1), number(float(taken.max()), 1)
        return (
            f"{whose} give at most {highest[0]} kvar, {self._clock.labels[most]}, and take at most "
            f"{highest[1]} kvar, of {number(float(self._limit.sum()), 1)} kvar; they are at their "
            f"limit in {percent(full)} of all buses and slots."
        )

    def figure(self, name: str, place: int) -> Figure:
        """Part of the limit, bus by bus and slot by slot."""
        names = [f"bus {bus}" for bus in self._kvar.index]
        where = f"bus of {text(name)}" if name else "bus"
        kvar = np.vectorize(lambda value: f"{value:.2f}")(self._kvar.to_numpy())
        heat = {
            "type": "heatmap",
            "x": self._clock.edges,
            "y": names,
            "z": [rounded(row, 4) for row in self._share.to_numpy()],
            "customdata": np.dstack([np.tile(self._clock.labels, (len(names), 1)), kvar]).tolist(),
            "colorscale": TWO_SIDES,
            "zmin": -1,
            "zmax": 1,
            "colorbar": {
                "title": {"text": "part of limit [1]", "side": "right"},
                "thickness": 14,
            },
            "hovertemplate": "<b>%{y}</b>, %{customdata[0]}<br>%{customdata[1]} kvar"
            "<extra></extra>",
        }
        return Figure(
            name=f"reactive-figure-{place}",
            words=f"Reactive power of the inverters at every {where} and slot",
            data=[heat],
            layout=layout(
                140 + max(160, min(900, 16 * len(names))),
                xaxis=self._clock.axis(showgrid=False),
                yaxis=axis(where, autorange="reversed", showgrid=False, type="category"),
                hovermode="closest",
            ),
        )
