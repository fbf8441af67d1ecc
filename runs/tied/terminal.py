"""What two feeders with a tie show in the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nashgrid.runs.tied.market import TiedOutcome


def show_tied(console: Console, outcome: TiedOutcome) -> None:
    """Costs of each feeder, what flows over the tie and earns, and the verdict."""
    summary, tie = outcome.summary, outcome.summary["tie"]
    currency = summary["currency"]
    table = Table(title=f"tie of {outcome.link.limit_kw:g} kW \\[{currency}]")
    table.add_column("feeder", no_wrap=True)
    for heading in ("cost without", "cost with", "saving", "rent of the tie"):
        table.add_column(heading, justify="right")
    rents = {**tie["rent"], "both": sum(tie["rent"].values())}
    for name, costs in (*summary["feeders"].items(), ("both", summary["all"])):
        if name == "both":
            table.add_section()
        amounts = (costs["cost_before"], costs["cost_after"], costs["saving"], rents[name])
        table.add_row(escape(name), *map(_amount, amounts))
    console.print(table)
    first, second = (scenario.name for scenario in outcome.scenarios)
    console.print(
        f"over the tie flow {tie['forward_kwh']:,.1f} kWh from {escape(first)} to "
        f"{escape(second)} and {tie['backward_kwh']:,.1f} kWh back; it is full in "
        f"{tie['slots_at_limit']} of {len(outcome.tie)} slots; {summary['rounds']} rounds",
        highlight=False,
    )
    for scenario, alone in zip(outcome.scenarios, outcome.alone):
        if alone is None:
            console.print(f"{escape(scenario.name)} cannot be kept without the tie")
    losers = sum(len(lost) for lost in outcome.certificate["losers"].values())
    if losers:
        console.print(f"{losers} participants are worse off with the tie; the page names them")
    _show_verdict(console, outcome)


def _show_verdict(console: Console, outcome: TiedOutcome) -> None:
    claims = outcome.certificate["claims"]
    failed = {name: one for name, one in claims.items() if not one["holds"]}
    if not failed:
        gap = outcome.certificate["welfare"]["relative_gap"]
        console.print(
            f"[bold green]certified[/]: all {len(claims)} claims hold; {gap:.1e} (relative) from "
            "the central optimum of both feeders"
        )
        return
    console.print(f"[bold red]NOT CERTIFIED[/]: {len(failed)} of {len(claims)} claims fail")
    for name, one in failed.items():
        console.print(
            f"  {escape(name)}: {escape(one['words'])} is {one['value']:.3g}, allowed "
            f"{one['bound']:.3g}"
        )


def _amount(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"
