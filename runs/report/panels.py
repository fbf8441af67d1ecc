"""Panels side by side, one for each case, with one vertical axis for all."""

from typing import Any

from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.style import axis, panel_title


def panels(cases: dict[str, str], clock: Clock, title: str) -> dict[str, Any]:
    """Axes and headings of a layout; `cases` in words, `title` of the vertical axis."""
    domains = [[0.0, 0.475], [0.525, 1.0]] if len(cases) == 2 else [[0.0, 1.0]]
    made: dict[str, Any] = {"annotations": []}
    for column, (words, domain) in enumerate(zip(cases.values(), domains, strict=True), start=1):
        ending = str(column) if column > 1 else ""
        made[f"xaxis{ending}"] = clock.axis(domain=domain, anchor=f"y{ending}")
        linked = {"matches": "y", "showticklabels": False} if column > 1 else {}
        made[f"yaxis{ending}"] = axis(
            "" if column > 1 else title, anchor=f"x{ending}", zerolinewidth=2, **linked
        )
        made["annotations"].append(panel_title(words.capitalize(), f"x{ending}", f"y{ending}"))
    return made
