"""Numbers as people read them."""

import html
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

MINUS = "−"


def number(value: float, decimals: int) -> str:
    """A number with thousands separators, a true minus and no negative zero."""
    text = f"{value:,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def money(value: float, currency: str) -> str:
    """An amount: two decimals; four where an amount is smaller than a tenth."""
    return f"{number(value, 2 if abs(value) >= 0.1 or abs(value) < 5e-5 else 4)} {currency}"


def percent(share: float) -> str:
    """A share in percent with one decimal."""
    return f"{number(100 * share, 1)} %"


def measure(value: float) -> str:
    """A number of unknown size, to three or four digits: 0.00012 as 1.2 × 10⁻⁴."""
    if value == 0 or 1e-2 <= abs(value) < 1e5:
        return f"{value:,.4g}".replace("-", MINUS) if abs(value) < 1e4 else number(value, 0)
    if not np.isfinite(value):
        return "infinite" if value > 0 else "not a number"
    mantissa, exponent = f"{value:.2e}".split("e")
    digits = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", MINUS)
    return f"10{digits}" if mantissa == "1" else f"{mantissa} × 10{digits}"


def count(quantity: int, singular: str) -> str:
    """A counted noun: 1 battery, 3 batteries."""
    if quantity == 1:
        return f"1 {singular}"
    plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
    return f"{number(quantity, 0)} {plural}"


def listing(names: Sequence[str], most: int = 8) -> str:
    """Names in a sentence; the first ones where there are many."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def text(words: str) -> str:
    """Words made safe for HTML, and for the labels of plotly, which read it too."""
    return html.escape(words, quote=True)


def rounded(values: ArrayLike, decimals: int = 3) -> list[float]:
    """Values for a figure: no more digits than anybody reads, no negative zero."""
    return [float(v) for v in np.round(np.asarray(values, dtype=float), decimals) + 0.0]
