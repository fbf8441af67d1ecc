"""What AC power flow says of the schedules, beside the model of the operator."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.runs.outcome import Outcome, Tables
from nashgrid.runs.report.cases import case_words
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.words import count, listing, number, percent, text
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_feeder import FeederEntry

_SLACK_PU = 5e-6
_SLACK_LOADING = 1e-4


@dataclass(frozen=True)
class Finding:
    """A figure by both models, and where it stands by AC."""

    words: str
    linear: str
    exact: str
    limit: str
    where: str


def ac_findings(outcome: Outcome) -> str:
    """Both models side by side, and in words where AC breaks a limit; nothing without a feeder."""
    entry = outcome.scenario.feeder
    if entry is None:
        return ""
    parts = [
        both_models(outcome.scenario, outcome, case, words.capitalize())
        for case, words in case_words(outcome).items()
    ]
    return (
        f"<h3>Check by AC power flow</h3><p>{_model(outcome, entry)} LinDistFlow leaves losses out "
        "of the flows and is therefore a little optimistic. The schedules by both (a finding, "
        "without verdict):</p>"
        f'<div class="beside">{"".join(parts)}</div>'
    )


def both_models(scenario: Scenario, tables: Tables, case: str, heading: str) -> str:
    """The extremes of a case by LinDistFlow and by AC, and in words where AC breaks a limit."""
    entry, clock = scenario.feeder, Clock(scenario.horizon)
    if entry is None:
        return ""
    voltages, lines, losses = (
        table[table["case"] == case] for table in (tables.voltages, tables.lines, tables.losses)
    )
    rows = "".join(
        f'<tr><td>{e.words}</td><td class="number">{e.linear}</td>'
        f'<td class="number">{e.exact}</td><td class="number">{e.limit}</td>'
        f"<td>{e.where}</td></tr>"
        for e in (*_extremes(entry, voltages, lines, clock), _lost(losses, clock))
    )
    return (
        f'<div><h4>{text(heading)}</h4><div class="tables"><table><thead><tr>'
        '<th></th><th class="number">LinDistFlow</th><th class="number">AC</th>'
        '<th class="number">limit</th><th>where (AC)</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_breaches(entry, voltages, lines)}</div>"
    )


def _model(outcome: Outcome, entry: FeederEntry) -> str:
    """How the operator saw the wires, and how its model answered in the slots."""
    if entry.model == "lindistflow":
        return "The negotiation describes the wires by LinDistFlow."
    answered = [
        f"{words}: " + ", ".join(f"{note} in {count(slots, 'slot')}" for note, slots in how.items())
        for case, words in case_words(outcome).items()
        for how in [outcome.certificate["ac_power_flow"][case]["flow_model"]]
    ]
    return (
        "The negotiation describes the wires by the branch-flow model, a relaxation of AC power "
        f"flow that may be exact. It was, {'; '.join(text(words) for words in answered)}. Limits "
        "and losses of the certificate are those of AC power flow."
    )


def _extremes(
    entry: FeederEntry, voltages: pd.DataFrame, lines: pd.DataFrame, clock: Clock
) -> list[Finding]:
    extremes = []
    for words, limit, sign in (
        ("lowest voltage [pu]", entry.minimum_voltage_pu, -1),
        ("highest voltage [pu]", entry.maximum_voltage_pu, 1),
    ):
        exact = voltages["ac_pu"].to_numpy(dtype=float)
        linear = sign * float((sign * voltages["lindistflow_pu"]).max())
        at = int((sign * exact).argmax())
        bus, slot = voltages["bus"].iloc[at], int(voltages["slot"].iloc[at])
        where = f"bus {bus}, {clock.labels[slot]}"
        extremes.append(Finding(words, f"{linear:.4f}", f"{exact[at]:.4f}", f"{limit:g}", where))
    limited = _loadings(lines)
    if not limited.empty:
        fullest = limited.sort_values("exact", kind="stable").to_dict("records")[-1]
        line = f"{fullest['from_bus']}–{fullest['to_bus']}"
        extremes.append(
            Finding(
                "fullest line",
                percent(float(limited["linear"].max())),
                percent(float(fullest["exact"])),
                "100 %",
                f"line {line}, {clock.labels[int(fullest['slot'])]}",
            )
        )
    return extremes


def _lost(losses: pd.DataFrame, clock: Clock) -> Finding:
    linear, exact = (
        number(clock.hours * float(losses[column].sum()), 1)
        for column in ("lindistflow_kw", "ac_kw")
    )
    return Finding("losses [kWh]", linear, exact, "", "all lines, all slots")


def _loadings(lines: pd.DataFrame) -> pd.DataFrame:
    limited: pd.DataFrame = lines[np.isfinite(lines["limit_kva"].to_numpy(dtype=float))]
    return limited.assign(
        linear=np.hypot(limited["flow_kw"], limited["flow_kvar"]) / limited["limit_kva"],
        exact=limited["ac_kva"] / limited["limit_kva"],
    )


def _breaches(entry: FeederEntry, voltages: pd.DataFrame, lines: pd.DataFrame) -> str:
    found = []
    low = voltages["ac_pu"] < entry.minimum_voltage_pu - _SLACK_PU
    high = voltages["ac_pu"] > entry.maximum_voltage_pu + _SLACK_PU
    for beyond, word in ((low, "below its lower limit"), (high, "above its upper limit")):
        if beyond.any():
            buses = voltages.loc[beyond, "bus"].nunique()
            slots = voltages.loc[beyond, "slot"].nunique()
            found.append(
                f"the voltage is {word} at {_plural(buses, 'bus', 'buses')} "
                f"in {count(slots, 'slot')}"
            )
    loadings = _loadings(lines)
    over = loadings[loadings["exact"] > 1 + _SLACK_LOADING]
    for (start, end), rows in over.groupby(["from_bus", "to_bus"], sort=True):
        found.append(
            f"line {start}–{end} is above its limit in {count(rows['slot'].nunique(), 'slot')}, at "
            f"most at {percent(float(rows['exact'].max()))}"
        )
    difference = float((voltages["ac_pu"] - voltages["lindistflow_pu"]).abs().max())
    closing = f"Voltages of the two models differ by at most {number(difference, 5)} pu."
    if not found:
        return f"<p>By AC power flow no limit is broken. {closing}</p>"
    return f"<p><b>By AC power flow {listing(found, 12)}.</b> {closing}</p>"


def _plural(quantity: int, one: str, many: str) -> str:
    return f"{quantity} {one if quantity == 1 else many}"
