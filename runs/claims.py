"""Claims: statements of a certificate, each with a value, a bound and a verdict."""

from typing import Any

import numpy as np


def claim(value: float, bound: float, words: str) -> dict[str, Any]:
    """A statement that a value is at most a bound."""
    return {"value": value, "bound": bound, "holds": bool(value <= bound), "words": words}


def allowed(tolerance: float, strict: float, loose: float) -> float:
    """A bound between its values at tolerance 1e-6 and below, and at 1e-4 and above."""
    share = np.clip(np.log10(tolerance / 1e-6) / 2, 0.0, 1.0)
    return float(strict * (loose / strict) ** share)
