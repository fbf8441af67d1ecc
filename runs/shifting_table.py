"""What agents who answer sharing prices show in the terminal."""

from rich.console import Console
from rich.table import Table

from nashgrid.runs.shifting import Shifting

_FIRST, _LAST = 10, 3


def show_shifting(console: Console, found: Shifting, currency: str) -> None:
    """Print how it went and how it ended."""
    table = Table("round", title=f"answers to {found.market}, {len(found.agents)} agents")
    for heading in ("step", f"could still gain \\[{currency}]", f"buy, sell \\[{currency}/kWh]"):
        table.add_column(heading, justify="right")
    count = len(found.gains)
    for number in [*range(min(count, _FIRST)), *range(max(_FIRST, count - _LAST), count)]:
        step = f"{found.steps[number - 1]:.3g}" if number else "–"
        buy, sell = found.buy_prices_per_kwh[number], found.sell_prices_per_kwh[number]
        gain = f"{found.gains[number].sum():.3g}"
        table.add_row(str(number), step, gain, f"{buy.mean():.4f}, {sell.mean():.4f}")
    console.print(table)
    endings = {
        "converged": "[bold green]converged[/]: nobody gains by another schedule at these prices",
        "cycle": f"[bold red]cycle[/]: the same {found.period} points come back for ever",
        "unfinished": f"[bold red]unfinished[/]: still moving after {found.rounds} rounds",
    }
    console.print(endings[found.ending])
    losers = int((found.saving < -0.005).sum())
    most = f", the most {float(-found.saving.min()):,.2f} {currency}" if losers else ""
    console.print(
        f"cost {found.cost.sum():,.2f} {currency}, with the utility alone "
        f"{found.cost_alone.sum():,.2f}; {int((found.saving > 0.005).sum())} agents gain, {losers} "
        f"lose{most}"
    )
