"""Compiled functions whose cache notices every source file that they are made of."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from nashgrid.agents.population.lanes import WIDTH

SOURCES = (
    "fields", "lanes", "day", "elimination", "passes", "assessment", "transfer", "tables",
    "intrinsics", "profiles", "compiled", "newton", "stragglers",
)  # fmt: skip


@cache
def source_digest() -> str:
    """Fingerprint of the files that compiled functions are made of, and of the number of lanes.

    Numba's cache looks only at the file of the function that it keeps; a compiled function that
    mentions this text in a closure is compiled again whenever any of the files changes.
    """
    digest = hashlib.sha256(str(WIDTH).encode())
    for name in SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()
