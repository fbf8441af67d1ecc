"""The page of a Pareto front: cost against losses and against voltages, in one file."""

from pathlib import Path
from typing import Any

import pandas as pd

from nashgrid.runs.pareto import ParetoFront
from nashgrid.runs.report.document import document
from nashgrid.runs.report.figure import Figure, Section, Trace
from nashgrid.runs.report.style import BLUE, GREEN, INK, ORANGE, axis, layout, panel_title
from nashgrid.runs.report.words import count, measure, number, percent, rounded, text

_DIRECTIONS = (
    ("weight on losses", BLUE, "circle"),
    ("weight on voltages", GREEN, "square"),
    ("weight on both", ORANGE, "diamond"),
)


def write_pareto(front: ParetoFront, path: Path) -> Path:
    """Write the page of a front; whatever is there is replaced."""
    path.write_text(pareto_page(front), encoding="utf-8", newline="\n")
    return path


def pareto_page(front: ParetoFront) -> str:
    """The page as HTML."""
    name = text(front.scenario.name)
    return document(
        title=f"{name}: cost, losses, voltages – nashgrid",
        headline=_headline(front),
        sections=[
            Section("front", "Front", "The Pareto front", _words(front), (_figure(front),)),
            Section("points", "Points", "All points", _table(front)),
        ],
        footer=f"Made by nashgrid, seed {front.seed}. This page needs no connection.",
    )


def _headline(front: ParetoFront) -> str:
    points, proved = len(front.table), int(front.table["certified"].sum())
    mark = "good" if front.certified else "bad"
    described = f"{text(front.scenario.description.rstrip('.'))}. "
    return (
        f"<h1>{text(front.scenario.name)}: cost, losses and voltages</h1>"
        f'<p class="what">{described if front.scenario.description else ""}The operator minimises '
        "money, and beside it losses and deviations of voltage by a weight: a market for each "
        "weight, the agents' own costs always in it.</p>"
        f'<div class="verdict {mark}" role="status"><b class="mark">'
        f"{'✓' if front.certified else '✗'} {proved} of {count(points, 'point')} converged and "
        "certified</b></div>"
    )


def _words(front: ParetoFront) -> str:
    table, currency = front.table, front.scenario.currency
    first = table.iloc[0]
    least, nearest = (
        table.loc[table["losses_kwh"].idxmin()],
        table.loc[table["deviation_percent"].idxmin()],
    )
    beaten = int((~table["on_front"]).sum())
    verdict = f"{count(beaten, 'point')} (hollow) beaten" if beaten else "No point is beaten"
    fewer = 1 - least["losses_kwh"] / first["losses_kwh"]
    return (
        f"<p>Money alone costs {number(first['cost'], 2)} {currency}, loses "
        f"{number(first['losses_kwh'], 1)} kWh and is off by {first['deviation_percent']:.3f} % in "
        f"the mean. The fewest losses, {number(least['losses_kwh'], 1)} kWh "
        f"({percent(fewer)} fewer), cost {number(least['cost'] - first['cost'], 2)} {currency} "
        f"more; the smallest deviation, {nearest['deviation_percent']:.3f} %, "
        f"{number(nearest['cost'] - first['cost'], 2)} {currency} more. "
        f"{verdict} by another in all three measures. Losses and voltages are those "
        "of AC power flow.</p>"
    )


def _figure(front: ParetoFront) -> Figure:
    table, currency = front.table, front.scenario.currency
    drawn = [(_direction(table, marks[0]), marks) for marks in _DIRECTIONS]
    drawn.append((table[:1], ("money alone", INK, "star")))
    data: list[Trace] = [
        _line(rows, rows[measured], marks, currency) | place
        for measured, place in (
            ("losses_kwh", {"xaxis": "x", "yaxis": "y"}),
            ("deviation_percent", {"xaxis": "x2", "yaxis": "y2", "showlegend": False}),
        )
        for rows, marks in drawn
    ]
    return Figure(
        name="pareto-figure",
        words="Cost against losses, and cost against the deviation of voltages",
        data=data,
        layout=layout(
            470,
            xaxis=axis("losses [kWh]", domain=[0.0, 0.45], anchor="y"),
            yaxis=axis(f"cost [{currency}]", anchor="x"),
            xaxis2=axis("mean deviation from 1 pu [%]", domain=[0.55, 1.0], anchor="y2"),
            yaxis2=axis(f"cost [{currency}]", anchor="x2"),
            hovermode="closest",
            annotations=[
                panel_title("Cost and losses", "x", "y"),
                panel_title("Cost and voltages", "x2", "y2"),
            ],
            margin={"l": 72, "r": 24, "t": 78, "b": 56},
        ),
    )


def _direction(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The points along which one weight grows, money alone first."""
    losses, voltages = table["loss_weight"] > 0, table["voltage_weight"] > 0
    chosen = {
        "weight on losses": losses & ~voltages,
        "weight on voltages": voltages & ~losses,
        "weight on both": losses & voltages,
    }[name]
    return pd.concat([table[:1], table[chosen]])


def _line(
    rows: pd.DataFrame, measured: pd.Series, marks: tuple[str, str, str], currency: str
) -> Trace:
    name, colour, symbol = marks
    weights = [
        f"losses × {loss:g}, voltages × {voltage:g}"
        for loss, voltage in zip(rows["loss_weight"], rows["voltage_weight"])
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": rounded(measured, 5),
        "y": rounded(rows["cost"], 3),
        "name": name,
        "legendgroup": name,
        "line": {"color": colour, "width": 1.5},
        "marker": {
            "color": [colour if kept else "#ffffff" for kept in rows["on_front"]],
            "symbol": symbol,
            "size": 15 if symbol == "star" else 10,
            "line": {"color": colour, "width": 2},
        },
        "customdata": weights,
        "hovertemplate": f"<b>%{{customdata}}</b><br>%{{y:,.2f}} {currency}<br>%{{x}}"
        "<extra></extra>",
    }


def _table(front: ParetoFront) -> str:
    head = (
        "<th>weight on losses</th><th>weight on voltages</th><th>front</th>"
        f'<th class="number">cost [{front.scenario.currency}]</th>'
        '<th class="number">losses [kWh]</th><th class="number">deviation [%]</th>'
        '<th class="number">lowest [pu]</th><th class="number">highest [pu]</th>'
        '<th class="number">rounds</th><th class="number">gap</th><th>certified</th>'
    )
    return (
        f'<div class="tables"><table><thead><tr>{head}</tr></thead><tbody>'
        f"{''.join(_row(row) for row in front.table.to_dict('records'))}</tbody></table></div>"
        "<p>The gap is relative, to the central optimum of the same objective.</p>"
    )


def _row(row: dict[Any, Any]) -> str:
    numbers = (
        number(row["cost"], 2),
        number(row["losses_kwh"], 2),
        f"{row['deviation_percent']:.4f}",
        f"{row['lowest_voltage_pu']:.4f}",
        f"{row['highest_voltage_pu']:.4f}",
        str(row["rounds"]),
        measure(row["welfare_gap"]),
    )
    cells = "".join(f'<td class="number">{value}</td>' for value in numbers)
    proved = "holds" if row["certified"] else "fails"
    return (
        f"<tr><td>{row['loss_weight']:g}</td><td>{row['voltage_weight']:g}</td>"
        f"<td>{'yes' if row['on_front'] else 'beaten'}</td>{cells}"
        f'<td><span class="{proved}">{"✓ yes" if row["certified"] else "✗ NO"}</span></td></tr>'
    )
