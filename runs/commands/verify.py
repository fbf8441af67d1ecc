"""`nashgrid verify`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nashgrid.runs.commands.terminal import NOT_CERTIFIED, console


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
