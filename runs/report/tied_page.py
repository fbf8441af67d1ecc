"""The page of two feeders with a tie: what flows, what it brings, and its proof, in one file."""

from collections.abc import Mapping
from pathlib import Path

from nashgrid.market.topics import TRADING
from nashgrid.runs.report.ac_findings import both_models
from nashgrid.runs.report.certificate_section import claims_table
from nashgrid.runs.report.document import document
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.privacy_findings import privacy_findings
from nashgrid.runs.report.reactive_figure import inverters_section
from nashgrid.runs.report.tied_figures import flow_figure, prices_figure, savings_figure
from nashgrid.runs.report.words import count, listing, measure, money, number, percent, text
from nashgrid.runs.tied.market import TiedOutcome
from nashgrid.runs.tied.tables import of_feeder

_ROWS = (("agents_", "agents"), ("operator_", "operator"), ("", "together"))


def write_tied(outcome: TiedOutcome, path: Path) -> Path:
    """Write the page; whatever is there is replaced."""
    path.write_text(tied_page(outcome), encoding="utf-8", newline="\n")
    return path


def tied_page(outcome: TiedOutcome) -> str:
    """The page as HTML."""
    names = " and ".join(text(scenario.name) for scenario in outcome.scenarios)
    title = f"{names}, tied – nashgrid"
    return document(
        title=title if outcome.certified else f"✗ NOT CERTIFIED – {title}",
        headline=_headline(outcome, names),
        sections=[
            Section(
                "flow", "Flow", "The flow over the tie", _flow(outcome), (flow_figure(outcome),)
            ),
            Section("costs", "Costs", "Costs with the tie and without", _costs(outcome)),
            *_savings(outcome),
            Section(
                "prices",
                "Prices",
                "Prices, bus by bus",
                "<p>With the tie the highest bus of a feeder is the middle of the tie: there the "
                "price is that of the flow.</p>",
                (prices_figure(outcome),),
            ),
            *_inverters(outcome),
            Section("certificate", "Certificate", "The certificate", _certificate(outcome)),
        ],
        footer=f"Made by nashgrid, seed {outcome.seed}. This page needs no connection.",
    )


def _headline(outcome: TiedOutcome, names: str) -> str:
    claims = outcome.certificate["claims"]
    failing = [text(name) for name, one in claims.items() if not one["holds"]]
    mark, verdict = "good", f"✓ Converged and certified: all {len(claims)} claims hold"
    if failing:
        mark, verdict = "bad", f"✗ NOT CERTIFIED: {listing(failing)}"
    cards = "".join(
        f'<div class="card"><b>{figure}</b><span>{words}</span></div>'
        for figure, words in _cards(outcome)
    )
    link = outcome.link
    described = " ".join(
        f"<b>{text(one.name)}</b>: {text(one.description.rstrip('.'))}."
        for one in outcome.scenarios
        if one.description
    )
    return (
        f"<h1>{names}: two operators and a tie</h1>"
        f'<p class="what">{described} A tie of {link.limit_kw:g} kW joins bus {link.first_bus} of '
        f"the first and bus {link.second_bus} of the second. Each operator has its own wires and "
        "utility; the flow in a slot is a commodity that both trade, and nobody else. Everybody "
        "pays the clearing price of its own place.</p>"
        f'<div class="verdict {mark}" role="status"><b class="mark">{verdict}</b></div>'
        f'<div class="cards">{cards}</div>'
    )


def _cards(outcome: TiedOutcome) -> list[tuple[str, str]]:
    summary, tie = outcome.summary, outcome.summary["tie"]
    currency, whole = summary["currency"], summary["all"]
    energy = tie["forward_kwh"] + tie["backward_kwh"]
    gain = ("–", "a feeder cannot be kept without the tie")
    if whole["saving"] is not None:
        share = whole["saving"] / abs(whole["cost_before"])
        gain = (
            money(whole["saving"], currency),
            f"both together save by the tie, {percent(share)} of their cost without",
        )
    return [
        gain,
        (f"{number(energy, 0)} kWh", "flow over the tie"),
        (f"{tie['slots_at_limit']} of {len(outcome.tie)}", "slots in which the tie is full"),
        (money(sum(tie["rent"].values()), currency), "rent of the tie, kept by the operators"),
    ]


def _flow(outcome: TiedOutcome) -> str:
    tie, currency = outcome.summary["tie"], outcome.summary["currency"]
    first, second = (text(scenario.name) for scenario in outcome.scenarios)
    kept = [f"{money(rent, currency)} by {text(name)}" for name, rent in tie["rent"].items()]
    return (
        f"<p>{number(tie['forward_kwh'], 1)} kWh flow from {first} to {second}, "
        f"{number(tie['backward_kwh'], 1)} kWh the other way. While the tie has room, the prices "
        "at its ends differ by what its losses cost; where it is full they part, and the flow "
        "earns a rent: flow times the difference. The operators buy and sell at the price of the "
        "flow and each keeps what is earned on its half of the tie: "
        f"{listing(kept)}. Where the tie is full any price between those of its ends would do as "
        "well: the sum of the rents is settled by the market, their shares by where the "
        "negotiation ended.</p>"
    )


