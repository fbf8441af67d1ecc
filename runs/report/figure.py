"""A figure of the page: plotly traces, controls beside it, and what each setting shows."""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from nashgrid.runs.report.words import text

Trace = dict[str, Any]


@dataclass(frozen=True)
class Option:
    """A setting of a control: its key, its words, the group it is listed under."""

    key: str
    words: str
    group: str = ""


@dataclass(frozen=True)
class Choice:
    """A control. The settings of all controls of a figure, joined by "|", name its view.

    The keys of a slider are 0, 1, 2 ...
    """

    label: str
    style: Literal["buttons", "list", "slider"]
    options: tuple[Option, ...]
    selected: str


@dataclass(frozen=True)
class Figure:
    """What page.js draws.

    Parameters
    ----------
    name : identifier, fixed, so that the same outcome gives the same page
    words : what the figure shows, for those who cannot see it
    data, layout : plotly traces and layout
    views : setting -> {"data": traces} or {"changes": [[first trace, {attribute: value of each
        trace from there on}], ...]}, "layout" in place of the figure's, "note": HTML beneath
    """

    name: str
    words: str
    data: list[Trace]
    layout: dict[str, Any]
    choices: tuple[Choice, ...] = ()
    views: dict[str, dict[str, Any]] = field(default_factory=dict)

    def html(self) -> str:
        """The place of the figure in the page, with its controls."""
        height = self.layout["height"]
        controls = "".join(
            f'<div class="control">{_control(self.name, number, choice)}</div>'
            for number, choice in enumerate(self.choices)
        )
        bar = f'<div class="controls" id="{self.name}-controls">{controls}</div>'
        note = f'<p class="note" id="{self.name}-note" aria-live="polite"></p>'
        return (
            f"{bar if self.choices else ''}"
            f'<div class="figure" id="{self.name}" role="img" aria-label="{text(self.words)}" '
            f'style="min-height:{height}px"></div>'
            f"{note if self.views else ''}"
        )

    def content(self) -> dict[str, Any]:
        """What page.js needs, ready for JSON."""
        return {
            "name": self.name,
            "data": self.data,
            "layout": self.layout,
            "views": self.views,
        }


@dataclass(frozen=True)
class Section:
    """A part of the page; `body` is HTML, `short` its name in the table of contents."""

    anchor: str
    short: str
    title: str
    body: str
    figures: tuple[Figure, ...] = ()


def one_legend_entry_each(traces: list[Trace]) -> list[Trace]:
    """The same traces; of each legend group the first stands in the legend."""
    seen: list[str] = []
    for trace in traces:
        trace["showlegend"] = trace["legendgroup"] not in seen
        seen.append(trace["legendgroup"])
    return traces


def _control(name: str, number: int, choice: Choice) -> str:
    if len(choice.options) == 1:
        return f'<input type="hidden" value="{text(choice.selected)}" data-choice>'
    if choice.style == "buttons":
        return _buttons(f"{name}-{number}", choice)
    if choice.style == "list":
        return _list(f"{name}-{number}", choice)
    return _slider(f"{name}-{number}", choice)


def _buttons(identifier: str, choice: Choice) -> str:
    buttons = "".join(
        f'<label><input type="radio" name="{identifier}" value="{text(option.key)}" data-choice'
        f"{' checked' if option.key == choice.selected else ''}>"
        f"<span>{text(option.words)}</span></label>"
        for option in choice.options
    )
    return f"<fieldset><legend>{text(choice.label)}</legend>{buttons}</fieldset>"


def _list(identifier: str, choice: Choice) -> str:
    groups = []
    for group, options in groupby(choice.options, key=lambda option: option.group):
        entries = "".join(
            f'<option value="{text(option.key)}"'
            f"{' selected' if option.key == choice.selected else ''}>{text(option.words)}</option>"
            for option in options
        )
        named = f'<optgroup label="{text(group)}">{entries}</optgroup>'
        groups.append(named if group else entries)
    return (
        f'<label for="{identifier}">{text(choice.label)}</label>'
        f'<select id="{identifier}" data-choice>{"".join(groups)}</select>'
    )


def _slider(identifier: str, choice: Choice) -> str:
    words = text("|".join(option.words for option in choice.options))
    return (
        f'<label for="{identifier}">{text(choice.label)}</label>'
        f'<button type="button" data-play="{identifier}">▶ play</button>'
        f'<input type="range" id="{identifier}" min="0" max="{len(choice.options) - 1}" step="1" '
        f'value="{text(choice.selected)}" data-choice data-words="{words}">'
        f'<output for="{identifier}"></output>'
    )
