"""Several markets on one scenario, side by side."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from nashgrid.market.topics import CHARGE_TRIAL, STACKELBERG, TRADING
from nashgrid.runs.comparison import Comparison
from nashgrid.runs.comparison_measures import REFUSED, figures
from nashgrid.runs.inputs import tariff
from nashgrid.runs.markets import MARKETS, market_named
from nashgrid.runs.markets.market import Market
from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import Negotiated, negotiate, outcome_of


def compare(
    scenario: Scenario,
    markets: Sequence[str] | None = None,
    seeds: Sequence[int] = (1,),
    on_round: Callable[[TradingModel], None] | None = None,
) -> Comparison:
    """Run several markets on a scenario and put them side by side.

    The table has these columns, money in the scenario's currency:

    - `seed`, `market`, `status` ("certified", "not certified", "refused"), `claims` (how many
      hold), `why` (claims that fail, or why the market was refused);
    - `total_cost`, `saving`: of all but the utility, and against the utility alone;
    - `price_of_anarchy`: what the schedules cost over what the best would (games: the best for the
      same supply); empty where the best costs about nothing or less;
    - `surplus_reached`: share of the savings of the best schedules that these bring, whoever has
      them;
    - `jain`, `gini`: of the savings of the players; the Gini index is empty where they do not sum
      to something positive, and above 1 where some lose much;
    - `core_excess`: the most that a group could gain by leaving in the pooling game, at most 0 in
      its core (a bound with more than 40 agents); empty where no group can be told;
    - `gain`, `lose`: agents that have more, or less, than with the utility alone;
    - `rounds`, `messages`, `bytes`, `negotiation_s`: of all its exchanges, as if held for it alone
      (wall-clock seconds).

    Parameters
    ----------
    scenario : what to run
    markets : names; by default all
    seeds : of everything random, one comparison each
    on_round : called with the model after every round, to show progress

    Raises
    ------
    ValueError
        If there is no such market or seed, or the scenario allows no schedules. A market whose
        rule has no meaning on the scenario is marked as refused.
    """
    chosen = [market_named(name) for name in (markets or MARKETS)]
    doubled = [one.name for number, one in enumerate(chosen) if one in chosen[:number]]
    if doubled or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"each market and seed once: {doubled or list(seeds)}")
    rows: list[dict[str, Any]] = []
    outcomes: dict[int, dict[str, Outcome]] = {}
    for seed in seeds:
        found, told = _run_all(scenario, chosen, seed, on_round)
        outcomes[seed] = {name: one for name, (one, _) in found.items()}
        optimum = _optimum(outcomes[seed])
        for market in chosen:
            row = {"seed": seed, "market": market.name}
            if market.name in found:
                row |= figures(*found[market.name], optimum)
            else:
                row |= {"status": REFUSED, "why": told[market.name]}
            rows.append(row)
    if not any(outcomes.values()):
        raise ValueError(f"all markets are refused: {rows[0]['why']}")
    return Comparison(scenario, tuple(seeds), outcomes, pd.DataFrame(rows, columns=COLUMNS))


COLUMNS = [
    *("seed", "market", "status", "claims", "why", "total_cost", "saving", "price_of_anarchy"),
    *(
        "surplus_reached",
        "jain",
        "gini",
        "gain",
        "lose",
        "core_excess",
        "rounds",
        "messages",
        "bytes",
    ),
    "negotiation_s",
]


def _run_all(
    scenario: Scenario,
    markets: Sequence[Market],
    seed: int,
    on_round: Callable[[TradingModel], None] | None,
) -> tuple[dict[str, tuple[Outcome, float]], dict[str, str]]:
    """Outcomes with their seconds of negotiation, and the markets refused with the reason."""
    found: dict[str, tuple[Outcome, float]] = {}
    refused: dict[str, str] = {}
    alike: dict[tuple[str, ...], list[Market]] = {}
    for market in markets:
        try:
            market.check(scenario, tariff(scenario))
        except ValueError as error:
            refused[market.name] = str(error)
        else:
            alike.setdefault(tuple(market.cases), []).append(market)
    for group in alike.values():
        try:
            negotiated, seconds = _negotiate(scenario, group, seed, on_round)
        except ValueError as error:
            refused |= {market.name: str(error) for market in group}
            continue
        for market in group:
            try:
                outcome = outcome_of(negotiated, market, seed)
            except ValueError as error:
                refused[market.name] = str(error)
            else:
                own = sum(seconds.get(topic, 0.0) for topic in market.exchanges)
                found[market.name] = outcome, own
    return found, refused


def _negotiate(
    scenario: Scenario,
    group: Sequence[Market],
    seed: int,
    on_round: Callable[[TradingModel], None] | None,
) -> tuple[Negotiated, dict[str, float]]:
    """Every exchange of a group once, those of money last; seconds by exchange."""
    topics = dict.fromkeys(
        [*group[0].cases, *(market.money for market in group if market.money is not None)]
    )
    seconds = dict.fromkeys(topics, 0.0)
    last = time.perf_counter()

    def note(model: TradingModel) -> None:
        nonlocal last
        now = time.perf_counter()
        # An exchange with nothing to negotiate has no rounds: its time goes to the next one.
        heard = model.datacollector.model_vars["topic"]
        if heard:
            # A leader's charges on trial belong to the exchange that they end in.
            seconds[STACKELBERG if heard[-1] == CHARGE_TRIAL else heard[-1]] += now - last
        last = now
        if on_round is not None:
            on_round(model)

    return negotiate(scenario, tuple(topics), seed, note), seconds


def _optimum(outcomes: dict[str, Outcome]) -> float | None:
    """Cost of the best schedules, from any market that proved them [currency].

    None where more than money counts: then the best schedules are not the cheapest.
    """
    for outcome in outcomes.values():
        feeder = outcome.scenario.feeder
        if feeder is not None and feeder.objective != "cost":
            return None
        proved = outcome.certificate["welfare"].get(TRADING)
        if proved is not None:
            return float(proved["central_cost"])
    return None
