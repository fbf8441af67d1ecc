"""Scenario files: reading, listing and writing them."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from nashgrid.runs.profiles import did_you_mean
from nashgrid.runs.scenario import Scenario

_BUILT_IN = files("nashgrid.runs.scenarios")


def built_in_scenarios() -> dict[str, str]:
    """Names of the built-in scenarios and what each shows."""
    names = sorted(
        entry.name.removesuffix(".toml")
        for entry in _BUILT_IN.iterdir()
        if entry.name.endswith(".toml")
    )
    return {name: load_scenario(name).description for name in names}


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A built-in scenario by name, or one of your own from a TOML file.

    Raises
    ------
    ValueError
        If there is no such scenario or it is not valid; names the field, the value and the bound.
    """
    path = Path(name_or_path)
    built_in = _BUILT_IN / f"{name_or_path}.toml"
    if path.suffix == ".toml":
        if not path.is_file():
            raise ValueError(f"scenario file {path} does not exist")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"scenario file {path} cannot be read: {error}") from error
        return parse_scenario(text, str(path), path.parent)
    if not built_in.is_file():
        known = tuple(sorted(e.name[:-5] for e in _BUILT_IN.iterdir() if e.name.endswith(".toml")))
        raise ValueError(
            f"there is no built-in scenario {str(name_or_path)!r};"
            f"{did_you_mean(str(name_or_path), known)} the built-in ones are {', '.join(known)}; "
            "your own is given by the path of a .toml file"
        )
    return parse_scenario(built_in.read_text(encoding="utf-8"), str(name_or_path), Path())


def parse_scenario(text: str, origin: str, folder: Path) -> Scenario:
    """A scenario from TOML text; `folder` is where its relative profile files are looked for."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"scenario {origin} is not valid TOML: {error}") from error
    try:
        return Scenario.model_validate({**content, "folder": folder})
    except ValidationError as error:
        raise ValueError(f"scenario {origin}: {_explain(error, content)}") from error


def scenario_toml(scenario: Scenario) -> str:
    """The complete scenario as TOML; reading it back gives an equal scenario."""
    content = scenario.model_dump(mode="python", exclude_none=True)
    return tomli_w.dumps(_plain(content))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _explain(error: ValidationError, content: Mapping[str, Any]) -> str:
    """One paragraph that names each field, its value and the bound it breaks."""
    return "; ".join(_explain_one(dict(detail), content) for detail in error.errors())


def _explain_one(detail: dict[str, Any], content: Mapping[str, Any]) -> str:
    words: list[str] = []
    here: Any = content
    for step in detail["loc"]:
        here = here[step] if _has(here, step) else None
        if isinstance(step, int):
            name = here.get("name") if isinstance(here, Mapping) else None
            words[-1] += f" {name!r}" if name else f"[{step}]"
        else:
            words.append(str(step))
    message = detail["msg"].removeprefix("Value error, ")
    given = detail.get("input")
    value = "" if given is None or isinstance(given, (Mapping, list)) else f" (given: {given!r})"
    return f"{': '.join(words)}: {message}{value}" if words else message


def _has(here: Any, step: Any) -> bool:
    if isinstance(here, Mapping):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)
