"""How the negotiations converged, and what they cost in messages."""

import pandas as pd

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Figure, Section, Trace
from nashgrid.runs.report.style import BLUE, INK, ORANGE, axis, layout, panel_title
from nashgrid.runs.report.words import measure, number

EXCHANGES = {
    "utility-only": "Utility alone",
    "trading": "Trading",
    "cournot": "Trading among agents who anticipate the price",
    "stackelberg": "Trading with a leader's charge",
    "energy-sharing": "Demand bids of agents who anticipate the price",
    "money": "Bargaining over money",
    "money in equal shares": "Bargaining over money, in equal shares",
    "money within a band": "Bargaining over money, within a band of prices",
    "money above locational prices": "Bargaining over money, above locational prices",
    "money by contribution": "Bargaining over money, by contribution",
    "money by Shapley value": "Bargaining over money, by Shapley value",
    "money by nucleolus": "Bargaining over money, by nucleolus",
    "money by energy traded": "Bargaining over money, by energy traded",
}
_RESIDUALS = (
    ("primal_residual", "primal: what does not balance", BLUE, "solid"),
    ("dual_residual", "dual: how far offers still move", ORANGE, "dash"),
)
_FLOOR = 1e-16


def convergence_section(outcome: Outcome) -> Section:
    """Section 6: residuals of every exchange against its rounds."""
    topics = [str(topic) for topic in outcome.rounds["topic"].unique()]
    tolerance = outcome.scenario.negotiation.tolerance
    traces: list[Trace] = []
    for number_, topic in enumerate(topics, start=1):
        rows = outcome.rounds[outcome.rounds["topic"] == topic]
        traces += _lines(rows, tolerance, number_)
    seen: list[str] = []
    for trace in traces:
        trace["showlegend"] = trace["name"] not in seen
        seen.append(trace["name"])
    figure = Figure(
        name="convergence-figure",
        words="Residuals of every exchange against the round, on a logarithmic scale",
        data=traces,
        layout=_layout(topics),
    )
    body = (
        "<p>In every round a coordinator announces prices and each agent answers with an offer. "
        "An exchange counts as converged when both residuals are at most the tolerance of "
        f"{measure(tolerance)}, the dotted line; it may go on below it, to leave room.</p>"
        f"{_table(outcome, topics)}"
    )
    return Section("convergence", "Convergence", "How they came to agree", body, (figure,))


def _lines(rows: pd.DataFrame, tolerance: float, column: int) -> list[Trace]:
    ending = str(column) if column > 1 else ""
    place = {"xaxis": f"x{ending}", "yaxis": f"y{ending}"}
    rounds = [int(value) for value in rows["round"]]
    lines: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(rounds) <= 40 else "lines",
            "name": name,
            "legendgroup": quantity,
            "x": rounds,
            "y": [max(float(f"{value:.4g}"), _FLOOR) for value in rows[quantity]],
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 5},
            "hovertemplate": "%{y:.2e}",
        }
        | place
        for quantity, name, colour, dash in _RESIDUALS
    ]
    lines.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "tolerance",
            "legendgroup": "tolerance",
            "x": [rounds[0] - 0.5, rounds[-1] + 0.5],
            "y": [tolerance, tolerance],
            "line": {"color": INK, "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        }
        | place
    )
    refused = rows[rows["restarted"].astype(bool)]
    if not refused.empty:
        worst = refused[["primal_residual", "dual_residual"]].max(axis=1)
        lines.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "acceleration starts afresh",
                "x": [int(value) for value in refused["round"]],
                "y": [float(f"{value:.4g}") for value in worst],
                "marker": {"symbol": "x-thin", "size": 7, "line": {"color": INK, "width": 2}},
                "hovertemplate": "back to the best round, or another step",
            }
            | place
        )
    return lines


def _layout(topics: list[str]) -> dict[str, object]:
    gap = 0.055
    width = (1 - gap * (len(topics) - 1)) / len(topics)
    more: dict[str, object] = {}
    titles = []
    for column, topic in enumerate(topics, start=1):
        ending = str(column) if column > 1 else ""
        left = (column - 1) * (width + gap)
        more[f"xaxis{ending}"] = axis(
            "round", domain=[left, left + width], anchor=f"y{ending}", rangemode="tozero"
        )
        more[f"yaxis{ending}"] = axis(
            "relative residual [–]" if column == 1 else "",
            type="log",
            anchor=f"x{ending}",
            exponentformat="power",
            dtick=2,
        )
        titles.append(panel_title(EXCHANGES.get(topic, topic), f"x{ending}", f"y{ending}"))
    return layout(
        400,
        hovermode="x unified",
        annotations=titles,
        margin={"l": 64, "r": 16, "t": 70, "b": 48},
        **more,
    )


def _table(outcome: Outcome, topics: list[str]) -> str:
    traffic = outcome.summary["messages"]
    rows = []
    totals = [0, 0, 0]
    for topic in topics:
        own = [cost for kind, cost in traffic.items() if kind.split("/")[0] == topic]
        sums = [sum(int(c[what]) for c in own) for what in ("messages", "transmissions", "bytes")]
        totals = [total + part for total, part in zip(totals, sums)]
        rounds = int(outcome.summary["rounds"][topic])
        rows.append(_row(EXCHANGES.get(topic, topic), number(rounds, 0), sums, ""))
    rows.append(_row("All", "", totals, ' class="total"'))
    head = "".join(
        f'<th class="number">{words}</th>'
        for words in ("rounds", "messages", "transmissions, resent ones too", "kilobytes")
    )
    clock = number(float(outcome.summary["simulated_seconds"]), 1)
    return (
        f'<div class="tables"><table><thead><tr><th>Exchange</th>{head}</tr></thead><tbody>'
        f"{''.join(rows)}</tbody></table></div><p>On the simulated network this took {clock} "
        "seconds.</p>"
    )


def _row(name: str, rounds: str, sums: list[int], style: str) -> str:
    cells = "".join(
        f'<td class="number">{words}</td>'
        for words in (rounds, number(sums[0], 0), number(sums[1], 0), number(sums[2] / 1000, 0))
    )
    return f"<tr{style}><td>{name}</td>{cells}</tr>"
