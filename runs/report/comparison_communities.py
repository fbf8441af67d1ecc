"""Figure of a comparison: where the energy that each community buys comes from."""

import numpy as np

from nashgrid.runs.comparison import Comparison
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import DARK_GREY, GREEN, SKY, axis, layout
from nashgrid.runs.report.words import rounded, text


def community_figure(comparison: Comparison) -> Figure | None:
    """Where the energy that each community buys comes from; None with one community."""
    cases: dict[str, Outcome] = {}
    for outcome in comparison.first_seed.values():
        cases.setdefault(str(outcome.trades["case"].iloc[-1]), outcome)
    own = next(iter(comparison.first_seed.values())).trades
    names = [str(name) for name in own["community"].unique() if name != ""]
    if len(names) < 2:
        return None
    views = {case: {"data": _flow_traces(one, case, names)} for case, one in cases.items()}
    first = "trading" if "trading" in views else next(iter(views))
    return Figure(
        "communities-figure",
        "Energy that each community buys: inside, from other communities, from the utility",
        [],
        layout(
            340,
            barmode="relative",
            xaxis=axis("", type="category"),
            yaxis=axis("energy over the day [kWh]"),
            margin={"l": 72, "r": 32, "t": 50, "b": 48},
        ),
        choices=(Choice("Schedules of", "buttons", tuple(Option(c, c) for c in views), first),),
        views=views,
    )


def _flow_traces(outcome: Outcome, case: str, names: list[str]) -> list[Trace]:
    """Bought by origin above the line, sold by destination below it."""
    rows = outcome.trades[outcome.trades["case"] == case]
    hours, slots = outcome.scenario.horizon.slot_hours, outcome.scenario.horizon.slots
    bought, sold = np.zeros((2, len(names), slots))
    for number_, name in enumerate(names):
        own = rows[rows["community"] == name]
        slot, power = own["slot"].to_numpy(np.int64), own["trade_kw"].to_numpy(float)
        bought[number_] = hours * np.bincount(slot, power.clip(min=0), slots)
        sold[number_] = hours * np.bincount(slot, (-power).clip(min=0), slots)
    traces: list[Trace] = []
    alone = case == "utility-only"
    inside = np.zeros_like(bought) if alone else np.minimum(bought, sold)
    want, give = bought - inside, sold - inside
    traded = np.zeros(slots) if alone else np.minimum(want.sum(axis=0), give.sum(axis=0))
    for sign, rest, words in ((1, want, "from"), (-1, give, "to")):
        whole = rest.sum(axis=0)
        share = np.divide(traded, whole, out=np.zeros(slots), where=whole > 0)
        parts = (
            ("inside the community", inside, GREEN),
            (f"{words} other communities", rest * share, SKY),
            (f"{words} the utility", rest * (1 - share), DARK_GREY),
        )
        for name, energy, colour in parts:
            traces.append(
                {
                    "type": "bar",
                    "name": name,
                    "x": [text(one) for one in names],
                    "y": rounded(sign * energy.sum(axis=1), 2),
                    "marker": {"color": colour, "opacity": 1.0 if sign > 0 else 0.6},
                    "showlegend": sign > 0 or "inside" not in name,
                    "hovertemplate": f"%{{x}}<br>{name} %{{y:,.1f}} kWh<extra></extra>",
                }
            )
    return traces
