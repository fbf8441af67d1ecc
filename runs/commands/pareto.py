"""`nashgrid pareto`."""

from pathlib import Path
from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import console, end_study, interruptible


def pareto(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario with a feeder, or a .toml file.")
    ] = "campus33",
    weights: Annotated[
        str,
        typer.Option(help="Put on losses, on deviations of voltage, and on both; commas between."),
    ] = "3,10,30",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Weigh cost, losses and voltages against one another: a market for each weight, and the front.

    The exit code is 0 when every point converged and was certified, 1 when one was not, and 2 for
    bad input.
    """
    from nashgrid.runs.pareto import pareto as weigh
    from nashgrid.runs.pareto_table import show_pareto
    from nashgrid.runs.progress import Progress
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario

    chosen = load_scenario(scenario)
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), Progress(console, chosen.negotiation.tolerance) as progress:
        front = weigh(chosen, _numbers(weights), seed, progress.show, progress.say)
        progress.say("writing table and page")
        folder = front.save(out)
    show_pareto(console, front)
    end_study(folder / "pareto.html", front.certified)


def _numbers(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")]
    except ValueError as error:
        raise ValueError(f"weights: {words!r} must be numbers, commas between") from error
