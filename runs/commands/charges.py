"""`nashgrid charges`."""

from pathlib import Path
from typing import Annotated

import typer

from nashgrid.runs.commands.terminal import console, end_study, interruptible


def charges(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario with a feeder, or a .toml file.")
    ] = "campus33",
    rules: Annotated[
        str,
        typer.Option(
            help="`all`, or of none, uniform, distance, zonal, price-difference and dual-ascent, "
            "commas between."
        ),
    ] = "all",
    fixed_cost: Annotated[
        float, typer.Option(help="What the charges have to bring in beside the losses.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of what the message network leaves to chance.")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the files; default: the next number in nashgrid-runs."),
    ] = None,
) -> None:
    """Let network charges and the schedules that answer them come to rest, rule by rule.

    The exit code is 0 when all came to rest and every claim of the certificate holds, 1 when one
    did not, and 2 for bad input.
    """
    from nashgrid.runs.charge_terms import RULES
    from nashgrid.runs.charges import charges as charge
    from nashgrid.runs.charges_table import show_charges
    from nashgrid.runs.run_folder import next_folder
    from nashgrid.runs.scenario_files import load_scenario

    chosen = load_scenario(scenario)
    names = list(RULES) if rules == "all" else [name.strip() for name in rules.split(",")]
    next_folder(out)  # refuse at once what could not be written in the end
    with interruptible(), console.status("charges and schedules answer one another"):
        comparison = charge(chosen, names, fixed_cost=fixed_cost, seed=seed)
        folder = comparison.save(out)
    show_charges(console, comparison)
    end_study(folder / "charges.html", comparison.certified)
