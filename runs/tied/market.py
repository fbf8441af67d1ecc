"""Two feeders with a tie: held as one market, settled, and proved against one central problem."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from nashgrid.market.topics import TRADING
from nashgrid.runs import tables
from nashgrid.runs.inputs import with_values
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.round_reporters import Negotiating
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tied.alone import market_alone
from nashgrid.runs.tied.conclusion import conclude
from nashgrid.runs.tied.half import Alone, Half
from nashgrid.runs.tied.model import Side, TiedModel
from nashgrid.runs.tied.tables import TiedTables
from nashgrid.runs.tied.tie import Tie, wires_of_both

OnRound = Callable[[Negotiating], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class TiedOutcome(TiedTables):
    """What two feeders with a tie come to.

    Attributes
    ----------
    scenarios : of the first and the second feeder
    link : the tie
    seed : of everything random
    alone : outcomes of each feeder's own market without the tie; None where it cannot be kept so
    certificate : claims, and what they rest on
    summary : totals for people
    messages : one row per message of the exchange over both (an Arrow table)
    """

    scenarios: tuple[Scenario, Scenario]
    link: Tie
    seed: int
    alone: tuple[Outcome | None, Outcome | None]
    certificate: dict[str, Any]
    summary: dict[str, Any]
    messages: pa.Table

    @property
    def certified(self) -> bool:
        """Whether the negotiation converged and every claim holds."""
        return bool(self.certificate["certified"])

    def report(self, path: str | Path) -> Path:
        """Write the page: one HTML file that opens offline."""
        from nashgrid.runs.report.tied_page import write_tied

        return write_tied(self, Path(path))

    def save(self, folder: str | Path | None = None) -> Path:
        """Write all files into a new folder; nothing half-written, nothing overwritten.

        Without a folder it is the next number under nashgrid-runs.
        """
        from nashgrid.runs.tied.folder import save

        return save(self, None if folder is None else Path(folder))


def simulate_tied(
    first: Scenario,
    second: Scenario,
    tie: Tie,
    seed: int = 1,
    on_round: OnRound | None = None,
    say: Say | None = None,
) -> TiedOutcome:
    """Hold one market over two feeders with an operator each, whose tie both trade.

    Each operator keeps its own wires and utility; what it learns of its neighbour is the price of
    the flow between them, and what the neighbour wants of it. Each feeder's own market is held as
    well, without the tie, to tell what it brings.

    Parameters
    ----------
    first, second : with a feeder each, the same horizon and currency, and different names; the
        rules of negotiation are those of the first
    tie : between them
    seed : of everything random
    on_round : called with the model after every round, to show progress
    say : called with words before each market

    Raises
    ------
    ValueError
        If the scenarios do not fit together, or no schedule keeps the limits.
    """
    say = say or _silent
    scenarios = with_values(first), with_values(second)
    _check(*scenarios)
    model = TiedModel(scenarios, wires_of_both(scenarios, tie), seed)
    say(f"{first.name} and {second.name} with the tie")
    _negotiate(model, on_round)
    alone = []
    for scenario in scenarios:
        say(f"{scenario.name} without the tie")
        alone.append(market_alone(scenario, seed, on_round, say))
    say("proving and settling both together")
    halves = list(map(_half, model.sides, alone))
    messages = tables.messages_table(model.post.network.log)
    rounds = model.datacollector.get_model_vars_dataframe()
    found, certificate, summary = conclude(halves[0], halves[1], rounds, messages)
    return TiedOutcome(
        **vars(found),
        scenarios=scenarios,
        link=tie,
        seed=seed,
        alone=(alone[0], alone[1]),
        certificate=certificate,
        summary=summary,
        messages=messages,
    )


def _negotiate(model: TiedModel, on_round: OnRound | None) -> None:
    while model.running:
        model.step()
        if on_round is not None:
            on_round(model)


def _silent(words: str) -> None:
    """Nobody listens."""


def _check(first: Scenario, second: Scenario) -> None:
    if first.name == second.name:
        raise ValueError(
            f"tie: both scenarios are called {first.name!r}; the names of parties would be the same"
        )
    if first.horizon != second.horizon:
        raise ValueError(
            f"tie: the horizons of {first.name} and {second.name} differ: a flow is one in the "
            "same slots of the same day"
        )
    if first.currency != second.currency:
        raise ValueError(
            f"tie: the currencies of {first.name} ({first.currency}) and {second.name} "
            f"({second.currency}) differ: the flow has one price"
        )


def _half(side: Side, alone: Outcome | None) -> Half:
    return Half(
        wires=side.wires,
        prices=tables.prices_table(side, [TRADING]),
        trades=tables.trades_table(side, [TRADING]),
        schedules=tables.schedules_table(side, [TRADING]),
        problems=[agent.problems[TRADING] for agent in side.prosumers],
        device_cost=side.device_cost(TRADING),
        alone=None if alone is None else Alone(alone.accounts, alone.certificate),
    )
