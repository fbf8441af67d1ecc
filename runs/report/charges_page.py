"""The page of network charges: the table, and what a kWh costs at every bus by each rule."""

from pathlib import Path

from nashgrid.runs.charge_comparison import ChargeComparison
from nashgrid.runs.charges_table import WORDS, cells
from nashgrid.runs.report.certificate_section import claims_table
from nashgrid.runs.report.document import document
from nashgrid.runs.report.figure import Figure, Section
from nashgrid.runs.report.privacy_findings import privacy_findings
from nashgrid.runs.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, axis, layout
from nashgrid.runs.report.words import rounded, text

_COLOURS = (INK, BLUE, ORANGE, GREEN, PURPLE, SKY)
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


def write_charges(comparison: ChargeComparison, path: Path) -> Path:
    """Write the page; whatever is there is replaced."""
    name = text(comparison.scenario.name)
    page = document(
        title=f"{name}: network charges – nashgrid",
        headline=_headline(comparison),
        sections=[
            Section("rules", "Rules", "The rules side by side", _table(comparison)),
            Section(
                "prices",
                "Prices",
                "What a kWh costs at every bus",
                "<p>Energy and charge, the mean of the day. A pair that trades pays the difference "
                "of its prices as charge: where a bus sells its price is lower by that than where "
                "one buys. Buses stand in the order of their numbers, neighbours or not.</p>",
                (_figure(comparison),),
            ),
            Section("certificate", "Certificate", "The certificate", _certificate(comparison)),
        ],
        footer="Made by nashgrid. This page needs no connection.",
    )
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _headline(comparison: ChargeComparison) -> str:
    stable = sum(one.stable for one in comparison.outcomes)
    kept = [WORDS[one.rule] for one in comparison.outcomes if one.keeps_limits]
    whole = comparison.certified
    held = f"limits kept by {', '.join(kept)}" if kept else "limits kept by none"
    return (
        f"<h1>{text(comparison.scenario.name)}: network charges</h1>"
        '<p class="what">The operator announces charges, every agent answers with its cheapest '
        "schedule, the operator hears the sums at each bus and moves the charges, until both stay."
        f'</p><div class="verdict {"good" if whole else "bad"}" role="status"><b class="mark">'
        f"{'✓' if whole else '✗'} {stable} of {len(comparison.outcomes)} came to rest; {held}"
        "</b></div>"
    )


def _table(comparison: ChargeComparison) -> str:
    headings, rows = cells(comparison)
    (name, *rules), *measures = zip(headings, *rows, strict=True)
    head = f"<th>{text(name)}</th>" + "".join(
        f'<th class="number">{text(rule)}</th>' for rule in rules
    )
    body = "".join(
        f"<tr><td>{text(heading)}</td>"
        + "".join(f'<td class="number">{text(cell)}</td>' for cell in values)
        + "</tr>"
        for heading, *values in measures
    )
    return (
        "<p>Limits by LinDistFlow, losses by AC power flow. Cost is that of all devices, of the "
        "energy upstream and of the losses; adequacy is revenue over what is to be recovered, "
        f"losses and {comparison.terms.fixed_cost:g} {comparison.scenario.currency} fixed.</p>"
        f'<div class="tables"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def _certificate(comparison: ChargeComparison) -> str:
    claims, summary = comparison.certificate["claims"], comparison.summary
    traffic = summary["messages"].values()
    messages, sent = (sum(kind[name] for kind in traffic) for name in ("messages", "bytes"))
    audit = comparison.certificate["message_audit"]
    told = privacy_findings(audit, comparison.scenario)
    findings = "".join(f"<li>{line}</li>" for line in told)
    return (
        f"<p>{sum(claim['holds'] for claim in claims.values())} of {len(claims)} claims hold. "
        "Agents and operator spoke with a cloud alone, which forwards prices and sums: "
        f"{messages:,} messages, {sent / 1e6:,.1f} MB, {summary['simulated_seconds']:,.1f} s on "
        "the simulated clock. All of it is computed again from the files by nashgrid verify.</p>"
        f"{claims_table(claims, comparison.scenario.currency, WORDS)}<ul>{findings}</ul>"
    )


def _figure(comparison: ChargeComparison) -> Figure:
    # Later marks are smaller: where rules agree, all can be seen.
    marks = zip(comparison.outcomes, _COLOURS, _SYMBOLS, range(14, 0, -2))
    return Figure(
        name="charges-figure",
        words="Mean price of a kWh at every bus, by rule",
        data=[
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": WORDS[one.rule],
                "x": [str(place) for place in comparison.places],
                "y": rounded(one.price_per_kwh.mean(axis=0), 5),
                "line": {"color": colour, "width": 1.5},
                "marker": {"color": colour, "symbol": symbol, "size": size},
                "hovertemplate": "bus %{x}: %{y:.4f}",
            }
            for one, colour, symbol, size in marks
        ],
        layout=layout(
            height=420,
            xaxis=axis("bus", type="category", showgrid=False),
            yaxis=axis(f"mean price [{comparison.scenario.currency}/kWh]"),
        ),
    )
