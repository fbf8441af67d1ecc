"""Figure of a comparison: where the energy that each community buys comes from."""

from nashgrid.runs.comparison import Comparison
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import DARK_GREY, GREEN, SKY, axis, layout
from nashgrid.runs.report.words import rounded, text
from nashgrid.runs.trade_levels import on_the_last_level, trades_by_level


def community_figure(comparison: Comparison) -> Figure | None:
    """Where the energy that each community buys comes from; None with one community."""
    cases: dict[str, Outcome] = {}
    for outcome in comparison.first_seed.values():
        cases.setdefault(str(outcome.trades["case"].iloc[-1]), outcome)
    trades = next(iter(comparison.first_seed.values())).trades
    members = trades[~trades["agent"].isin(on_the_last_level(comparison.scenario))]
    names = [str(name) for name in members["community"].unique() if name != ""]
    if len(names) < 2:
        return None
    views = {case: {"data": _flow_traces(one, case, names)} for case, one in cases.items()}
    first = "trading" if "trading" in views else next(iter(views))
    return Figure(
        "communities-figure",
        "Energy that the members of each community buy: inside, from other communities, the rest",
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
    levels = trades_by_level(outcome)
    member = ~levels["agent"].isin(on_the_last_level(outcome.scenario))
    levels = levels[member & (levels["case"] == case)]
    traces: list[Trace] = []
    for sign, words in ((1, "from"), (-1, "to")):
        parts = (
            ("inside_wh", "inside the community", GREEN),
            ("between_wh", f"{words} other communities", SKY),
            ("rest_wh", f"{words} the rest", DARK_GREY),
        )
        for column, name, colour in parts:
            energy = (sign * levels[column]).clip(lower=0).groupby(levels["community"]).sum()
            traces.append(
                {
                    "type": "bar",
                    "name": name,
                    "x": [text(one) for one in names],
                    "y": rounded(sign * energy[names].to_numpy() / 1000, 2),
                    "marker": {"color": colour, "opacity": 1.0 if sign > 0 else 0.6},
                    "showlegend": sign > 0 or "inside" not in name,
                    "hovertemplate": f"%{{x}}<br>{name} %{{y:,.1f}} kWh<extra></extra>",
                }
            )
    return traces
