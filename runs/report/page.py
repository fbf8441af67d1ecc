"""The page: heading, sections and figures in one file that opens offline."""

import json
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.agent_figure import agent_section
from nashgrid.runs.report.balance_figure import balance_section
from nashgrid.runs.report.certificate_section import certificate_section
from nashgrid.runs.report.communities_section import communities_section
from nashgrid.runs.report.convergence_figure import convergence_section
from nashgrid.runs.report.crowd import crowd_of
from nashgrid.runs.report.crowd_page import crowd_sections
from nashgrid.runs.report.feeder_figure import feeder_section
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.headline import headline, page_title
from nashgrid.runs.report.price_figure import price_section
from nashgrid.runs.report.price_parts_figure import price_parts_section
from nashgrid.runs.report.rental_section import rental_section
from nashgrid.runs.report.savings_section import savings_section

_PARTS = files("nashgrid.runs.report")
_SECTIONS = (
    feeder_section,
    price_section,
    price_parts_section,
    balance_section,
    communities_section,
    rental_section,
    agent_section,
    savings_section,
    convergence_section,
    certificate_section,
)


def write_report(outcome: Outcome, path: Path) -> Path:
    """Write the report of an outcome: one HTML file, nothing fetched, no wall clock in it.

    The same outcome gives the same bytes (with the same version of plotly).

    Parameters
    ----------
    outcome : what to report
    path : file to write; whatever is there is replaced

    Returns
    -------
    pathlib.Path
        The path.
    """
    path.write_text(report_page(outcome), encoding="utf-8", newline="\n")
    return path


def report_sections(outcome: Outcome) -> list[Section]:
    """The sections that an outcome has."""
    crowd = crowd_of(outcome)
    if crowd is None:
        made = [section(outcome) for section in _SECTIONS]
    else:
        made = crowd_sections(outcome, crowd)
    return [section for section in made if section is not None]


def report_page(outcome: Outcome) -> str:
    """The page as HTML."""
    sections = report_sections(outcome)
    figures = [figure.content() for section in sections for figure in section.figures]
    return Template(_part("page.html")).substitute(
        title=page_title(outcome),
        style=_part("page.css"),
        headline=headline(outcome),
        contents=_contents(outcome, sections),
        sections="\n".join(_html(section) for section in sections),
        footer=f"Made by nashgrid, seed {outcome.seed}. Powers are positive when an agent buys or "
        "uses. This page needs no connection.",
        plotly=get_plotlyjs(),
        figures=_json(figures),
        script=_part("page.js"),
    )


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _json(figures: list[dict[str, object]]) -> str:
    """JSON that cannot end the script element it stands in."""
    written = json.dumps(figures, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.replace("</", "<\\/")


def _contents(outcome: Outcome, sections: list[Section]) -> str:
    top = '<li><a href="#top">Result</a></li>'
    if not outcome.certified:
        top += '<li><a class="bad" href="#certificate">✗ not certified</a></li>'
    return top + "".join(f'<li><a href="#{s.anchor}">{s.short}</a></li>' for s in sections)


def _html(section: Section) -> str:
    figures = "".join(figure.html() for figure in section.figures)
    return (
        f'<section id="{section.anchor}" aria-labelledby="{section.anchor}-title">'
        f'<h2 id="{section.anchor}-title">{section.title}</h2>'
        f"{section.body}{figures}</section>"
    )
