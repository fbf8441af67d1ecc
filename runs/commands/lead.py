"""`nashgrid lead`."""

from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import OK, console, interruptible


def lead(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario, or path of a .toml file.")
    ] = "village",
    aim: Annotated[
        str, typer.Option(help="cover: the least charge that earns enough; profit: the most.")
    ] = "cover",
    required: Annotated[
        float, typer.Option(help="What the leader has to earn, to cover, in the currency.")
    ] = 0.0,
) -> None:
    """Let the operator lead with a charge that the agents answer: a Stackelberg game.

    The exit code is 0 when a charge was found, and 2 for bad input or where none keeps the limits.
    """
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.stackelberg import stackelberg
    from nashgrid.runs.stackelberg_table import show_leading

    chosen = load_scenario(scenario)
    with interruptible(), console.status("the leader tries charges, the agents answer"):
        found = stackelberg(chosen, aim, required=required)
    show_leading(console, found, chosen.currency)
    raise typer.Exit(OK)
