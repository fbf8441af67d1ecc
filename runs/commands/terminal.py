"""What commands have in common: the console, exit codes, and what an interruption leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

OK, NOT_CERTIFIED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

console = Console()


@contextmanager
def interruptible() -> Iterator[None]:
    """Long work that writes at its very end: when it is interrupted, nothing is written."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: nothing was written")
        raise typer.Exit(INTERRUPTED) from None


def end_study(page: Path, holds: bool) -> NoReturn:
    """Say where tables and page of a study lie, and exit by whether all of it holds."""
    console.print(
        f"tables and page in [bold]{escape(str(page.parent))}[/] (open {escape(str(page))})"
    )
    raise typer.Exit(OK if holds else NOT_CERTIFIED)
