"""The command line: run, play, shift, compare, verify, scenarios, markets."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nashgrid.runs.explanation import explain

OK, NOT_CERTIFIED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="nashgrid",
    help="Peer-to-peer electricity trading among autonomous agents, with certified equilibria.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
scenarios_app = typer.Typer(help="List and print scenarios.", invoke_without_command=True)
app.add_typer(scenarios_app, name="scenarios")
console = Console()


def main() -> None:
    """Entry point: bad input is one paragraph on stderr and exit code 2, never a traceback."""
    try:
        app()
    except ValueError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        sys.exit(BAD_INPUT)


@app.command()
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
    next_folder(out)  # refuse at once what could not be written in the end
    shared = _shared(workers, worker_count)
    if chosen.population is not None:
        from nashgrid.runs.population_memory import memory_statement

        words = memory_statement(chosen.population, chosen, shared=shared)
        console.print(words, highlight=False)
    try:
        with Progress(console, chosen.negotiation.tolerance) as progress:
            if shared:
                outcome = _run_with_workers(chosen, market, seed, worker_count, progress)
            else:
                outcome = simulate(chosen, market, seed, on_round=progress.show, say=progress.say)
            progress.say("writing files and report")
            folder = outcome.save(out)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: nothing was written")
        raise typer.Exit(INTERRUPTED) from None
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


@app.command()
def play(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario without a feeder, or a .toml file.")
    ] = "village",
    market: Annotated[str, typer.Option(help="cournot or energy-sharing.")] = "cournot",
    how: Annotated[
        str,
        typer.Option(help="gauss-seidel (one after the other), jacobi (all at once) or random."),
    ] = "gauss-seidel",
    movers: Annotated[int, typer.Option(help="How many move at once, each blind.")] = 1,
    relaxation: Annotated[
        float, typer.Option(help="How far one goes towards its answer, above 0 and at most 1.")
    ] = 1.0,
    proximal: Annotated[
        float, typer.Option(help="Weight that keeps answers near, in currency/kW2h.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random orders.")] = 1,
    rounds: Annotated[int, typer.Option(help="The play ends after so many.")] = 200,
) -> None:
    """Let agents answer one another, round after round, and see where that ends.

    The exit code is 0 only where it converges, 1 where it does not, and 2 for bad input.
    """
    from nashgrid.runs.play import play as let_play
    from nashgrid.runs.progress import show_play
    from nashgrid.runs.scenario_files import load_scenario

    chosen = load_scenario(scenario)
    found = let_play(
        chosen,
        market,
        how,
        movers=movers,
        relaxation=relaxation,
        proximal=proximal,
        seed=seed,
        rounds=rounds,
    )
    show_play(console, found, chosen.currency)
    raise typer.Exit(OK if found.ending == "converged" else NOT_CERTIFIED)


@app.command()
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


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")],
) -> None:
    """Recompute the proof of a run from its files alone; exit 1 naming what fails."""
    from nashgrid.runs.verify import verify as check

    found = check(folder)
    if found.holds:
        console.print(
            f"[bold]verified[/]: {len(found.certificate['claims'])} claims recomputed from the "
            f"files of {escape(str(folder))} hold, and every number agrees"
        )
        return
    for failure in found.failures:
        console.print(f"[bold red]fails[/] {escape(failure)}", highlight=False)
    raise typer.Exit(NOT_CERTIFIED)


@app.command()
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
    try:
        with Progress(console, chosen.negotiation.tolerance) as progress:
            comparison = run_all(chosen, names, numbers, on_round=progress.show)
            progress.say("writing tables and page")
            folder = comparison.save(out)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: nothing was written")
        raise typer.Exit(INTERRUPTED) from None
    show_comparison(console, comparison)
    console.print(
        f"tables and page in [bold]{escape(str(folder))}[/] "
        f"(open {escape(str(folder / 'comparison.html'))})"
    )
    raise typer.Exit(OK if comparison.certified else NOT_CERTIFIED)


def _whole_numbers(words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError as error:
        raise ValueError(f"seeds: {words!r} must be whole numbers, commas between") from error


@app.command()
def markets() -> None:
    """List the markets: rule, messages, what the certificate holds them to, rationality."""
    from nashgrid.runs.markets import MARKETS

    table = Table("market", "rule, messages, certificate", show_lines=True)
    for market in MARKETS.values():
        promised = "yes" if market.individually_rational else "not promised"
        table.add_row(
            f"[bold]{market.name}[/]",
            f"{market.rule}\nhears {', '.join(market.heard)}; says {', '.join(market.said)}\n"
            f"certificate: {market.certificate}\nnobody loses: {promised}",
        )
    console.print(table)


@scenarios_app.callback()
def scenarios(context: typer.Context) -> None:
    """List the built-in scenarios."""
    if context.invoked_subcommand is not None:
        return
    from nashgrid.runs.scenario_files import built_in_scenarios

    table = Table("scenario", "what it shows")
    for name, description in built_in_scenarios().items():
        table.add_row(name, description)
    console.print(table)


@scenarios_app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a built-in scenario, or a .toml file.")],
) -> None:
    """Print a scenario complete, defaults and all."""
    from nashgrid.runs.scenario_files import load_scenario, scenario_toml

    typer.echo(scenario_toml(load_scenario(name)), nl=False)


def _override(scenario: Any, part: str, **values: float | None) -> Any:
    """Replace fields of a part of the scenario, checked like those of a file."""
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return scenario
    entry = getattr(scenario, part)
    try:
        changed = type(entry).model_validate({**entry.model_dump(), **given})
    except ValidationError as error:
        raise ValueError(f"{part}: {explain(error, given)}") from error
    return scenario.model_copy(update={part: changed})
