"""What a leader's search shows in the terminal."""

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nashgrid.runs.stackelberg import StackelbergOutcome


def show_leading(console: Console, found: StackelbergOutcome, currency: str) -> None:
    """A row for each charge that was tried, and what is proved of the one chosen."""
    table = Table(
        title=f"a leader's charges, {len(found.agents)} followers", box=SIMPLE, pad_edge=False
    )
    headings = ("share", f"charge [{currency}/kWh]", f"profit [{currency}]")
    for heading in (*headings, f"agents pay [{currency}]", "limits", ""):
        table.add_column(heading.replace("[", "\\["), justify="right")
    for one in found.tried:
        table.add_row(
            f"{one.share:.3f}",
            f"{one.charge_per_kwh.mean():.4f}",
            f"{one.profit:,.2f}",
            f"{one.cost.sum():,.2f}",
            "kept" if one.admissible else "exceeded",
            "chosen" if one.share == found.chosen.share else "",
        )
    console.print(table)
    console.print(
        "Each answer is its agent's best: no other schedule would save it more than "
        f"{max(float(found.chosen.epsilon.max()), 0.0):.1e} {currency} at the charge chosen. No "
        "charge that was tried and keeps the limits serves the leader better.",
        highlight=False,
    )
