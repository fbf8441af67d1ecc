"""`nashgrid shift`."""

from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console


def shift(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario without a feeder, or a .toml file.")
    ] = "village",
    market: Annotated[str, typer.Option(help="A sharing price.")] = "mid-market-rate",
    step: Annotated[
        float, typer.Option(help="How far all go towards their answers, above 0 and at most 1.")
    ] = 1.0,
    control: Annotated[
        bool, typer.Option(help="Halve the step when all together could gain more than before.")
    ] = True,
    rounds: Annotated[int, typer.Option(help="Ends after so many.")] = 200,
) -> None:
    """Let agents shift load in answer to sharing prices, and see where that ends.

    The exit code is 0 only where it converges, 1 where it does not, and 2 for bad input.
    """
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.shifting import shift as let_shift
    from nashgrid.runs.shifting_table import show_shifting

    chosen = load_scenario(scenario)
    found = let_shift(chosen, market, step=step, control=control, rounds=rounds)
    show_shifting(console, found, chosen.currency)
    raise typer.Exit(OK if found.ending == "converged" else NOT_CERTIFIED)
