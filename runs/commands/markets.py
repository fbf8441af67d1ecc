"""`nashgrid markets`."""

from rich.table import Table

from nashgrid.runs.commands.terminal import console


def markets() -> None:
    """List the markets: rule, messages, what the certificate holds them to, rationality."""
    from nashgrid.runs.markets import MARKETS

    table = Table("market", "rule, messages, certificate", show_lines=True)
    for market in MARKETS.values():
        promised = "yes" if market.individually_rational else "not promised"
        table.add_row(
            f"[bold]{market.name}[/]",
            f"{market.rule}\nhears {', '.join(market.heard)}; says {', '.join(market.said)}\n"
            f"certificate: {market.certificate}\nnobody loses: {promised}",
        )
    console.print(table)
