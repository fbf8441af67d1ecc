"""Who saves how much: savings, payments and costs by agent, kind and community."""

import pandas as pd

from nashgrid.runs.outcome import BASELINE, Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.style import (
    BLUE,
    DARK_GREY,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    VERMILLION,
    axis,
    layout,
    panel_title,
)
from nashgrid.runs.report.utility_ledger import ledger
from nashgrid.runs.report.words import money, number, rounded, text

GROUPS = {
    "agent": "each agent",
    "kind": "by kind of agent",
    "community": "by community",
}
_SHOWN = 0.005


def shown_accounts(accounts: pd.DataFrame) -> pd.DataFrame:
    """Accounts that share in the result: the players, and an operator whose account moves."""
    own = accounts[accounts["kind"] != "utility"].copy()
    own = own[(own["weight"] > 0) | (own["saving"].abs() >= _SHOWN)]
    own["community"] = own["community"].where(own["community"] != "", own["agent"])
    return own


def savings_section(outcome: Outcome) -> Section:
    """Section 5: bars per agent, the utility's ledger beside them."""
    if outcome.market == BASELINE:
        return Section(
            "savings",
            "Costs",
            "What everybody pays",
            _words_alone(outcome) + ledger(outcome),
            (_figure(outcome),),
        )
    return Section(
        "savings",
        "Savings",
        "Savings and payments",
        _words(outcome) + ledger(outcome),
        (_figure(outcome),),
    )


def _words(outcome: Outcome) -> str:
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    fixed = "" if players["weight"].nunique() == 1 else " Their bargaining weights differ."
    rule = {
        "nash-bargaining": "The savings are shared by Nash bargaining: every player gains in "
        f"proportion to its bargaining weight, whatever it brings.{fixed}",
        "competitive": "Everybody pays the clearing price for all that it trades. Nothing "
        "promises that everybody gains: who paid less than the clearing price before may lose.",
        "two-part": "Everybody pays retail for what it would buy alone, and the clearing price "
        "for the deviation from it. This rewards a baseline that is reported too high.",
    }.get(outcome.market, "")
    return (
        f"<p>{rule} Cost is what an agent's devices cost plus what it pays; a negative payment "
        f"is received.{_operator(outcome)}</p>"
    )


def _operator(outcome: Outcome) -> str:
    """What is left with an operator that is no player."""
    rows = outcome.accounts[outcome.accounts["kind"] == "operator"]
    left = float(rows["saving"].sum())
    if rows.empty or float(rows["weight"].sum()) > 0 or abs(left) < _SHOWN:
        return ""
    return (
        f" The operator of the wires {'keeps' if left > 0 else 'loses'} "
        f"<b>{money(abs(left), outcome.scenario.currency)}</b>: what the agents pay at the prices "
        "of their buses, less what it pays upstream."
    )


def _words_alone(outcome: Outcome) -> str:
    return "<p>Nobody trades with another: everybody pays the utility's tariff for itself.</p>"


def _figure(outcome: Outcome) -> Figure:
    accounts = shown_accounts(outcome.accounts)
    counts = {group: accounts[group].nunique() for group in GROUPS}
    groups = [group for group in GROUPS if group == "agent" or counts[group] > 1]
    views = {
        group: {
            "data": _traces(_grouped(accounts, group), outcome.scenario.currency),
            "layout": _layout(counts[group], outcome.scenario.currency),
        }
        for group in groups
    }
    options = tuple(Option(group, GROUPS[group]) for group in groups)
    return Figure(
        name="savings-figure",
        words="Bars of saving and payment, and cost before and after",
        data=[],
        layout=_layout(counts["agent"], outcome.scenario.currency),
        choices=(Choice("Show", "buttons", options, "agent"),),
        views=views,
    )


def _grouped(accounts: pd.DataFrame, group: str) -> pd.DataFrame:
    """Sums by group, least saving first: the first bar is drawn at the bottom."""
    sums = accounts.groupby(group, sort=False)[
        ["cost_before", "payment", "cost_after", "saving"]
    ].sum()
    sums["agents"] = accounts.groupby(group, sort=False).size()
    sums["rounded"] = sums["saving"].round(2)
    return sums.sort_values(["rounded", "cost_before"], kind="stable")


def _traces(sums: pd.DataFrame, currency: str) -> list[Trace]:
    names = [
        text(str(name)) + (f" ({count})" if count > 1 else "")
        for name, count in sums["agents"].items()
    ]
    saving, payment = rounded(sums["saving"], 4), rounded(sums["payment"], 4)
    before, after = rounded(sums["cost_before"], 4), rounded(sums["cost_after"], 4)
    pairs = [(y, x) for y, b, a in zip(names, before, after) for x in (b, a, None)]
    unit = f" {currency}<extra></extra>"
    return [
        _bar(names, saving, [GREEN if v >= -_SHOWN else VERMILLION for v in saving], "saving")
        | {"hovertemplate": f"%{{y}}<br>saving %{{x:,.2f}}{unit}"},
        _bar(names, payment, [ORANGE if v >= 0 else BLUE for v in payment], "payment")
        | {"hovertemplate": f"%{{y}}<br>payment %{{x:,.2f}}{unit}", "xaxis": "x2"},
        {
            "type": "scatter",
            "mode": "lines",
            "x": [x for _, x in pairs],
            "y": [y for y, _ in pairs],
            "line": {"color": LIGHT_GREY, "width": 3},
            "hoverinfo": "skip",
            "showlegend": False,
            "xaxis": "x3",
        },
        _dots(names, before, "cost before", "circle-open", DARK_GREY, unit),
        _dots(names, after, "cost after", "circle", BLUE, unit),
    ]


def _bar(names: list[str], values: list[float], colours: list[str], name: str) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": names,
        "x": values,
        "marker": {"color": colours},
        "text": [_label(value) for value in values],
        "textposition": "outside",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "showlegend": False,
    }


def _label(value: float) -> str:
    if abs(value) < 1:
        return number(value, 3)
    return number(value, 2 if abs(value) < 100 else 0)


def _dots(
    names: list[str], values: list[float], name: str, mark: str, colour: str, unit: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": values,
        "y": names,
        "marker": {"symbol": mark, "color": colour, "size": 9, "line": {"width": 2}},
        "hovertemplate": f"%{{y}}<br>{name} %{{x:,.2f}}{unit}",
        "xaxis": "x3",
    }


def _layout(bars: int, currency: str) -> dict[str, object]:
    unit = f"[{currency}]"
    grid = {"anchor": "y", "nticks": 5, "zerolinewidth": 1}
    return layout(
        130 + 24 * max(bars, 3),
        bargap=0.3,
        hovermode="closest",
        xaxis=axis(f"saving {unit}", domain=[0.0, 0.26], **grid),
        xaxis2=axis(f"payment {unit}", domain=[0.33, 0.64], **grid),
        xaxis3=axis(f"cost {unit}", domain=[0.70, 1.0], **grid),
        yaxis=axis("", type="category", ticks="", showgrid=False, range=[-0.6, max(bars, 3) - 0.4]),
        annotations=[
            panel_title("Saving", "x", "y"),
            panel_title("Payment: pays +, receives −", "x2", "y"),
            panel_title("Cost before and after", "x3", "y"),
        ],
        margin={"l": 64, "r": 24, "t": 66, "b": 48},
    )
