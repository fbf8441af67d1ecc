"""`nashgrid tie`."""

from pathlib import Path
from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import console, end_study, interruptible

EXAMPLE = ("campus33-export", "harbour15", 18, 12, 120.0)
"""Two scenarios, where the tie is connected in each, and its limit [kW]."""
_NAMES = ("FIRST", "SECOND", "--first-bus", "--second-bus", "--limit-kw")


def tie(
    first: Annotated[
        str | None, typer.Argument(help="A scenario with a feeder: built-in name, or .toml file.")
    ] = None,
    second: Annotated[
        str | None, typer.Argument(help="Another one of the same day, with an operator of its own.")
    ] = None,
    first_bus: Annotated[
        int | None, typer.Option(help="Bus of the first feeder where the tie begins.")
    ] = None,
    second_bus: Annotated[
        int | None, typer.Option(help="Bus of the second feeder where it ends.")
    ] = None,
    limit_kw: Annotated[
        float | None, typer.Option(help="Largest flow over it, either way, in kW.")
    ] = None,
    resistance_pu: Annotated[
        float, typer.Option(help="Of the whole tie, half on the base of each feeder.")
    ] = 1e-3,
    reactance_pu: Annotated[
        float, typer.Option(help="Of the whole tie, half on the base of each feeder.")
    ] = 1e-3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Tie the feeders of two operators, who trade the flow, and tell what the tie brings.

    Without arguments a built-in example. The exit code is 0 when all converged and was certified,
    1 when it was not, and 2 for bad input.
    """
    from nashgrid.runs.progress import Progress
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.tied.market import simulate_tied
    from nashgrid.runs.tied.terminal import show_tied
    from nashgrid.runs.tied.tie import Tie

    one, other, begins, ends, limit = _given_or_example(
        first, second, first_bus, second_bus, limit_kw
    )
    scenarios = load_scenario(one), load_scenario(other)
    link = Tie(begins, ends, limit, resistance_pu, reactance_pu)
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), Progress(console, scenarios[0].negotiation.tolerance) as progress:
        outcome = simulate_tied(*scenarios, link, seed, progress.show, progress.say)
        progress.say("writing files and page")
        folder = outcome.save(out)
    show_tied(console, outcome)
    end_study(folder / "tie.html", outcome.certified)


def _given_or_example(
    first: str | None,
    second: str | None,
    first_bus: int | None,
    second_bus: int | None,
    limit_kw: float | None,
) -> tuple[str, str, int, int, float]:
    """What was asked for; the example where nothing was."""
    given = (first, second, first_bus, second_bus, limit_kw)
    if all(value is None for value in given):
        return EXAMPLE
    if first is None or second is None or first_bus is None or second_bus is None:
        missing = _NAMES[given.index(None)]
        raise ValueError(f"tie: {missing} is missing; {_ALL_OR_NONE}")
    if limit_kw is None:
        raise ValueError(f"tie: --limit-kw is missing; {_ALL_OR_NONE}")
    return first, second, first_bus, second_bus, limit_kw


_ALL_OR_NONE = (
    "two scenarios need the buses and the limit of their tie, and the built-in example nothing"
)
