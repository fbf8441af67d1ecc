"""`nashgrid play`."""

from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, OK, console


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
