"""A page in one file that opens offline: heading, contents, sections, and figures that move."""

import json
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from plotly.offline import get_plotlyjs

from nashgrid.runs.report.figure import Section

_PARTS = files("nashgrid.runs.report")


def document(
    *, title: str, headline: str, sections: Sequence[Section], footer: str, contents: str = ""
) -> str:
    """The page as HTML.

    Parameters
    ----------
    title, headline, footer : HTML
    contents : entries of the list of contents before those of the sections
    """
    figures = [figure.content() for section in sections for figure in section.figures]
    return Template(_part("page.html")).substitute(
        title=title,
        style=_part("page.css"),
        headline=headline,
        contents=contents
        + "".join(f'<li><a href="#{s.anchor}">{s.short}</a></li>' for s in sections),
        sections="\n".join(_html(section) for section in sections),
        footer=footer,
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


def _html(section: Section) -> str:
    figures = "".join(figure.html() for figure in section.figures)
    return (
        f'<section id="{section.anchor}" aria-labelledby="{section.anchor}-title">'
        f'<h2 id="{section.anchor}-title">{section.title}</h2>'
        f"{section.body}{figures}</section>"
    )
