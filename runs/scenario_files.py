"""Scenario files: reading, listing and writing them."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from nashgrid.runs.explanation import explain
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
            what = "is a folder" if path.is_dir() else "does not exist"
            raise ValueError(f"scenario file {path} {what}")
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
    if "folder" in content:
        raise ValueError(f"scenario {origin}: folder: there is no such field")
    try:
        return Scenario.model_validate({**content, "folder": folder})
    except ValidationError as error:
        raise ValueError(f"scenario {origin}: {explain(error, content)}") from error


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
