"""What a Pareto front shows in the terminal."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from nashgrid.runs.pareto import ParetoFront

_WIDE = 100


def show_pareto(console: Console, front: ParetoFront) -> None:
    """One row per point, and which of them no other beats."""
    columns: dict[str, Callable[[dict[Any, Any]], str]] = {
        "weight:\nlosses": lambda row: f"{row['loss_weight']:g}",
        "weight:\nvoltages": lambda row: f"{row['voltage_weight']:g}",
        f"cost\n[{front.scenario.currency}]": lambda row: f"{row['cost']:,.2f}",
        "losses\n[kWh]": lambda row: f"{row['losses_kwh']:,.2f}",
        "deviation\n[%]": lambda row: f"{row['deviation_percent']:.4f}",
        "front": lambda row: "yes" if row["on_front"] else "beaten",
        "certified": lambda row: "yes" if row["certified"] else "[bold red]NO[/]",
    }
    if console.width >= _WIDE:
        columns["lowest\n[pu]"] = lambda row: f"{row['lowest_voltage_pu']:.4f}"
        columns["gap"] = lambda row: f"{row['welfare_gap']:.1e}"
    table = Table(title=f"{front.scenario.name}: weights, and what they lead to")
    for name in columns:
        table.add_column(name.replace("[", "\\["), justify="right", no_wrap=True)
    for row in front.table.to_dict("records"):
        table.add_row(*(words(row) for words in columns.values()))
    console.print(table)
    console.print(
        "Cost is money alone; losses and the mean deviation from 1 pu are those of AC power flow.",
        highlight=False,
    )
