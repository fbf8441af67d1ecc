"""What the three cases of shareable storage show in the terminal."""

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nashgrid.runs.storage_cases import StorageCases


def show_storage(console: Console, cases: StorageCases) -> None:
    """A row for each case."""
    scenario = cases.shared.scenario
    table = Table(title=f"{scenario.name}: shareable storage", box=SIMPLE, pad_edge=False)
    headings = (f"cost [{scenario.currency}]", f"less [{scenario.currency}]", "less [%]")
    table.add_column("case")
    for heading in (*headings, "full lines x slots", "losses [kWh]"):
        table.add_column(heading.replace("[", "\\["), justify="right")
    for row in cases.table.to_dict("records"):
        table.add_row(
            row["case"],
            f"{row['cost']:,.2f}",
            f"{row['reduction']:,.2f}",
            f"{row['reduction_percent']:.2f}",
            str(row["full_line_slots"]),
            f"{row['losses_kwh']:,.1f}",
        )
    console.print(table)
    verdict = "certified" if cases.certified else "[bold red]NOT CERTIFIED[/]"
    console.print(f"Costs of the community with its operator; losses by AC power flow; {verdict}.")
