"""Figures of a comparison as matrices: who saves how much where, and who pays for whom."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.runs.comparison import Comparison
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import (
    BLUE,
    axis,
    layout,
)
from nashgrid.runs.report.words import number, rounded, text

MOST_ROWS = 60
"""With more agents than these, kinds are shown."""
DIVERGING = [
    [0.0, "#b35806"],
    [0.25, "#f1a340"],
    [0.5, "#f7f7f7"],
    [0.75, "#67a9cf"],
    [1, "#2166ac"],
]
"""Orange where less, blue where more: told apart by the colour-blind."""


def rows_of(comparison: Comparison, savings: pd.DataFrame) -> pd.DataFrame:
    """(rows, markets) savings: of each party, or the mean of each kind where they are many."""
    if len(savings) <= MOST_ROWS:
        return savings
    accounts = next(iter(comparison.first_seed.values())).accounts
    kind = accounts.set_index(accounts["agent"].astype(str))["kind"].astype(str)
    return savings.groupby(kind.reindex(savings.index).to_numpy(), sort=False).mean()


def savings_figure(comparison: Comparison) -> Figure:
    """Savings of every agent under every market."""
    savings, currency = rows_of(comparison, comparison.savings), comparison.scenario.currency
    return Figure(
        "savings-figure",
        "Savings of each agent, a row, under each market, a column",
        [_heat(savings, f"saving [{currency}]")],
        _matrix_layout(savings),
    )


def subsidy_figure(comparison: Comparison) -> Figure:
    """What a rule gives each party, operator and utility included, beyond what another would."""
    parties = comparison.savings_of_all
    savings = rows_of(comparison, parties)
    sums = " Where schedules are the same, a column sums to zero." if savings is parties else ""
    currency = comparison.scenario.currency
    names = list(savings)
    reference = "competitive" if "competitive" in names else names[0]
    views: dict[str, dict[str, Any]] = {}
    for name in names:
        moved = savings.sub(savings[name], axis=0)
        views[name] = {
            "data": [_heat(moved, f"more than under {name} [{currency}]")],
            "note": f"Blue: under the rule of the column the party has more than under "
            f"<b>{text(name)}</b>, and those in orange pay for it. The last rows are those who "
            "deliver: what agents gain together is for the most part what the utility no longer "
            f"receives.{sums}",
        }
    options = tuple(Option(name, name) for name in names)
    return Figure(
        "subsidies-figure",
        "What each party has under each market beyond what it has under a market of reference",
        [],
        _matrix_layout(savings),
        choices=(Choice("Compared with", "list", options, reference),),
        views=views,
    )


def better_figure(comparison: Comparison) -> Figure:
    """How many agents have more under one rule than under another."""
    better = comparison.better.astype(float)
    trace = _heat(better, "agents")
    values = better.to_numpy()
    trace |= {
        "colorscale": [[0.0, "#ffffff"], [1.0, BLUE]],
        "zmin": 0.0,
        "zmax": max(float(values.max()), 1.0),
        "texttemplate": "%{z:.0f}",
        "hovertemplate": "%{z:.0f} agents have more under %{y}<br>than under %{x}<extra></extra>",
    }
    trace.pop("zmid")
    return Figure(
        "better-figure",
        "How many agents have more under the market of the row than under that of the column",
        [trace],
        _matrix_layout(better),
    )


def _heat(values: pd.DataFrame, words: str) -> Trace:
    numbers = values.to_numpy()
    # A few large amounts would leave all others white.
    span = max(float(np.quantile(np.abs(numbers), 0.95)), 0.01)
    return {
        "type": "heatmap",
        "x": [text(str(name)) for name in values.columns],
        "y": [text(str(name)) for name in values.index],
        "z": [rounded(row, 3) for row in numbers],
        "text": [[_short(value) for value in row] for row in numbers],
        "texttemplate": "%{text}",
        "textfont": {"size": 10},
        "zmid": 0.0,
        "zmin": -span,
        "zmax": span,
        "colorscale": DIVERGING,
        "colorbar": {"title": {"text": text(words), "side": "right"}, "thickness": 12},
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": f"%{{y}}<br>%{{x}}<br>%{{z:,.2f}} {text(words)}<extra></extra>",
    }


def _short(value: float) -> str:
    if abs(value) < 0.005:
        return "0"
    return number(value, 2 if abs(value) < 1 else 1 if abs(value) < 100 else 0)


def _matrix_layout(values: pd.DataFrame) -> dict[str, Any]:
    return layout(
        190 + 20 * max(len(values), 6),
        xaxis=axis("", type="category", side="top", tickangle=-45, ticks="", showgrid=False),
        yaxis=axis("", type="category", autorange="reversed", ticks="", showgrid=False),
        margin={"l": 64, "r": 24, "t": 24, "b": 16},
    )
