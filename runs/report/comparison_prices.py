"""Figure of a comparison: what buyers pay and sellers receive under each market."""

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.runs.comparison import Comparison
from nashgrid.runs.inputs import tariff
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.figure import Choice, Figure, Option, Trace
from nashgrid.runs.report.style import BLUE, DARK_GREY, LIGHT_GREY, ORANGE, VERMILLION, axis, layout


def price_figure(comparison: Comparison) -> Figure:
    """What buyers pay and sellers receive per kWh, slot by slot, market by market."""
    views, options = {}, []
    for name, outcome in comparison.first_seed.items():
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
            xaxis=axis("slot [number]"),
            yaxis=axis(f"price [{currency}/kWh]"),
            hovermode="x unified",
            margin={"l": 64, "r": 32, "t": 50, "b": 48},
        ),
        choices=(Choice("Market", "list", tuple(options), chosen),),
        views=views,
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
