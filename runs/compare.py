"""Several markets on one scenario, side by side."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.inputs import tariff
from nashgrid.runs.markets import MARKETS, market_named
from nashgrid.runs.markets.market import Market
from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import UTILITY, Scenario
from nashgrid.runs.simulate import Negotiated, negotiate, outcome_of

MATTERS = 0.005
"""A difference of savings below half a cent is none [currency]."""
SMALLEST_OPTIMUM = 1e-2
"""Share of the cost with the utility alone above which an optimum can be divided by."""
CERTIFIED, NOT_CERTIFIED, REFUSED = "certified", "not certified", "refused"


@dataclass(frozen=True)
class Comparison:
    """Outcomes of several markets on one scenario.

    Exchanges that markets have in common are held once: markets that differ in payments alone
    settle the very same schedules.

    Attributes
    ----------
    scenario, seeds : what was run
    outcomes : seed -> market -> outcome, of the markets that were not refused
    table : one row per seed and market; see `compare`
    """

    scenario: Scenario
    seeds: tuple[int, ...]
    outcomes: dict[int, dict[str, Outcome]]
    table: pd.DataFrame

    @property
    def certified(self) -> bool:
        """Whether every market that has a meaning here converged and was certified."""
        return not (self.table["status"] == NOT_CERTIFIED).any()

    @property
    def savings(self) -> pd.DataFrame:
        """(agents, markets) savings against the utility alone, mean over the seeds [currency]."""
        of_seeds = [
            pd.DataFrame({name: _players(one)["saving"] for name, one in outcomes.items()})
            for outcomes in self.outcomes.values()
        ]
        whole = pd.concat(of_seeds).groupby(level=0, sort=False).mean()
        return whole[[name for name in self.table["market"].unique() if name in whole]]

    @property
    def better(self) -> pd.DataFrame:
        """How many agents have more under the market of the row than under that of the column."""
        savings = self.savings
        more = (savings.to_numpy()[:, :, None] - savings.to_numpy()[:, None, :]) > MATTERS
        names = list(savings)
        return pd.DataFrame(more.sum(axis=0), index=names, columns=names)

    def report(self, path: str | Path) -> Path:
        """Write the page: one HTML file that opens offline."""
        from nashgrid.runs.report.comparison_page import write_comparison

        return write_comparison(self, Path(path))

    def save(self, folder: str | Path | None = None) -> Path:
        """Write page and tables into a new folder; without one, the next under nashgrid-runs.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written.
        """
        from nashgrid.runs.run_folder import next_folder
        from nashgrid.runs.scenario_files import scenario_toml

        place = next_folder(None if folder is None else Path(folder))
        try:
            place.mkdir(parents=True)
            (place / "scenario.toml").write_text(scenario_toml(self.scenario), encoding="utf-8")
            self.table.to_csv(place / "comparison.csv", index=False, lineterminator="\n")
            self.savings.to_csv(place / "savings.csv", index_label="agent", lineterminator="\n")
            self.better.to_csv(place / "better.csv", index_label="market", lineterminator="\n")
            self.report(place / "comparison.html")
        except OSError as error:
            raise ValueError(f"the output folder {place} cannot be written: {error}") from error
        return place


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
                row |= _figures(*found[market.name], optimum)
            else:
                row |= {"status": REFUSED, "why": told[market.name]}
            rows.append(row)
    if not any(outcomes.values()):
        raise ValueError(f"all markets are refused: {rows[0]['why']}")
    return Comparison(scenario, tuple(seeds), outcomes, pd.DataFrame(rows, columns=COLUMNS))


COLUMNS = [
    *("seed", "market", "status", "claims", "why", "total_cost", "saving", "price_of_anarchy"),
    *("surplus_reached", "jain", "gini", "gain", "lose", "rounds", "messages", "bytes"),
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
            market.presumes(scenario, tariff(scenario))
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
            seconds[heard[-1]] += now - last
        last = now
        if on_round is not None:
            on_round(model)

    return negotiate(scenario, tuple(topics), seed, note), seconds


def _optimum(outcomes: dict[str, Outcome]) -> float | None:
    """Cost of the best schedules, from any market that proved them [currency]."""
    for outcome in outcomes.values():
        proved = outcome.certificate["welfare"].get(TRADING)
        if proved is not None:
            return float(proved["central_cost"])
    return None


def _players(outcome: Outcome) -> pd.DataFrame:
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    return players.set_index(players["agent"].astype(str))


def _figures(outcome: Outcome, seconds: float, optimum: float | None) -> dict[str, Any]:
    claims, summary = outcome.certificate["claims"], outcome.summary
    failing = [name for name, claim in claims.items() if not claim["holds"]]
    saving = _players(outcome)["saving"].to_numpy()
    traffic = summary["messages"].values()
    return {
        "status": CERTIFIED if outcome.certified else NOT_CERTIFIED,
        "claims": f"{len(claims) - len(failing)}/{len(claims)}",
        "why": "; ".join(failing),
        "total_cost": summary["cost_after"],
        "saving": summary["saving"],
        **_against_optimum(outcome, optimum),
        "jain": jain(saving),
        "gini": gini(saving),
        "gain": int((saving > MATTERS).sum()),
        "lose": int((saving < -MATTERS).sum()),
        "rounds": sum(summary["rounds"].values()),
        "messages": sum(kind["messages"] for kind in traffic),
        "bytes": sum(kind["bytes"] for kind in traffic),
        "negotiation_s": seconds,
    }


def _against_optimum(outcome: Outcome, optimum: float | None) -> dict[str, float | None]:
    """Price of anarchy, and the share of the possible savings; nothing where it means nothing."""
    games = outcome.certificate.get("games", {})
    for game in games.values():
        return {"price_of_anarchy": game["price_of_anarchy"], "surplus_reached": None}
    if optimum is None:
        return {"price_of_anarchy": None, "surplus_reached": None}
    shared = outcome.accounts[outcome.accounts["kind"] != UTILITY]
    before = float(shared["cost_before"].sum())
    # What the schedules cost, whoever bears it: a rule may leave savings with the utility.
    cost, surplus = before, before - optimum
    if market_named(outcome.market).has_trading:
        cost = float([*outcome.certificate["welfare"].values()][-1]["total_cost"])
    telling = optimum > SMALLEST_OPTIMUM * float(shared["cost_before"].abs().sum())
    return {
        "price_of_anarchy": cost / optimum if telling else None,
        "surplus_reached": (before - cost) / surplus if surplus > MATTERS else None,
    }


def jain(savings: Floats) -> float | None:
    """Jain's index (sum x)^2 / (n sum x^2): 1 when all are equal, 1/n when one has all.

    Nothing where nobody saves or loses a half cent.
    """
    if not (np.abs(savings) > MATTERS).any():
        return None
    return float(savings.sum()) ** 2 / (len(savings) * float((savings**2).sum()))


def gini(savings: Floats) -> float | None:
    """Gini index sum_ij |x_i - x_j| / (2 n sum x): 0 when all are equal; above 1 where some lose.

    Nothing where the sum is not positive.
    """
    total = float(savings.sum())
    if total <= MATTERS:
        return None
    rank = np.arange(1, len(savings) + 1)
    ordered = np.sort(savings)
    return float(
        2 * (rank * ordered).sum() / (len(savings) * total) - (len(savings) + 1) / len(savings)
    )
