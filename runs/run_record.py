"""outcome.json: what a run came to, and the checksums of its files."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

_VERSIONS = ("nashgrid", "numpy", "scipy", "cvxpy", "clarabel", "daqp", "power-grid-model", "mesa")


def checksum(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def record_checksum(record: dict[str, Any]) -> str:
    """Checksum of outcome.json without the entry that holds it."""
    rest = {key: value for key, value in record.items() if key != "checksum"}
    return checksum(json.dumps(rest, sort_keys=True).encode())


def read_record(folder: Path) -> dict[str, Any]:
    """The content of outcome.json.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or holds something else.
    """
    record = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    if not isinstance(record, dict):
        raise ValueError("it holds no record of a run")
    return record


def versions() -> dict[str, str]:
    """Of nashgrid, and of what it computes with."""
    return {name: version(name) for name in _VERSIONS}


def write_record(record: dict[str, Any], folder: Path, listed: Sequence[Path]) -> None:
    """Write outcome.json, with the checksums of the listed files and its own."""
    files = {path.relative_to(folder).as_posix(): checksum(path.read_bytes()) for path in listed}
    whole = {**record, "files": files}
    whole["checksum"] = record_checksum(whole)
    (folder / "outcome.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def changed_files(record: dict[str, Any], folder: Path, listed: Sequence[Path]) -> Iterator[str]:
    """What is not as it was written, a sentence each."""
    if record.get("checksum") != record_checksum(record):
        yield "outcome.json was changed after the run: its checksum differs"
    for path in listed:
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            yield f"{name} is missing"
        elif record.get("files", {}).get(name) != checksum(path.read_bytes()):
            yield f"{name} was changed after the run: its checksum differs"
