"""Batteries for rent: who holds how much, what it costs, and what is stored for whom."""

import pandas as pd

from nashgrid.market.topics import TRADING
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.style import (
    BLUE,
    DARK_GREY,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    axis,
    layout,
)
from nashgrid.runs.report.words import money, number, rounded, text

_COLOURS = (BLUE, ORANGE, GREEN, SKY, VERMILLION, PURPLE)
_NOTHING_KWH = 0.05


def rental_section(outcome: Outcome) -> Section | None:
    """For outcomes in which batteries were for rent; None otherwise."""
    if outcome.rentals.empty:
        return None
    clock = Clock(outcome.scenario.horizon)
    batteries = {str(owner): rows for owner, rows in outcome.rentals.groupby("owner", sort=False)}
    views = {
        owner: {"data": _stored(outcome, owner, rows, clock), "layout": _layout(clock)}
        for owner, rows in batteries.items()
    }
    figure = Figure(
        name="rental-figure",
        words="Energy stored in a battery at the end of each slot, by who holds it",
        data=[],
        layout=_layout(clock),
        choices=(
            Choice("Battery of", "list", tuple(Option(o, o) for o in views), next(iter(views))),
        ),
        views=views,
    )
    body = (
        "<p>Capacity of a battery is for rent to the buildings of its community. A tenant uses its "
        "part as if it had a battery of that size at home; the owner runs all parts together. Rent "
        "is what the last kilowatt-hour of capacity is worth to whoever holds it.</p>"
        + "".join(_table(outcome, owner, rows) for owner, rows in batteries.items())
    )
    return Section("rentals", "Storage for rent", "Storage for rent", body, (figure,))


def _table(outcome: Outcome, owner: str, rows: pd.DataFrame) -> str:
    currency = outcome.scenario.currency
    tenants = rows[rows["agent"] != owner].sort_values("capacity_kwh", ascending=False)
    rent = float(rows["rent_per_kwh"].iloc[0])
    lines = "".join(
        f"<tr><td>{text(str(row['agent']))}</td>"
        f'<td class="number">{number(row["capacity_kwh"], 2)}</td>'
        f'<td class="number">{number(row["capacity_kwh"] * rent, 2)}</td></tr>'
        for row in tenants.to_dict("records")
    )
    let = float(tenants["capacity_kwh"].sum())
    return (
        f"<p>{text(owner)} lets {number(let, 1)} kWh at {money(rent, currency)} per kWh for the "
        f"whole horizon.</p>"
        '<details><summary>Its tenants</summary><div class="tables"><table><thead><tr>'
        '<th>tenant</th><th class="number">capacity [kWh]</th>'
        f'<th class="number">rent [{currency}]</th></tr></thead><tbody>{lines}</tbody></table>'
        "</div></details>"
    )


def _stored(outcome: Outcome, owner: str, rows: pd.DataFrame, clock: Clock) -> list[Trace]:
    """Stacked by holder, the largest tenants first; small ones together, the owner last."""
    schedules = outcome.schedules[outcome.schedules["case"] == TRADING]
    rented = schedules[schedules["device"] == f"battery rented of {owner}"]
    stored = rented.pivot(index="agent", columns="slot", values="energy_kwh")
    order = stored.sum(axis=1).sort_values(ascending=False).index
    first, rest = order[: len(_COLOURS)], order[len(_COLOURS) :]
    bars = [
        _bar(text(str(name)), stored.loc[name].to_numpy(), colour, clock)
        for name, colour in zip(first, _COLOURS, strict=False)
    ]
    if len(rest):
        bars.append(_bar("other tenants", stored.loc[rest].sum().to_numpy(), LIGHT_GREY, clock))
    kept = schedules[(schedules["agent"] == owner) & schedules["device"].isin(_let(outcome, owner))]
    bars.append(_bar("the owner", kept.sort_values("slot")["energy_kwh"], DARK_GREY, clock))
    return [bar for bar in bars if max(bar["y"]) > _NOTHING_KWH]


def _let(outcome: Outcome, owner: str) -> tuple[str, ...]:
    return next(entry.for_rent for entry in outcome.scenario.agents if entry.name == owner)


def _bar(name: str, energy_kwh: object, colour: str, clock: Clock) -> Trace:
    return {
        "type": "bar",
        "name": name,
        **clock.per_slot,
        "y": rounded(pd.Series(energy_kwh), 2),
        "marker": {"color": colour, "line": {"color": "#ffffff", "width": 0.5}},
        "hovertemplate": "%{y:,.1f} kWh",
    }


def _layout(clock: Clock) -> dict[str, object]:
    return layout(
        420,
        barmode="stack",
        bargap=0,
        hovermode="x unified",
        xaxis=clock.axis(),
        yaxis=axis("stored at the end of the slot [kWh]", rangemode="tozero"),
        margin={"l": 64, "r": 32, "t": 60, "b": 48},
    )
