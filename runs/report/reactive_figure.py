"""Reactive power of inverters as the operator sets it: bus by bus and slot by slot."""

import numpy as np

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.figure import Figure, Section
from nashgrid.runs.report.style import TWO_SIDES, axis, layout
from nashgrid.runs.report.words import number, percent, rounded

_WORTH_NAMING = 0.995


def reactive_section(outcome: Outcome) -> Section | None:
    """How inverters are set in the last case; none where nobody sets any."""
    if not len(outcome.reactive):
        return None
    table = outcome.reactive[outcome.reactive["case"] == cases_of(outcome)[-1]]
    by_bus = table.pivot(index="bus", columns="slot", values="set_kvar").sort_index()
    limit = table.groupby("bus")["limit_kvar"].first().loc[by_bus.index]
    share = by_bus.div(limit, axis=0)
    given, taken = -by_bus.clip(upper=0).sum(), by_bus.clip(lower=0).sum()
    clock = Clock(outcome.scenario.horizon)
    most = int(given.to_numpy().argmax())
    full = float((share.abs() >= _WORTH_NAMING).to_numpy().mean())
    body = (
        "<p>Inverters can give or take reactive power beside their active power. The operator sets "
        "those at a bus all to the same part of what they can, so that losses are least and "
        f"voltages and lines stay within their limits. Together they give at most "
        f"{number(float(given.max()), 1)} kvar, {clock.labels[most]}, and take at most "
        f"{number(float(taken.max()), 1)} kvar, of {number(float(limit.sum()), 1)} kvar; they are "
        f"at their limit in {percent(full)} of all buses and slots.</p>"
    )
    names = [f"bus {bus}" for bus in by_bus.index]
    heat = {
        "type": "heatmap",
        "x": clock.edges,
        "y": names,
        "z": [rounded(row, 4) for row in share.to_numpy()],
        "customdata": np.dstack(
            [
                np.tile(clock.labels, (len(names), 1)),
                np.vectorize(lambda kvar: f"{kvar:.2f}")(by_bus.to_numpy()),
            ]
        ).tolist(),
        "colorscale": TWO_SIDES,
        "zmin": -1,
        "zmax": 1,
        "colorbar": {
            "title": {"text": "gives (−) or takes (+), part of its limit [1]", "side": "right"},
            "thickness": 14,
        },
        "hovertemplate": "<b>%{y}</b>, %{customdata[0]}<br>%{customdata[1]} kvar<extra></extra>",
    }
    figure = Figure(
        name="reactive-figure",
        words="Reactive power of the inverters at every bus and slot",
        data=[heat],
        layout=layout(
            140 + max(160, min(900, 16 * len(names))),
            xaxis=clock.axis(showgrid=False),
            yaxis=axis("bus", autorange="reversed", showgrid=False, type="category"),
            hovermode="closest",
        ),
    )
    return Section("reactive", "Reactive power", "How inverters are set", body, (figure,))
