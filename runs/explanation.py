"""What is wrong with a scenario, in words: each field, its value and the bound it breaks."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from pydantic import ValidationError

_WORDS = {"missing": "required, but not given", "extra_forbidden": "there is no such field"}


def explain(error: ValidationError, content: Mapping[str, Any]) -> str:
    """One paragraph on all that is wrong with the content of a scenario, or of a part of it."""
    places = [detail["loc"] for detail in error.errors()]
    return "; ".join(
        _explain_one(dict(detail), content)
        for detail in error.errors()
        if not _follows(dict(detail), places)
    )


def _follows(detail: Mapping[str, Any], places: list[tuple[Any, ...]]) -> bool:
    """Whether a list is called too short only because its items are wrong."""
    here = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(place) > len(here) and place[: len(here)] == here for place in places
    )


def _explain_one(detail: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    words: list[str] = []
    here: Any = content
    for step in detail["loc"]:
        here = here[step] if _has(here, step) else None
        if isinstance(step, int):
            name = here.get("name") if isinstance(here, Mapping) else None
            words[-1] += f" {name!r}" if name else f"[{step}]"
        else:
            words.append(str(step))
    message = _WORDS.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    message += _given(detail.get("input"))
    return f"{': '.join(words)}: {message}" if words else message


def _given(value: Any) -> str:
    if value is None or isinstance(value, (Mapping, list)):
        return ""
    return f" (given: {value if isinstance(value, (date, time)) else repr(value)})"


def _has(here: Any, step: Any) -> bool:
    if isinstance(here, Mapping):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)
