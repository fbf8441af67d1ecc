"""What changes in the drawing of a feeder from slot to slot."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nashgrid.market.messages import Floats
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.feeder_traces import LOADING, UNLIMITED, Drawing
from nashgrid.runs.report.price_parts_figure import ADDED
from nashgrid.runs.report.style import BLUE, INK, VERMILLION
from nashgrid.runs.report.words import listing, number, percent, rounded, text

_IDLE_KW = 0.05
_SLACK_PU = 5e-6
_WORTH_SAYING = 5e-5


Slices = dict[tuple[str, int], pd.DataFrame]


def slot_views(outcome: Outcome, drawing: Drawing) -> dict[str, dict[str, Any]]:
    """The views of all cases and slots."""
    prices = outcome.prices.merge(outcome.price_parts, on=["case", "slot", "bus"])
    tables = (outcome.lines, outcome.voltages, outcome.trades, prices)
    slices = [_slices(table) for table in tables]
    return {
        f"{case}|{slot}": _slot_view(outcome, drawing, *(part[case, slot] for part in slices))
        for case, slot in slices[0]
    }


def _slices(table: pd.DataFrame) -> Slices:
    grouped: Any = table.groupby(["case", "slot"], sort=False)
    return {(str(case), int(slot)): rows for (case, slot), rows in grouped}


def _slot_view(
    outcome: Outcome,
    drawing: Drawing,
    lines: pd.DataFrame,
    voltages: pd.DataFrame,
    trades: pd.DataFrame,
    prices: pd.DataFrame,
) -> dict[str, Any]:
    """Colours, widths, arrows, hover texts and a sentence for one slot of one case."""
    voltages = voltages.set_index("bus").loc[drawing.buses]
    trades = trades[trades["community"] != ""].set_index("agent")
    at_bus = prices.set_index("bus")
    count = len(drawing.lines)
    loading = lines["ac_kva"].to_numpy() / drawing.limits_kva
    limited = np.isfinite(drawing.limits_kva)
    width = 1.5 + 8 * lines["flow_kw"].abs().to_numpy() / drawing.largest_flow_kw
    colours = [
        next(c for most, c, _ in LOADING if share <= most) if has else UNLIMITED[0]
        for share, has in zip(loading, limited)
    ]
    currency = outcome.scenario.currency
    return {
        "changes": [
            [0, {"line.color": colours, "line.width": rounded(width, 1)}],
            [count, _arrow_changes(lines)],
            [count + 1, {"text": [_labels(loading)]}],
            [count + 2, _bus_changes(outcome, voltages, at_bus, currency)],
            [count + 3, _agent_changes(drawing, trades)],
        ],
        "note": _sentence(outcome, drawing, trades, loading, voltages),
    }


def within_limits(outcome: Outcome, voltage_pu: ArrayLike) -> NDArray[np.bool_]:
    """Which voltages are within the limits, to the fifth digit."""
    entry = outcome.scenario.feeder
    if entry is None:
        raise ValueError("without a feeder there are no voltage limits")
    lowest, highest = entry.minimum_voltage_pu, entry.maximum_voltage_pu
    voltage = np.asarray(voltage_pu, dtype=float)
    return (voltage >= lowest - _SLACK_PU) & (voltage <= highest + _SLACK_PU)


def _labels(loading: Floats) -> list[str]:
    """How full the lines with a limit are."""
    return [percent(share) if share > 0 else "" for share in loading]


def _arrow_changes(lines: pd.DataFrame) -> dict[str, list[Any]]:
    symbols, shown, words = [], [], []
    for row in lines.to_dict("records"):
        start, end, flow = row["from_bus"], row["to_bus"], float(row["flow_kw"])
        exact, limit = float(row["ac_kva"]), float(row["limit_kva"])
        linear = float(np.hypot(flow, row["flow_kvar"]))
        symbols.append("triangle-right" if flow >= 0 else "triangle-left")
        shown.append(int(abs(flow) > _IDLE_KW))
        hover = (
            f"<b>line {start}–{end}</b><br>{number(abs(flow), 1)} kW towards bus "
            f"{end if flow >= 0 else start}<br>{number(exact, 1)} kVA by AC power flow<br>"
            f"{number(linear, 1)} kVA by LinDistFlow"
        )
        if np.isfinite(limit):
            hover += f"<br>{percent(exact / limit)} of its limit, {number(limit, 0)} kVA"
        words.append(hover)
    return {
        "marker.symbol": [symbols],
        "marker.opacity": [shown],
        "hovertext": [words],
    }


def _bus_changes(
    outcome: Outcome, voltages: pd.DataFrame, prices: pd.DataFrame, currency: str
) -> dict[str, list[Any]]:
    everything = outcome.voltages["ac_pu"]
    middle = (everything.min() + everything.max()) / 2
    inside = within_limits(outcome, voltages["ac_pu"])
    words = []
    for bus, exact, linear in zip(
        voltages.index, voltages["ac_pu"], voltages["lindistflow_pu"], strict=True
    ):
        hover = (
            f"<b>bus {bus}</b><br>{exact:.4f} pu by AC power flow<br>{linear:.4f} pu by LinDistFlow"
        )
        if bus in prices.index:
            hover += _price_words(prices.loc[bus], currency)
        words.append(hover)
    return {
        "marker.color": [rounded(voltages["ac_pu"], 5)],
        "marker.line.color": [[INK if fine else VERMILLION for fine in inside]],
        "marker.line.width": [[1 if fine else 4 for fine in inside]],
        "textfont.color": [["#ffffff" if v < middle else INK for v in voltages["ac_pu"]]],
        "hovertext": [words],
    }


def _price_words(row: pd.Series, currency: str) -> str:
    words = f"<br>price {number(float(row['price_per_kwh']), 4)} {currency}/kWh: energy "
    words += number(float(row["energy_per_kwh"]), 4)
    for part, name, _ in ADDED:
        value = float(row[f"{part}_per_kwh"])
        words += f", {name} {number(value, 4)}" if abs(value) >= _WORTH_SAYING else ""
    return words


def _agent_changes(drawing: Drawing, trades: pd.DataFrame) -> dict[str, list[Any]]:
    traded = trades["trade_kw"]
    sizes, fills, lines, words = [], [], [], []
    for name, kind, community, bus in drawing.agents:
        power = float(traded[name])
        buys = power >= 0
        colour = BLUE if buys else VERMILLION
        sizes.append(5 + 11 * float(np.sqrt(abs(power) / drawing.largest_trade_kw)))
        fills.append(colour if buys else "#ffffff")
        lines.append(colour)
        what = f"{'buys' if buys else 'sells'} {number(abs(power), 1)} kW"
        words.append(
            f"<b>{text(name)}</b> ({text(kind)})<br>community {text(community)}, bus {bus}<br>"
            f"{what if abs(power) > _IDLE_KW else 'does not trade'}"
        )
    return {
        "marker.size": [rounded(sizes, 1)],
        "marker.color": [fills],
        "marker.line": [{"color": lines, "width": 2}],
        "hovertext": [words],
    }


def _sentence(
    outcome: Outcome,
    drawing: Drawing,
    trades: pd.DataFrame,
    loading: Floats,
    voltages: pd.DataFrame,
) -> str:
    net = float(trades["trade_kw"].sum())
    voltage, buses = voltages["ac_pu"].to_numpy(dtype=float), voltages.index.to_numpy()
    low, high = int(voltage.argmin()), int(voltage.argmax())
    words = (
        f"Together the agents {'buy' if net >= 0 else 'sell'} <b>{number(abs(net), 0)} kW</b> "
        f"{'from' if net >= 0 else 'to'} the utility. Voltages lie between "
        f"<b>{voltage[low]:.4f} pu</b> (bus {buses[low]}) and "
        f"<b>{voltage[high]:.4f} pu</b> (bus {buses[high]})"
    )
    entry = outcome.scenario.feeder
    if entry is not None:
        words += f"; allowed are {entry.minimum_voltage_pu:g} to {entry.maximum_voltage_pu:g} pu"
    beyond = [str(bus) for bus in buses[~within_limits(outcome, voltages["ac_pu"])]]
    if beyond:
        are = "is" if len(beyond) == 1 else "are"
        words += f", so <b>bus {listing(beyond, 6)} {are} beyond the limit</b>"
    if not np.isfinite(drawing.limits_kva).any():
        return f"{words}. No line has a limit."
    fullest = int(np.argmax(loading))
    start, end = drawing.lines[fullest]
    return (
        f"{words}. The fullest line is <b>{start}–{end}</b>, at <b>{percent(loading[fullest])}</b> "
        f"of its {number(drawing.limits_kva[fullest], 0)} kVA."
    )
