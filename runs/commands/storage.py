"""`nashgrid storage`."""

from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console, interruptible


def storage(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario with a feeder, or a .toml file.")
    ] = "campus33",
    market: Annotated[str, typer.Option(help="One of `nashgrid markets`.")] = "competitive",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
) -> None:
    """Tell what shareable storage adds to sharing: the utility alone, sharing, sharing and storage.

    The exit code is 0 when all is certified, 1 when it is not, and 2 for bad input.
    """
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.storage_cases import storage_cases
    from nashgrid.runs.storage_table import show_storage

    chosen = load_scenario(scenario)
    with interruptible(), console.status("without shareable storage, and with it"):
        cases = storage_cases(chosen, market, seed)
    show_storage(console, cases)
    raise typer.Exit(OK if cases.certified else NOT_CERTIFIED)
