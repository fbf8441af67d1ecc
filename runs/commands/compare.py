"""`nashgrid compare`."""

from pathlib import Path
from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import console, end_study, interruptible


def compare(
    scenario: Annotated[
        str,
        typer.Argument(help="Name of a built-in scenario, or path of a .toml file."),
    ] = "campus33",
    markets: Annotated[
        str, typer.Option(help="`all`, or names of `nashgrid markets` with commas between.")
    ] = "all",
    seeds: Annotated[str, typer.Option(help="Seeds of everything random, commas between.")] = "1",
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Run several markets on one scenario and put them side by side.

    The exit code is 0 when every market that has a meaning on the scenario converged and was
    certified, 1 when one was not, and 2 for bad input.
    """
    from nashgrid.runs.compare import compare as run_all
    from nashgrid.runs.compare_table import show_comparison
    from nashgrid.runs.progress import Progress
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario

    chosen = load_scenario(scenario)
    names = None if markets == "all" else [name.strip() for name in markets.split(",")]
    numbers = _whole_numbers(seeds)
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), Progress(console, chosen.negotiation.tolerance) as progress:
        comparison = run_all(chosen, names, numbers, on_round=progress.show)
        progress.say("writing tables and page")
        folder = comparison.save(out)
    show_comparison(console, comparison)
    end_study(folder / "comparison.html", comparison.certified)


def _whole_numbers(words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError as error:
        raise ValueError(f"seeds: {words!r} must be whole numbers, commas between") from error
