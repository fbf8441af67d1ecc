"""Network charges side by side: one table, for the terminal, as Markdown, and for the page."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nashgrid.runs.charge_comparison import ChargeComparison

Row = Mapping[Any, Any]

WORDS = {
    "none": "no charge",
    "uniform": "uniform",
    "distance": "distance",
    "zonal": "zonal",
    "price-difference": "price difference",
    "dual-ascent": "dual ascent",
}
"""The rules in words."""


def columns(currency: str) -> dict[str, Callable[[Row], str]]:
    """Heading -> how a row of the comparison's table is shown there."""
    return {
        "charge": lambda row: WORDS[row["rule"]],
        "iterations": lambda row: f"{row['iterations']}{'' if row['stable'] else ', unstable'}",
        "limits": lambda row: "kept" if row["keeps_limits"] else "exceeded",
        "excess [kW]": lambda row: f"{row['excess_kw']:.2f}",
        "excess [pu]": lambda row: f"{row['excess_pu']:.4f}",
        f"cost [{currency}]": lambda row: f"{row['total_cost']:,.2f}",
        "losses, AC [kWh]": lambda row: f"{row['ac_losses_kwh']:,.1f}",
        f"mean charge [{currency}/kWh]": lambda row: f"{row['mean_charge_per_kwh']:.4f}",
        f"revenue [{currency}]": lambda row: f"{row['revenue']:,.2f}",
        f"to recover [{currency}]": lambda row: f"{row['cost_to_recover']:,.2f}",
        "adequacy": lambda row: f"{row['adequacy']:.2f}",
        "messages": lambda row: f"{row['messages']:,}",
        "sent [MB]": lambda row: f"{row['bytes'] / 1e6:,.1f}",
    }


def cells(comparison: ChargeComparison) -> tuple[list[str], list[list[str]]]:
    """Headings and rows, as words."""
    shown = columns(comparison.scenario.currency)
    rows = comparison.table.to_dict("records")
    return list(shown), [[words(row) for words in shown.values()] for row in rows]


def markdown(comparison: ChargeComparison) -> str:
    """The table as Markdown."""
    headings, rows = cells(comparison)
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show_charges(console: Console, comparison: ChargeComparison) -> None:
    """Print the table, one column for each rule: so it fits a narrow terminal."""
    headings, rows = cells(comparison)
    table = Table(title=f"{comparison.scenario.name}: network charges", box=SIMPLE, padding=(0, 1))
    table.add_column(headings[0], min_width=len("iterations"))
    for row in rows:
        table.add_column(row[0], justify="right")
    for number, heading in enumerate(headings[1:], start=1):
        table.add_row(heading.replace("[", "\\["), *(row[number] for row in rows))
    console.print(table)
    console.print(
        "Limits by LinDistFlow, losses by AC power flow. Adequacy: what the charges bring in over "
        "what they are to recover.",
        highlight=False,
    )
