"""The command line. A new command is a function in a file of `commands`, and a line here."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from nashgrid.runs.commands.charges import charges
from nashgrid.runs.commands.compare import compare
from nashgrid.runs.commands.lead import lead
from nashgrid.runs.commands.markets import markets
from nashgrid.runs.commands.pareto import pareto
from nashgrid.runs.commands.play import play
from nashgrid.runs.commands.run import run
from nashgrid.runs.commands.scenarios import scenarios_app
from nashgrid.runs.commands.shift import shift
from nashgrid.runs.commands.storage import storage
from nashgrid.runs.commands.terminal import BAD_INPUT
from nashgrid.runs.commands.tie import tie
from nashgrid.runs.commands.verify import verify

app = typer.Typer(
    name="nashgrid",
    help="Peer-to-peer electricity trading among autonomous agents, with certified equilibria.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (run, play, shift, lead, verify, compare, pareto, charges, storage, tie, markets):
    app.command()(command)
app.add_typer(scenarios_app, name="scenarios")


def main() -> None:
    """Entry point: bad input is one paragraph on stderr and exit code 2, never a traceback."""
    try:
        app()
    except ValueError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
        sys.exit(BAD_INPUT)
