"""The schedule of one agent at a time: devices, trade, stored energy, price."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.agents.local_problem import Tariff
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.inputs import tariff
from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import case_choice, cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.device_kinds import Kind, consumption_by_kind, drawn, kind_of_device
from nashgrid.runs.report.figure import Choice, Figure, Option, Section, Trace
from nashgrid.runs.report.price_figure import price_line, tariff_lines
from nashgrid.runs.report.style import INK, axis, layout, panel_title
from nashgrid.runs.report.words import money, number, rounded, text
from nashgrid.runs.scenario import MANAGER, OPERATOR, UTILITY

_DASHES = ("solid", "dot", "dash", "longdash")


def agent_section(outcome: Outcome, samples: Mapping[str, str] | None = None) -> Section:
    """Section 4: a chooser of agents; `samples` are buildings of a population, and why chosen."""
    known = samples or {}
    everybody = outcome.accounts[~outcome.accounts["kind"].isin([UTILITY, OPERATOR, MANAGER])]
    agents = everybody.sort_values("community", kind="stable")
    agents = agents.sort_values("agent", kind="stable", key=lambda names: names.isin(known))
    names = [str(name) for name in agents["agent"]]
    several = agents["community"].nunique() > 1
    options = tuple(
        _option(name, f"community {community}" if several else "", known)
        for name, community in zip(names, agents["community"])
    )
    clock, rates = Clock(outcome.scenario.horizon), tariff(outcome.scenario)
    parts = {case: _of_case(outcome, case) for case in cases_of(outcome)}
    views = {
        f"{case}|{name}": _view(outcome, parts[case], case, name, clock, rates)
        for case in parts
        for name in names
    }
    selected = _most_devices(outcome)
    figure = Figure(
        name="agents-figure",
        words="Power of the devices of one agent, its trade, its stored energy and its price",
        data=[],
        layout=layout(620),
        choices=(case_choice(outcome), Choice("Agent", "list", options, selected)),
        views=views,
    )
    body = (
        "<p>Choose an agent. What its devices use is stacked above the axis, what they give below; "
        "the line is its trade, positive when it buys. Beneath stand the energy it has stored "
        "and the price at its place.</p>"
    )
    title = f"The schedule of {'a few of the agents' if known else 'each agent'}"
    return Section("agents", "Schedules", title, body, (figure,))


def _option(name: str, group: str, samples: Mapping[str, str]) -> Option:
    if name not in samples:
        return Option(name, name, group or ("stated agents" if samples else ""))
    return Option(name, f"{name}: {samples[name]}", "buildings of the population")


def _of_case(outcome: Outcome, case: str) -> dict[str, Any]:
    """Schedules and trades by agent, prices by bus, and those of communities with managers."""
    schedules = outcome.schedules[outcome.schedules["case"] == case]
    trades = outcome.trades[outcome.trades["case"] == case]
    prices = outcome.prices[outcome.prices["case"] == case]
    inside = outcome.community_prices
    managed = set(inside["community"])
    members = {e.name: e.community for e in outcome.scenario.buildings if e.community in managed}
    return {
        "schedules": dict(iter(schedules.groupby("agent", observed=True))),
        "trades": dict(iter(trades.groupby("agent", observed=True))),
        "prices": prices.pivot(index="slot", columns="bus", values="price_per_kwh"),
        "members": members if case != UTILITY_ONLY else {},
        "inside": inside.pivot(index="slot", columns=["community", "bus"], values="price_per_kwh"),
        "reported_at": outcome.certificate["message_audit"]["reported_at_bus"],
    }


def _view(
    outcome: Outcome, parts: dict[str, Any], case: str, name: str, clock: Clock, rates: Tariff
) -> dict[str, Any]:
    schedule: pd.DataFrame = parts["schedules"][name]
    trade: pd.DataFrame = parts["trades"][name].sort_values("slot")
    bus = str(trade["bus"].iloc[0])
    place = int(parts["reported_at"].get(bus, bus))
    price = parts["prices"][place]
    if name in parts["members"]:
        price = parts["inside"][parts["members"][name], place]
    stored = _stored_lines(schedule, clock)
    lines = tariff_lines(rates, clock, yaxis="y2")
    if case != UTILITY_ONLY:
        lines += price_line("price at its place", price.to_numpy(), clock, 2.5, yaxis="y2")
    bars = _bars(schedule, clock)
    traded = rounded(trade["trade_kw"].to_numpy(dtype=float), 3)
    ink = {"color": INK, "width": 2.5}
    trade_line = clock.steps(traded, ink, name="trade", hovertemplate="%{y:,.1f} kW")
    return {
        "data": [*bars, *trade_line, *lines, *stored],
        "layout": _layout(outcome, clock, bool(stored)),
        "note": _sentence(outcome, schedule, name),
    }


def _bars(schedule: pd.DataFrame, clock: Clock) -> list[Trace]:
    bars: list[Trace] = []
    for kind, (taken, given) in consumption_by_kind(schedule, clock.slots).items():
        net = drawn(taken - given)
        if any(net):
            bars.append(_bar(kind, net, clock))
    return bars


def _bar(kind: Kind, power_kw: list[float | None], clock: Clock) -> Trace:
    return {
        "type": "bar",
        "name": kind.words,
        **clock.per_slot,
        "y": power_kw,
        "marker": {"color": kind.colour, "line": {"color": "#ffffff", "width": 0.5}},
        "hovertemplate": "%{y:,.1f} kW",
    }


def _stored_lines(schedule: pd.DataFrame, clock: Clock) -> list[Trace]:
    """Stored energy stands at the end of its slot."""
    lines: list[Trace] = []
    for device, rows in schedule.groupby("device", sort=False, observed=True):
        energy = rows.sort_values("slot")["energy_kwh"]
        if energy.isna().all():
            continue
        kind = kind_of_device(str(device))
        lines.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"stored in {device}",
                "x": clock.ends,
                "y": rounded(energy, 2),
                "line": {
                    "color": kind.colour,
                    "width": 2,
                    "dash": _DASHES[len(lines) % len(_DASHES)],
                },
                "marker": {"size": 5},
                "hovertemplate": "%{y:,.1f} kWh",
                "yaxis": "y3",
                "xaxis": "x",
            }
        )
    return lines


def _layout(outcome: Outcome, clock: Clock, stores: bool) -> dict[str, Any]:
    power, price = ([0.54, 1.0], [0.0, 0.16]) if stores else ([0.34, 1.0], [0.0, 0.22])
    unit = f"{outcome.scenario.currency}/kWh"
    titles = [panel_title("Price", "x", "y2")]
    more: dict[str, Any] = {}
    if stores:
        more["yaxis3"] = axis("[kWh]", domain=[0.27, 0.43], anchor="x", rangemode="tozero")
        titles.append(panel_title("Stored energy at the end of each slot", "x", "y3"))
    return layout(
        620,
        barmode="relative",
        bargap=0,
        hovermode="x unified",
        xaxis=clock.axis(anchor="y2"),
        yaxis=axis("power [kW]", domain=power, anchor="x", zerolinewidth=2),
        yaxis2=axis(f"[{unit}]", domain=price, anchor="x", rangemode="tozero"),
        annotations=titles,
        margin={"l": 64, "r": 32, "t": 56, "b": 48},
        **more,
    )


def _sentence(outcome: Outcome, schedule: pd.DataFrame, name: str) -> str:
    row = outcome.accounts.set_index("agent").loc[[name]].to_dict("records")[0]
    currency = outcome.scenario.currency
    curtailed = outcome.scenario.horizon.slot_hours * float(np.nansum(schedule["curtailed_kw"]))
    payment = float(row["payment"])
    place = f", bus {row['bus']}" if outcome.scenario.feeder is not None else ""
    if outcome.accounts.loc[outcome.accounts["community"] != "", "community"].nunique() > 1:
        place = f", community {text(str(row['community']))}{place}"
    words = f"<b>{text(name)}</b> ({text(str(row['kind']))}{place}): cost "
    paid = f"it {'pays' if payment >= 0 else 'receives'} {money(abs(payment), currency)}"
    if not market_named(outcome.market).has_trading:
        words += f"{money(row['cost_after'], currency)}; {paid}."
    else:
        words += (
            f"{money(row['cost_before'], currency)} before, "
            f"{money(row['cost_after'], currency)} after; {paid} and "
            f"{'saves' if row['saving'] >= 0 else '<b>loses</b>'} "
            f"<b>{money(abs(row['saving']), currency)}</b>."
        )
    if curtailed > 0.05:
        words += f" It curtails {number(curtailed, 1)} kWh of PV and wind."
    return words


def _most_devices(outcome: Outcome) -> str:
    """The agent with most kinds of devices: there is most to see."""
    counts = outcome.schedules.groupby("agent", sort=False, observed=True)["device"].nunique()
    return str(counts.idxmax())
