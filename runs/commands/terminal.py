"""What commands have in common: the console, exit codes, and what an interruption leaves."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

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
