"""`nashgrid lead`."""

from pathlib import Path
from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console, interruptible


def lead(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario, or path of a .toml file.")
    ] = "village",
    required: Annotated[
        float | None,
        typer.Option(
            help="What the leader has to earn, in the currency, with the least charge; default: "
            "what the scenario says, or as much as it can."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Let a leader charge for trades inside, and the agents answer: `run --market stackelberg`.

    The exit code is 0 only for a converged and certified outcome, 1 for one that is not, and 2
    for bad input or where no charge earns what is required.
    """
    from nashgrid.runs.progress import Progress, show_outcome
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.stackelberg import stackelberg

    chosen = load_scenario(scenario)
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), Progress(console, chosen.negotiation.tolerance) as progress:
        outcome = stackelberg(chosen, required, seed, on_round=progress.show)
        progress.say("writing files and report")
        folder = outcome.save(out)
    show_outcome(console, outcome, folder)
    raise typer.Exit(OK if outcome.certified else NOT_CERTIFIED)
