"""The page: heading, sections and figures in one file that opens offline."""

from pathlib import Path

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.agent_figure import agent_section
from nashgrid.runs.report.balance_figure import balance_section
from nashgrid.runs.report.certificate_section import certificate_section
from nashgrid.runs.report.communities_section import communities_section
from nashgrid.runs.report.convergence_figure import convergence_section
from nashgrid.runs.report.crowd import crowd_of
from nashgrid.runs.report.crowd_page import crowd_sections
from nashgrid.runs.report.document import document
from nashgrid.runs.report.feeder_figure import feeder_section
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.headline import headline, page_title
from nashgrid.runs.report.leader_section import leader_section
from nashgrid.runs.report.price_figure import price_section
from nashgrid.runs.report.price_parts_figure import price_parts_section
from nashgrid.runs.report.reactive_figure import reactive_section
from nashgrid.runs.report.rental_section import rental_section
from nashgrid.runs.report.savings_section import savings_section

_SECTIONS = (
    feeder_section,
    price_section,
    price_parts_section,
    reactive_section,
    leader_section,
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
    contents = '<li><a href="#top">Result</a></li>'
    if not outcome.certified:
        contents += '<li><a class="bad" href="#certificate">✗ not certified</a></li>'
    return document(
        title=page_title(outcome),
        headline=headline(outcome),
        contents=contents,
        sections=report_sections(outcome),
        footer=f"Made by nashgrid, seed {outcome.seed}. Powers are positive when an agent buys or "
        "uses. This page needs no connection.",
    )
