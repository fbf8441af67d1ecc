"""What the pages say of inverters, against numbers by hand."""

from datetime import datetime

import pandas as pd

from nashgrid.runs.report.reactive_figure import inverters_section
from nashgrid.runs.scenario import HorizonEntry

HORIZON = HorizonEntry(start=datetime(2016, 6, 21, 10), slots=2, slot_minutes=60)


def settings(first: tuple[float, float], second: tuple[float, float]) -> pd.DataFrame:
    """Set points [kvar] of two buses, which can do 4 and 1 kvar, in two slots."""
    rows = [(2, slot, kvar, 4.0) for slot, kvar in enumerate(first)]
    rows += [(3, slot, kvar, 1.0) for slot, kvar in enumerate(second)]
    return pd.DataFrame(rows, columns=["bus", "slot", "set_kvar", "limit_kvar"])


def test_sums_and_parts_of_both_feeders() -> None:
    tables = {"Lane": settings((-2.0, 1.0), (-1.0, 0.5)), "Q & A": settings((0, 0), (0, 0.25))}
    section = inverters_section(tables, HORIZON)
    assert "<b>Lane:</b> together they give at most 3.0 kvar, 10:00–11:00, and" in section.body
    assert "take at most 1.5 kvar, of 5.0 kvar; they are at their limit in 25.0 %" in section.body
    assert "<b>Q &amp; A:</b> together they give at most 0.0 kvar" in section.body
    first, second = section.figures
    assert first.data[0]["z"] == [[-0.5, 0.25], [-1.0, 0.5]]
    assert second.data[0]["z"] == [[0.0, 0.0], [0.0, 0.25]]
    assert first.name != second.name
