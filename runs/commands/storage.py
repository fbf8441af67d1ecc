"""`nashgrid storage`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console, interruptible


def storage(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario with a feeder, or a .toml file.")
    ] = "campus33",
    market: Annotated[str, typer.Option(help="One of `nashgrid markets`.")] = "competitive",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Tell what shareable storage adds to sharing: the utility alone, sharing, sharing and storage.

    The exit code is 0 when all is certified, 1 when it is not, and 2 for bad input.
    """
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.storage_cases import storage_cases
    from nashgrid.runs.storage_table import show_storage

    chosen = load_scenario(scenario)
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), console.status("without shareable storage, and with it"):
        cases = storage_cases(chosen, market, seed)
        folder = escape(str(cases.save(out)))
    show_storage(console, cases)
    console.print(
        f"tables in [bold]{folder}[/], the runs in {folder}/without and {folder}/shared, each with "
        "a report"
    )
    raise typer.Exit(OK if cases.certified else NOT_CERTIFIED)
