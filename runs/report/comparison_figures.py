"""The figures of a comparison: who saves how much where, who pays for whom, prices, communities."""

from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.compare import Comparison
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import (
    BLUE,
    DARK_GREY,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    SKY,
    VERMILLION,
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


def rows_of(comparison: Comparison) -> pd.DataFrame:
    """(rows, markets) savings: of each agent, or the mean of each kind where agents are many."""
    savings = comparison.savings
    if len(savings) <= MOST_ROWS:
        return savings
    accounts = _first(comparison).accounts
    kind = accounts.set_index(accounts["agent"].astype(str))["kind"].astype(str)
    return savings.groupby(kind.reindex(savings.index).to_numpy(), sort=False).mean()


def savings_figure(comparison: Comparison) -> Figure:
    """Savings of every agent under every market."""
    savings, currency = rows_of(comparison), comparison.scenario.currency
    return Figure(
        "savings-figure",
        "Savings of each agent, a row, under each market, a column",
        [_heat(savings, f"saving [{currency}]")],
        _matrix_layout(savings),
    )


def subsidy_figure(comparison: Comparison) -> Figure:
    """What a rule gives each agent beyond what another rule would."""
    savings, currency = rows_of(comparison), comparison.scenario.currency
    names = list(savings)
    reference = "competitive" if "competitive" in names else names[0]
    views: dict[str, dict[str, Any]] = {}
    for name in names:
        moved = savings.sub(savings[name], axis=0)
        views[name] = {
            "data": [_heat(moved, f"more than under {name} [{currency}]")],
            "note": f"Blue: under the rule of the column the agent has more than under "
            f"<b>{text(name)}</b>, and those in orange pay for it (or the utility and the operator "
            "of the wires do, where a column does not sum to zero).",
        }
    options = tuple(Option(name, name) for name in names)
    return Figure(
        "subsidies-figure",
        "What each agent has under each market beyond what it has under a market of reference",
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


def price_figure(comparison: Comparison) -> Figure:
    """What buyers pay and sellers receive per kWh, slot by slot, market by market."""
    views, options = {}, []
    for name, outcome in _outcomes(comparison).items():
        views[name] = {"data": _price_traces(outcome), "note": _price_note(outcome)}
        options.append(Option(name, name))
    currency = comparison.scenario.currency
    chosen = next((o.key for o in options if o.key == "mid-market-rate"), options[0].key)
    return Figure(
        "prices-figure",
        "Prices of buyers and sellers in every slot, by market, with the tariffs",
        [],
        layout(
            380,
            xaxis=axis("slot"),
            yaxis=axis(f"price [{currency}/kWh]"),
            hovermode="x unified",
            margin={"l": 64, "r": 32, "t": 50, "b": 48},
        ),
        choices=(Choice("Market", "list", tuple(options), chosen),),
        views=views,
    )


def community_figure(comparison: Comparison) -> Figure | None:
    """Where the energy that each community buys comes from; None with one community."""
    cases: dict[str, Outcome] = {}
    for outcome in _outcomes(comparison).values():
        cases.setdefault(str(outcome.trades["case"].iloc[-1]), outcome)
    own = _first(comparison).trades
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


def _outcomes(comparison: Comparison) -> dict[str, Outcome]:
    return comparison.outcomes[comparison.seeds[0]]


def _first(comparison: Comparison) -> Outcome:
    return next(iter(_outcomes(comparison).values()))


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


def _price_traces(outcome: Outcome) -> list[Trace]:
    case = outcome.prices["case"].iloc[-1]
    prices = outcome.prices[outcome.prices["case"] == case]
    clearing = prices.groupby("slot")["price_per_kwh"].mean()
    retail, feed_in = _tariffs(outcome)
    lines = [
        _line("retail", retail, LIGHT_GREY, "dot"),
        _line("feed-in", feed_in, DARK_GREY, "dot"),
    ]
    if case != "utility-only":
        lines.append(_line("clearing, mean of places", clearing.to_numpy(), ORANGE, "dash"))
    paid = _paid(outcome)
    if paid is not None:
        lines.append(_line("buyers pay", paid[0], BLUE, "solid"))
        lines.append(_line("sellers receive", paid[1], VERMILLION, "solid"))
    return lines


def _price_note(outcome: Outcome) -> str:
    if _paid(outcome) is not None:
        return "What buyers pay and sellers receive is the mean over all of them in a slot."
    return (
        "Under this rule each agent makes one payment for the day: there is no price by slot. The "
        "clearing price led to the schedules."
    )


def _tariffs(outcome: Outcome) -> tuple[Floats, Floats]:
    from nashgrid.runs.inputs import tariff

    stated = tariff(outcome.scenario)
    return stated.retail_price_per_kwh, stated.feed_in_price_per_kwh


def _paid(outcome: Outcome) -> tuple[Floats, Floats] | None:
    """(T,) mean price of buyers and of sellers; None where payments are for the day."""
    agents = set(outcome.accounts.loc[outcome.accounts["weight"] > 0, "agent"].astype(str))
    rows = outcome.settlement.dropna(subset=["energy_wh"])
    rows = rows[rows["payer"].astype(str).isin(agents)]
    if rows.empty:
        return None
    slots, both = outcome.scenario.horizon.slots, []
    for sign in (1, -1):
        side = rows[np.sign(rows["energy_wh"].to_numpy(np.int64)) == sign]
        slot = side["slot"].to_numpy(np.int64)
        energy = np.bincount(slot, side["energy_wh"].to_numpy(float), slots)
        amount = np.bincount(slot, side["amount_nano"].to_numpy(float), slots)
        price = np.divide(amount, energy, out=np.full(slots, np.nan), where=energy != 0)
        both.append(price * 1e-6)
    return both[0], both[1]


def _line(name: str, values: Floats, colour: str, dash: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers" if dash == "solid" else "lines",
        "name": name,
        "x": list(range(len(values))),
        "y": [None if np.isnan(value) else round(float(value), 5) for value in values],
        "line": {"color": colour, "width": 2, "dash": dash, "shape": "hvh"},
        "marker": {"size": 6},
        "hovertemplate": "%{y:.4f}<extra>" + name + "</extra>",
    }


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
