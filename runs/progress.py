"""What a run shows in the terminal: progress while it lasts, a summary when it is done."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as ProgressLine
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from nashgrid.runs.leader_table import show_charges_tried
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.play import MarketPlay
from nashgrid.runs.round_reporters import Negotiating
from nashgrid.runs.scenario import UTILITY

_LARGE = 1e5


class Progress:
    """A line that says which exchange is in which round, how far it is, and since when it runs.

    It is gone when it ends; where nobody watches (a file, a pipe) it is not drawn at all.
    """

    def __init__(self, console: Console, tolerance: float) -> None:
        self._tolerance = tolerance
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._line = ProgressLine(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._line.add_task("setting up the agents", total=None)

    def __enter__(self) -> "Progress":
        self._line.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.__exit__(kind, error, trace)

    def say(self, words: str) -> None:
        """Show what is being done."""
        self._line.update(self._task, description=escape(words))

    def show(self, model: Negotiating) -> None:
        """Show the round that has just ended."""
        if not model.running:
            self.say("proving and settling")
            return
        rounds = model.datacollector.model_vars
        worst = max(rounds["primal_residual"][-1], rounds["dual_residual"][-1])
        self.say(
            f"{rounds['topic'][-1]}: round {rounds['round'][-1]}, residual {worst:.1e} "
            f"(goal {self._tolerance:.0e}), clock {rounds['clock_s'][-1]:.1f} s, "
            f"price {rounds['lowest_price'][-1]:.3f} to {rounds['highest_price'][-1]:.3f}"
        )


def show_outcome(console: Console, outcome: Outcome, folder: Path) -> None:
    """The summary of a run."""
    summary, currency = outcome.summary, outcome.scenario.currency
    console.print(_savings(outcome, currency))
    console.print(_utility(outcome, currency))
    prices = outcome.prices[outcome.prices["case"] == outcome.prices["case"].iloc[-1]]
    price = prices["price_per_kwh"]
    lowest, highest, mean = (_no_minus(p, 4) for p in (price.min(), price.max(), price.mean()))
    rounds = ", ".join(f"{topic} {count}" for topic, count in summary["rounds"].items())
    traffic = summary["messages"].values()
    console.print(
        f"prices {lowest:.4f} to {highest:.4f} {currency}/kWh, mean {mean:.4f}; "
        f"rounds: {rounds}; "
        f"{sum(kind['messages'] for kind in traffic):,} messages, "
        f"{sum(kind['bytes'] for kind in traffic) / 1e6:.1f} MB, "
        f"{summary['simulated_seconds']:.1f} s on the simulated network"
    )
    show_charges_tried(console, outcome)
    _show_certificate(console, outcome, currency)
    console.print(
        f"files and report in [bold]{escape(str(folder))}[/] "
        f"(open {escape(str(folder / 'report.html'))})"
    )


def show_play(console: Console, found: MarketPlay, currency: str) -> None:
    """Print how a play went and how it ended."""
    table = Table("round", title=f"{found.market}, {len(found.agents)} players")
    table.add_column("farthest from an answer \\[kW]", justify="right")
    table.add_column(f"mean price \\[{currency}/kWh]", justify="right")
    shown = [*range(min(found.rounds, 10)), *range(max(10, found.rounds - 3), found.rounds)]
    for number in shown:
        price = f"{found.prices_per_kwh[number + 1].mean():.5f}"
        table.add_row(str(number + 1), f"{found.distances_kw[number]:.3g}", price)
    console.print(table)
    endings = {
        "converged": "[bold green]converged[/]: nobody would rather do anything else",
        "cycle": f"[bold red]cycle[/]: the same {found.period} points come back for ever",
        "diverged": "[bold red]diverged[/]: the moves grow without end",
        "unfinished": f"[bold red]unfinished[/]: still moving after {found.rounds} rounds",
    }
    console.print(endings[found.ending])
    if found.gains is not None:
        console.print(f"nobody could gain more than {found.gains.max():.1e} {currency}")


def _savings(outcome: Outcome, currency: str) -> Table:
    accounts = outcome.accounts[outcome.accounts["agent"] != UTILITY]
    many = outcome.scenario.population is not None
    table = Table(
        title=f"{outcome.scenario.name}, {outcome.market} \\[{currency}]",
        # Millions fit into 80 columns without lines between them.
        box=box.SIMPLE if many else box.HEAVY_HEAD,
        padding=(0, 0) if many else (0, 1),
    )
    table.add_column("kind", no_wrap=True)
    headings = ["agents", "cost\nbefore", "cost\nafter", "saving", "saving"]
    for heading in [*headings, *(("median\nsaving", "save") if many else ())]:
        table.add_column(heading, justify="right", overflow="fold")
    for kind, rows in accounts.groupby("kind", sort=False, observed=True):
        _add(table, str(kind), rows, many)
    table.add_section()
    _add(table, "all", accounts, many)
    return table


def _add(table: Table, kind: str, rows: pd.DataFrame, many: bool) -> None:
    """Sums of a kind; of many agents also the saving in the middle and how many save."""
    before, after = rows["cost_before"].sum(), rows["cost_after"].sum()
    saving = before - after
    share = f"{_no_minus(saving / abs(before), 3):.1%}" if abs(before) > 1e-9 else "-"
    cells = [f"{len(rows):,}", *(_sum(amount, many) for amount in (before, after, saving))]
    cells.append(share)
    if many:
        savers = float((rows["saving"] > 0).mean())
        cells += [_money(rows["saving"].median()), f"{savers:.1%}"]
    table.add_row(kind, *cells)


def _sum(amount: float, narrow: bool) -> str:
    """An amount, whole where it is large, or large for a narrow column."""
    large = abs(amount) >= (_LARGE / 100 if narrow else _LARGE)
    return f"{amount:,.0f}" if large else _money(amount)


def _money(amount: float) -> str:
    return f"{_no_minus(amount, 2):,.2f}"


def _no_minus(value: float, digits: int) -> float:
    """Rounded, and a zero without a sign."""
    return round(float(value), digits) + 0.0


def _utility(outcome: Outcome, currency: str) -> str:
    before = outcome.summary["utility_receipts_before"]
    after = outcome.summary["utility_receipts_after"]
    return (
        f"the utility is not a player: it receives {_money(after)} {currency} instead of "
        f"{_money(before)} {currency} ({_no_minus(after - before, 2):+,.2f})"
    )


def _show_certificate(console: Console, outcome: Outcome, currency: str) -> None:
    claims = outcome.certificate["claims"]
    failed = {name: claim for name, claim in claims.items() if not claim["holds"]}
    if not failed:
        epsilon = claims[f"{outcome.prices['case'].iloc[-1]}: best responses"]["value"]
        console.print(
            f"[bold green]certified[/]: all {len(claims)} claims hold "
            f"({outcome.certificate['deviation'].split(':')[0]}; largest relative epsilon of an "
            f"agent {epsilon:.1e})"
        )
    else:
        console.print(f"[bold red]NOT CERTIFIED[/]: {len(failed)} of {len(claims)} claims fail")
        for name, claim in failed.items():
            console.print(
                f"  {name}: {escape(claim['words'])} is {claim['value']:.3g}, "
                f"allowed {claim['bound']:.3g}"
            )
        for case, limits in outcome.certificate["limits_not_kept"].items():
            for limit in limits:
                console.print(f"  {case}: {limit}")
    for game in outcome.certificate["games"].values():
        ratio = game["price_of_anarchy"]
        console.print(
            f"against the optimum the game loses {game['loss_to_optimum']:,.4g} {currency}"
            + ("" if ratio is None else f": price of anarchy {ratio:.6f}")
        )
    _show_losers(console, outcome.certificate["individual_rationality"], currency)


def _show_losers(console: Console, rationality: Mapping[str, Any], currency: str) -> None:
    """How many lose, and the worst of them."""
    count = int(rationality["number_of_losers"])
    if not count:
        return
    worst = sorted(rationality["losers"].items(), key=lambda item: item[1])[:5]
    named = ", ".join(f"{escape(name)} ({_money(-saving)} {currency})" for name, saving in worst)
    verb = "agent loses" if count == 1 else "agents lose"
    console.print(f"{count:,} {verb} against the utility alone, worst first: {named}")
