"""`nashgrid markets`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from nashgrid.runs.commands.terminal import console

if TYPE_CHECKING:
    from nashgrid.runs.markets.market import Market


_ELSEWHERE = {
    "nashgrid lead": "market stackelberg with a profit that the leader requires",
    "nashgrid charges": "network charges and the schedules that answer them",
    "nashgrid play": "Cournot and energy sharing by best responses",
    "nashgrid shift": "load shifted in answer to sharing prices",
}


def markets(
    name: Annotated[str | None, typer.Argument(help="A market, to read all about it.")] = None,
) -> None:
    """List the markets, a line each; with a name, all about one."""
    from nashgrid.runs.markets import MARKETS, market_named

    if name is not None:
        console.print(_everything(market_named(name)))
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("market", "rule", "nobody loses"):
        table.add_column(heading, no_wrap=heading != "rule")
    for market in MARKETS.values():
        table.add_row(market.name, market.rule, _promised(market.individually_rational))
    console.print(table)
    console.print("`nashgrid markets NAME` tells what agents hear, say and give away in one.")
    console.print(
        "Games and loops beside the markets of `nashgrid run`:\n"
        + "\n".join(f"  {command:<17} {words}" for command, words in _ELSEWHERE.items()),
        highlight=False,
    )


def _everything(market: "Market") -> Table:
    table = Table(title=market.title, show_header=False, show_lines=True)
    for words, value in (
        ("rule", market.rule),
        ("in words", market.explanation),
        ("exchanges", ", ".join(market.exchanges)),
        ("an agent hears", ", ".join(market.heard)),
        ("an agent says", ", ".join(market.said)),
        ("it gives away", market.reveals),
        (
            "convergence",
            "each exchange is a proximal method on a convex problem; it ends when balance and "
            "prices move by less than the tolerance, which the certificate holds it to",
        ),
        ("certificate", market.certificate),
        ("deviation", market.deviation),
        ("nobody loses", _promised(market.individually_rational)),
    ):
        table.add_row(words, value)
    return table


def _promised(promise: bool) -> str:
    return "yes" if promise else "not promised"
