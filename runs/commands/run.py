"""`nashgrid run`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console, interruptible
from nashgrid.runs.explanation import explain


def run(
    scenario: Annotated[
        str | None,
        typer.Argument(
            help="Name of a built-in scenario, or path of a .toml file; default: campus33, or "
            "district with a population."
        ),
    ] = None,
    market: Annotated[str, typer.Option(help="One of `nashgrid markets`.")] = "nash-bargaining",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(help="Number of buildings drawn at random, in place of the scenario's own."),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Bound on the relative residuals, such as 1e-4 or 1e-6."),
    ] = None,
    loss: Annotated[
        float | None,
        typer.Option(help="Probability that a transmission is lost, below 0.9."),
    ] = None,
    latency: Annotated[
        float | None,
        typer.Option(help="Least delay of a message, in seconds."),
    ] = None,
    jitter: Annotated[
        float | None,
        typer.Option(help="Mean random delay of a message on top, in seconds."),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="What the operator minimises: cost, losses, voltage or weighted."),
    ] = None,
    loss_weight: Annotated[
        float | None,
        typer.Option(help="kWh that a lost one counts for beside its price, in that objective."),
    ] = None,
    voltage_weight: Annotated[
        float | None,
        typer.Option(help="kWh per hour in which a bus is off by 1 %, in that objective."),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(help="`ray` shares the population among worker processes, or a cluster."),
    ] = None,
    worker_count: Annotated[
        int | None,
        typer.Option(help="Number of workers; default: one for each processor."),
    ] = None,
) -> None:
    """Negotiate a day, prove the result, settle it and write a report.

    The exit code is 0 only for a converged and certified outcome, 1 for one that is not, and 2
    for bad input.
    """
    from nashgrid.runs.population_size import with_population
    from nashgrid.runs.progress import Progress, show_outcome
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario
    from nashgrid.runs.simulate import simulate

    chosen = load_scenario(scenario or ("campus33" if population is None else "district"))
    if population is not None:
        chosen = with_population(chosen, population)
    chosen = _override(chosen, "negotiation", tolerance=tolerance)
    chosen = _override(chosen, "messages", loss=loss, latency_s=latency, jitter_s=jitter)
    aims = {"objective": objective, "loss_weight": loss_weight, "voltage_weight": voltage_weight}
    chosen = _override(chosen, "feeder", **aims)
    next_folder(out)  # refuse at once what could not be written in the end
    shared = _shared(workers, worker_count)
    if chosen.population is not None:
        from nashgrid.runs.population_memory import memory_statement

        words = memory_statement(chosen.population, chosen, shared=shared)
        console.print(words, highlight=False)
    with interruptible(), Progress(console, chosen.negotiation.tolerance) as progress:
        if shared:
            outcome = _run_with_workers(chosen, market, seed, worker_count, progress)
        else:
            outcome = simulate(chosen, market, seed, on_round=progress.show, say=progress.say)
        progress.say("writing files and report")
        folder = outcome.save(out)
    show_outcome(console, outcome, folder)
    raise typer.Exit(OK if outcome.certified else NOT_CERTIFIED)


def _shared(workers: str | None, count: int | None) -> bool:
    """Whether workers hold the population."""
    if workers is None and count is not None:
        raise ValueError("--worker-count needs --workers ray")
    if workers not in (None, "ray"):
        raise ValueError(f"workers = {workers!r} is not known; there is: ray")
    return workers is not None


def _run_with_workers(
    scenario: Any, market: str, seed: int, count: int | None, progress: Any
) -> Any:
    from nashgrid.runs.ray_workers import RayCrew
    from nashgrid.runs.sharded_run import simulate_with_workers

    progress.say("starting the workers")
    try:
        with RayCrew(count) as crew:
            return simulate_with_workers(scenario, market, seed, crew, progress.show)
    except RuntimeError as error:
        raise ValueError(str(error)) from error  # a worker that died too often


def _override(scenario: Any, part: str, **values: float | str | None) -> Any:
    """Replace fields of a part of the scenario, checked like those of a file."""
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return scenario
    entry = getattr(scenario, part)
    if entry is None:
        raise ValueError(f"{', '.join(given)}: scenario {scenario.name} has no {part}")
    try:
        changed = type(entry).model_validate({**entry.model_dump(), **given})
    except ValidationError as error:
        raise ValueError(f"{part}: {explain(error, given)}") from error
    return scenario.model_copy(update={part: changed})
