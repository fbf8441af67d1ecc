"""What a comparison shows in the terminal."""

from collections.abc import Callable, Iterable, Sequence

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from nashgrid.runs.comparison import Comparison
from nashgrid.runs.comparison_measures import CERTIFIED, REFUSED

_NUMBERS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("total_cost", "cost", lambda v: f"{v + 0.0:,.2f}"),
    ("saving", "saving", lambda v: f"{round(v, 2) + 0.0:,.2f}"),
    ("price_of_anarchy", "anarchy", lambda v: f"{v:.4f}"),
    ("jain", "Jain", lambda v: f"{v:.2f}"),
    ("gini", "Gini", lambda v: f"{v:.2f}"),
    ("gain", "gain", lambda v: f"{round(v, 1):,.5g}"),
    ("lose", "lose", lambda v: f"{round(v, 1):,.5g}"),
    ("core_excess", "core", lambda v: f"{v:,.2f}"),
    ("rounds", "rounds", lambda v: f"{v:.0f}"),
    ("messages", "messages", lambda v: f"{v:,.0f}"),
    ("bytes", "MB", lambda v: f"{v / 1e6:.2f}"),
    ("negotiation_s", "s", lambda v: f"{v:.1f}"),
)
_EVERYTHING = tuple(name for name, _, _ in _NUMBERS)
_FEWEST = ("total_cost", "saving", "lose")
_SHOWN = (_EVERYTHING, (*_EVERYTHING[:8], "rounds"), _FEWEST)
"""Columns shown: the first of these for which there is room."""


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Both tables, and what has to be said about them."""
    console.print(_first_that_fits(console, (_overview(comparison, one) for one in _SHOWN)))
    refused = comparison.table[comparison.table["status"] == REFUSED]
    for row in refused.drop_duplicates("market").itertuples():
        console.print(f"[bold]{row.market}[/] is refused here: {escape(row.why)}", highlight=False)
    failed = comparison.table[~comparison.table["status"].isin([CERTIFIED, REFUSED])]
    for row in failed.itertuples():
        console.print(
            f"[bold red]{row.market}, seed {row.seed}, is not certified[/]: {escape(row.why)}",
            highlight=False,
        )
    console.print("agents that have more under the rule of the row than under the column's")
    console.print(_first_that_fits(console, (_better(comparison, one) for one in (False, True))))
    console.print(
        "Exchanges that markets share were held once; rounds, messages and seconds count for each "
        "market all that it needs. Cost and saving are those of all but the utility; anarchy is "
        "what the schedules cost over what the best would; Jain and Gini are of the savings; core "
        "is the most that a group could gain by leaving (at most 0: none would).",
        highlight=False,
    )


def letters(comparison: Comparison) -> dict[str, str]:
    """A short name for each market: a, b, c ..."""
    names = comparison.table["market"].unique()
    return {name: chr(ord("a") + number) for number, name in enumerate(names)}


def means(comparison: Comparison) -> pd.DataFrame:
    """One row per market: means over the seeds, and how often it was certified."""
    table = comparison.table
    groups = table.groupby("market", sort=False)
    numbers = groups[[name for name, _, _ in _NUMBERS]].mean()
    numbers["certified"] = groups["status"].agg(lambda s: int((s == CERTIFIED).sum()))
    numbers["refused"] = groups["status"].agg(lambda s: bool((s == REFUSED).all()))
    numbers["claims"] = groups["claims"].first()
    return numbers


def _first_that_fits(console: Console, tables: Iterable[Table]) -> Table:
    """The first table that is no wider than the terminal, or the last."""
    for table in tables:
        if Measurement.get(console, console.options, table).maximum < console.width:
            break
    return table


def _overview(comparison: Comparison, shown: Sequence[str]) -> Table:
    """With some of the columns; all are in comparison.csv."""
    columns = [column for column in _NUMBERS if column[0] in shown]
    count = len(comparison.seeds)
    over = "" if count == 1 else f", means over {count} seeds"
    narrow = shown == _FEWEST
    table = Table(
        title=f"{comparison.scenario.name} [{comparison.scenario.currency}]{over}",
        box=box.SIMPLE if narrow else box.HEAVY_HEAD,
        pad_edge=not narrow,
    )
    table.title = escape(str(table.title))
    table.add_column("", no_wrap=True)
    table.add_column("market", no_wrap=True, min_width=30)
    for _, heading, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("claims held" if narrow else "certificate", no_wrap=True)
    short = letters(comparison)
    for name, row in means(comparison).iterrows():
        values = [
            write(float(row[column])) if pd.notna(row[column]) else "–"
            for column, _, write in columns
        ]
        table.add_row(short[str(name)], str(name), *values, _verdict(row, count, narrow))
    return table


def _verdict(row: pd.Series, seeds: int, narrow: bool) -> str:
    if row["refused"]:
        return "refused"
    if row["certified"] == seeds:
        return str(row["claims"]) if narrow else f"[green]certified[/] {row['claims']}"
    return f"[bold red]NOT[/] {row['claims']} ({row['certified']} of {seeds})"


def _better(comparison: Comparison, narrow: bool) -> Table:
    """Of two rules: under which how many agents have more."""
    better, short = comparison.better, letters(comparison)
    table = Table(
        box=box.SIMPLE if narrow else box.HEAVY_HEAD,
        padding=(0, 0) if narrow else (0, 1),
    )
    table.add_column("", no_wrap=True)
    if not narrow:
        table.add_column("market", no_wrap=True)
    for name in better.columns:
        table.add_column(short[str(name)], justify="right", no_wrap=True)
    for row in better.index:
        cells = ["·" if row == column else str(better.loc[row, column]) for column in better]
        table.add_row(short[str(row)], *([] if narrow else [str(row)]), *cells)
    return table
