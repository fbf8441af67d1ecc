"""The messages of an exchange as text: who told whom what, round by round."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.market.messages import FIELDS

SMALLEST = 1e-6
"""Numbers are shown to six significant digits; what is smaller than this, as nothing."""
FIRST, LAST = 3, 2
"""Rounds at the beginning and at the end that an abridged transcript shows in full."""

_ONLY_PRICES = {"quote": ("price",)}


def transcript(
    messages: pa.Table, names: Mapping[int, str], topic: str, *, abridged: bool = False
) -> str:
    """Every message of an exchange with all its fields, as text.

    Messages with the same content to several receivers stand as one. Abridged, only the first
    three rounds and the last two are shown in full, of the others only the prices of the quotes.

    Parameters
    ----------
    messages : of an outcome
    names : address -> who answers there
    topic : the exchange

    Raises
    ------
    ValueError
        If nobody spoke in that exchange, or messages were logged without their content.
    """
    rows = messages.filter(pa.compute.equal(messages["topic"].cast(pa.string()), topic))
    said = rows.to_pandas()
    if said.empty:
        raise ValueError(f"nobody spoke in an exchange {topic!r}")
    if (said["count"] > 1).any():
        raise ValueError(f"the messages of the exchange {topic!r} were logged without content")
    # Quotes open rounds; what is said before the first belongs to none.
    opens = (said["kind"] == "quote") & said["model_step"].diff().ne(0)
    opens |= (said["kind"] == "quote") & ~said["kind"].shift().eq("quote")
    said["round"] = opens.cumsum()
    closes = said["kind"].isin(("closing", "commitment", "remainder", "volume"))
    last = int(said["round"].max())
    lines = [f"exchange {topic!r}: {len(said)} messages, {last} rounds"]
    for number, part in said[~closes].groupby("round", sort=True):
        brief = abridged and FIRST < int(number) <= last - LAST
        lines += ["", f"round {number}" if number else "opening"]
        lines += _told(part, names, _ONLY_PRICES if brief else None)
    lines += ["", "end", *_told(said[closes], names, None)]
    return "\n".join(lines) + "\n"


def _told(
    said: pd.DataFrame, names: Mapping[int, str], only: Mapping[str, tuple[str, ...]] | None
) -> Iterator[str]:
    """The messages in the order in which they were sent; alike ones together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for row in said.to_dict("records"):
        shown = FIELDS[row["kind"]] if only is None else only.get(row["kind"])
        if shown is None:
            continue
        content = "\n".join(
            f"    {name} {_numbers(row[name])}"
            for name in shown
            if row[name] is not None and len(row[name])
        )
        key = row["kind"], names[row["sender"]], content
        together.setdefault(key, []).append(names[row["receiver"]])
    for (kind, sender, content), receivers in together.items():
        yield f"  {kind}: {sender} to {', '.join(receivers)}"
        yield content


def _numbers(values: Any) -> str:
    """Six significant digits, without noise and without the sign of a zero."""
    cleaned = np.where(np.abs(values) < SMALLEST, 0.0, values) + 0.0
    return " ".join(f"{value:.6g}" for value in cleaned)
