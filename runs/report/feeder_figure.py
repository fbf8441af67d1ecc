"""The feeder as a graph: voltages, flows and trades of every slot, before and after trading."""

import numpy as np
import pandas as pd

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import case_choice, cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.feeder_traces import Drawing, base_traces
from nashgrid.runs.report.feeder_views import slot_views, within_limits
from nashgrid.runs.report.figure import Choice, Figure, Option, Section
from nashgrid.runs.report.radial_layout import radial_layout
from nashgrid.runs.report.style import layout


def feeder_section(outcome: Outcome) -> Section | None:
    """Section 1; none without a feeder."""
    entry = outcome.scenario.feeder
    if entry is None:
        return None
    clock = Clock(outcome.scenario.horizon)
    drawing = _drawing(outcome)
    cases = cases_of(outcome)
    slider = Choice(
        "Time",
        "slider",
        tuple(Option(str(slot), label) for slot, label in enumerate(clock.labels)),
        str(_busiest_slot(outcome, cases[-1])),
    )
    figure = Figure(
        name="feeder-figure",
        words="The feeder as a graph: buses coloured by voltage, lines by loading",
        data=base_traces(drawing),
        layout=_layout(drawing),
        choices=(case_choice(outcome), slider),
        views=slot_views(outcome, drawing),
    )
    together = " (buildings of the population together)" if outcome.scenario.population else ""
    body = (
        "<p>Circles are buses, coloured by their voltage; the square is the substation, where the "
        "utility feeds in. Lines are as wide as the power they carry, triangles on them point "
        "where it flows, and their colour says how full they are. The small marks beside a bus "
        f"are the agents there{together}: filled when they buy, hollow when they sell, the larger "
        "the more. "
        "Move the slider, and point at anything to see its numbers. Voltages and loadings are "
        "those of the AC power flow.</p>"
    )
    return Section("feeder", "Feeder", "The feeder, slot by slot", body, (figure,))


def _drawing(outcome: Outcome) -> Drawing:
    first = outcome.lines[
        (outcome.lines["case"] == outcome.lines["case"].iloc[0]) & (outcome.lines["slot"] == 0)
    ]
    pairs = [(int(a), int(b)) for a, b in zip(first["from_bus"], first["to_bus"])]
    places = radial_layout(pairs)
    own = outcome.trades[outcome.trades["community"] != ""]
    agents = own.drop_duplicates("agent")[["agent", "kind", "community", "bus"]]
    voltage = outcome.voltages["ac_pu"]
    return Drawing(
        lines=pairs,
        limits_kva=first["limit_kva"].to_numpy(dtype=float),
        places=places,
        agents=list(agents.itertuples(index=False, name=None)),
        voltage_range=(float(voltage.min()), float(voltage.max())),
        largest_flow_kw=max(float(outcome.lines["flow_kw"].abs().max()), 1e-9),
        largest_trade_kw=max(float(own["trade_kw"].abs().max()), 1e-9),
        breaches=bool((~within_limits(outcome, voltage)).any()),
    )


def _layout(drawing: Drawing) -> dict[str, object]:
    depths = [depth for depth, _ in drawing.places.values()]
    lanes = [lane for _, lane in drawing.places.values()]
    hidden = {"visible": False, "fixedrange": True}
    return layout(
        150 + 95 * (max(lanes) - min(lanes) + 1),
        xaxis=hidden | {"range": [-0.6, max(depths) + 0.8]},
        yaxis=hidden | {"range": [min(lanes) - 0.65, max(lanes) + 0.45]},
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        hovermode="closest",
    )


def _busiest_slot(outcome: Outcome, case: str) -> int:
    """The slot with the most energy through the wires: there is something to see."""
    rows = outcome.lines[outcome.lines["case"] == case]
    sums: pd.Series = rows["flow_kw"].abs().groupby(rows["slot"]).sum()
    return int(np.argmax(sums.to_numpy()))