def _costs(outcome: TiedOutcome) -> str:
    summary = outcome.summary
    currency = summary["currency"]
    parts = [
        *((text(name), costs) for name, costs in summary["feeders"].items()),
        ("both", summary["all"]),
    ]
    rows = "".join(
        f'<tr class="group"><th colspan="5">{name}</th></tr>'
        + "".join(_cost_row(words, costs, key) for key, words in _ROWS)
        for name, costs in parts
    )
    return (
        "<p>Without the tie each feeder has its own market at clearing prices. Costs are those of "
        "devices and payments; an operator's are negative where its wires earn more than energy "
        "and losses cost it upstream. What the operators pay one another for the flow is among "
        "them, and cancels in the sum.</p>"
        '<div class="tables"><table><thead><tr><th></th>'
        f'<th class="number">without [{currency}]</th><th class="number">with [{currency}]</th>'
        f'<th class="number">saving [{currency}]</th><th class="number">saving [%]</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _cost_row(words: str, costs: Mapping[str, float | None], key: str) -> str:
    before, after, saving = (costs[f"{key}{n}"] for n in ("cost_before", "cost_after", "saving"))
    share = None if not before or saving is None else 100 * saving / abs(before)
    cells = "".join(
        f'<td class="number">{"–" if value is None else number(value, digits)}</td>'
        for value, digits in ((before, 2), (after, 2), (saving, 2), (share, 1))
    )
    return f"<tr><td>{words}</td>{cells}</tr>"


def _savings(outcome: TiedOutcome) -> list[Section]:
    if outcome.summary["all"]["saving"] is None:
        return []
    losers = outcome.certificate["losers"]
    currency = outcome.summary["currency"]
    words = "".join(
        f"<p><b>{text(name)}:</b> {_losers(lost, currency)}</p>" for name, lost in losers.items()
    )
    body = (
        "<p>A tie makes energy dearer where it is taken and cheaper where it is brought: who sells "
        "in the one gains, who buys in it loses, and the other way round. Nothing promises that "
        f"nobody loses.</p>{words}"
    )
    return [Section("savings", "Savings", "Who gains, who loses", body, (savings_figure(outcome),))]


def _losers(lost: Mapping[str, float], currency: str) -> str:
    if not lost:
        return "nobody loses."
    named = [f"{text(name)} ({money(-saving, currency)})" for name, saving in lost.items()]
    if len(lost) == 1:
        return f"{named[0]} loses."
    return f"{count(len(lost), 'participant')} lose, worst first: {listing(named)}."


def _inverters(outcome: TiedOutcome) -> list[Section]:
    tables = {one.name: of_feeder(outcome, one.name).reactive for one in outcome.scenarios}
    tables = {name: table for name, table in tables.items() if len(table)}
    return [inverters_section(tables, outcome.scenarios[0].horizon)] if tables else []


def _certificate(outcome: TiedOutcome) -> str:
    certificate, currency = outcome.certificate, outcome.summary["currency"]
    welfare = certificate["welfare"]
    conv = sum(certificate["nash_conv"].values())
    names = {scenario.name: scenario.name for scenario in outcome.scenarios}
    told = "".join(
        f"<li>{text(scenario.name)}. {line}</li>"
        for scenario in outcome.scenarios
        for line in privacy_findings(certificate["message_audit"][scenario.name], scenario)
    )
    return (
        "<p>The numbers are computed from the tables, apart from the negotiation that found them. "
        f"The deviations meant are <b>{text(certificate['deviation'])}</b>.</p>"
        f"{claims_table(certificate['claims'], currency, names)}"
        "<h3>Findings beside the claims</h3><ul>"
        f"<li><b>Against the central optimum of both.</b> One problem with the data of both "
        f"feeders costs {number(welfare['central_cost'], 4)} {currency}, the negotiation "
        f"{number(welfare['total_cost'], 4)}: a relative gap of {measure(welfare['relative_gap'])}."
        f"</li><li><b>All participants together</b> could gain at most {measure(conv)} {currency} "
        "by changing their own schedules at these prices (sum of epsilon, by weak duality).</li>"
        f"{told}</ul>{_ac_findings(outcome)}"
    )


def _ac_findings(outcome: TiedOutcome) -> str:
    parts = "".join(
        both_models(scenario, of_feeder(outcome, scenario.name), TRADING, scenario.name)
        for scenario in outcome.scenarios
    )
    return (
        "<h3>Check by AC power flow</h3><p>The operators describe their wires by the models of "
        "their scenarios. The schedules by LinDistFlow and by AC, each half of the tie with its "
        "feeder (a finding, without verdict):</p>"
        f'<div class="beside">{parts}</div>'
    )
