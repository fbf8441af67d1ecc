"""`nashgrid scenarios` and `nashgrid scenarios show`."""

from typing import Annotated

import typer
from rich.table import Table

from nashgrid.runs.commands.terminal import console

scenarios_app = typer.Typer(help="List and print scenarios.", invoke_without_command=True)


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
