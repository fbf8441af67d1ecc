"""Compiled functions whose cache notices every source file that they are made of."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from nashgrid.agents.population.lanes import WIDTH


@cache
def source_digest() -> str:
    """Fingerprint of this folder and of the number of lanes.

    Numba's cache looks only at the file of the function that it keeps; a compiled function that
    mentions this text in a closure is compiled again whenever any of the files changes.
    """
    digest = hashlib.sha256(str(WIDTH).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
