"""What a leader's search shows in the terminal."""

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nashgrid.runs.charges_tried import read_charges
from nashgrid.runs.outcome import Outcome


def show_charges_tried(console: Console, outcome: Outcome) -> None:
    """A row for each charge by rising share; nothing where nobody leads."""
    if outcome.charges_tried.empty:
        return
    found, currency = outcome.certificate["leader"], outcome.scenario.currency
    table = Table(title=f"charges that the {found['who']} tried", box=SIMPLE, pad_edge=False)
    headings = ("share", f"charge\n[{currency}/kWh]", "inside\n[kWh]")
    for heading in (*headings, f"income\n[{currency}]", f"profit\n[{currency}]", "rounds", ""):
        table.add_column(heading.replace("[", "\\["), justify="right")
    for one in sorted(read_charges(outcome.charges_tried), key=lambda one: one.share):
        table.add_row(
            f"{one.share:.3f}",
            f"{one.charge_per_kwh:.4f}",
            f"{one.inside_kwh:,.1f}",
            f"{one.income:,.2f}",
            f"{round(one.profit, 2) + 0.0:,.2f}",
            f"{one.rounds}" if one.converged else "no end",
            "chosen" if one.share == found["share"] else "",
        )
    console.print(table)
