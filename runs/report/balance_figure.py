"""The energy balance of the community over the day, before and after trading."""

import numpy as np

from nashgrid.market.messages import Floats
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import case_words, cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.device_kinds import KINDS, OTHER, Kind, consumption_by_kind, drawn
from nashgrid.runs.report.figure import Figure, Section, Trace, one_legend_entry_each
from nashgrid.runs.report.panels import panels
from nashgrid.runs.report.style import DARK_GREY, layout
from nashgrid.runs.report.words import number, rounded

_NOTHING_KW = 1e-3
UTILITY = Kind("utility", "utility", DARK_GREY)
_ORDER = (*KINDS, OTHER, UTILITY)
_ROWS = (
    ("load", 0, "Load"),
    ("shiftable load", 0, "Shiftable load"),
    ("battery", 0, "Batteries charge"),
    ("vehicle", 0, "Vehicles charge"),
    ("utility", 0, "Sold to the utility"),
    ("pv", 1, "PV"),
    ("wind", 1, "Wind"),
    ("generator", 1, "Generators"),
    ("battery", 1, "Batteries discharge"),
    ("vehicle", 1, "Vehicles discharge"),
    ("utility", 1, "Bought from the utility"),
)

Balance = dict[Kind, tuple[Floats, Floats]]


def balance_section(outcome: Outcome) -> Section:
    """Section 3: uses above the axis, sources below."""
    clock = Clock(outcome.scenario.horizon)
    balances = {case: _balance(outcome, case) for case in cases_of(outcome)}
    stacked = [
        trace
        for column, balance in enumerate(balances.values(), start=1)
        for trace in _bars(balance, clock, column)
    ]
    body = (
        "<p>What all agents together use is stacked above the axis, where it comes from below; "
        "in every slot both are equal. The utility's part is the exchange of the whole "
        f"community, {'losses in the wires not counted' if outcome.scenario.feeder else 'net'}."
        f"</p>{_table(outcome, balances, clock.hours)}"
    )
    figure = Figure(
        name="balance-figure",
        words="Stacked bars of use and supply in every slot, before and after trading",
        data=one_legend_entry_each(stacked),
        layout=_layout(case_words(outcome), clock),
    )
    return Section("balance", "Energy", "The energy balance", body, (figure,))


def _balance(outcome: Outcome, case: str) -> Balance:
    """What every kind of device and the utility take and give per slot [kW]."""
    slots = outcome.scenario.horizon.slots
    balance = consumption_by_kind(outcome.schedules[outcome.schedules["case"] == case], slots)
    own = outcome.trades[(outcome.trades["case"] == case) & (outcome.trades["community"] != "")]
    net = np.bincount(own["slot"], own["trade_kw"].to_numpy(dtype=float), minlength=slots)
    return {**balance, UTILITY: (np.maximum(-net, 0.0), np.maximum(net, 0.0))}


def _bars(balance: Balance, clock: Clock, column: int) -> list[Trace]:
    bars: list[Trace] = []
    for kind, (taken, given) in balance.items():
        for values, sign, word in ((taken, 1, "uses"), (given, -1, "gives")):
            if values.max() <= _NOTHING_KW:
                continue
            words = _hover_words(kind, word)
            bars.append(
                {
                    "type": "bar",
                    "name": kind.words,
                    "legendgroup": kind.name,
                    "legendrank": _ORDER.index(kind),
                    **clock.per_slot,
                    "y": drawn(sign * values),
                    "customdata": rounded(values, 2),
                    "marker": {"color": kind.colour, "line": {"color": "#ffffff", "width": 0.5}},
                    "hovertemplate": f"{words} %{{customdata:,.1f}} kW<extra></extra>",
                    "xaxis": f"x{column}" if column > 1 else "x",
                    "yaxis": f"y{column}" if column > 1 else "y",
                }
            )
    return bars


def _hover_words(kind: Kind, word: str) -> str:
    if kind is UTILITY:
        return "sold to the utility" if word == "uses" else "bought from the utility"
    if kind.stores:
        return f"{kind.words} {'charging' if word == 'uses' else 'discharging'}"
    return kind.words


def _layout(cases: dict[str, str], clock: Clock) -> dict[str, object]:
    return layout(
        500,
        barmode="relative",
        bargap=0,
        hovermode="x unified",
        margin={"l": 64, "r": 32, "t": 70, "b": 48},
        **panels(cases, clock, "power [kW]: use above, supply below"),
    )


def _table(outcome: Outcome, balances: dict[str, Balance], hours: float) -> str:
    rows = []
    for name, side, words in _ROWS:
        energy = [_energy_kwh(balance, name, side, hours) for balance in balances.values()]
        if max(energy) > 0.05:
            rows.append((words, energy))
    for column, words in (("curtailed_kw", "Curtailed"), ("unserved_kw", "Load not served")):
        energy = []
        for case in balances:
            own = outcome.schedules[outcome.schedules["case"] == case]
            energy.append(hours * float(own[column].sum()))
        if max(energy) > 0.05:
            rows.append((words, energy))
    head = "".join(f'<th class="number">{words}</th>' for words in case_words(outcome).values())
    lines = "".join(
        f"<tr><td>{words}</td>"
        + "".join(f'<td class="number">{number(value, 0)}</td>' for value in energy)
        + "</tr>"
        for words, energy in rows
    )
    return (
        '<details><summary>Energy over the whole horizon [kWh]</summary><div class="tables">'
        f"<table><thead><tr><th>kWh</th>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
        "</details>"
    )


def _energy_kwh(balance: Balance, name: str, side: int, hours: float) -> float:
    return sum(
        hours * float(both[side].sum()) for kind, both in balance.items() if kind.name == name
    )
