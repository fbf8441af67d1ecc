"""What a run shows in the terminal when it is done."""

import copy
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from nashgrid.runs.kernel_warmup import COMPILING, warm_up
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.population_size import with_population
from nashgrid.runs.progress import Progress, show_outcome
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return simulate(load_scenario("duet"))


def shown(outcome: Outcome) -> str:
    page = io.StringIO()
    show_outcome(Console(file=page, width=200), outcome, Path("runs/[1]"))
    return page.getvalue()


def changed(outcome: Outcome, change: Callable[[dict], object]) -> Outcome:
    certificate = copy.deepcopy(outcome.certificate)
    change(certificate)
    return replace(outcome, certificate=certificate)


def test_a_certified_outcome(outcome: Outcome) -> None:
    words = shown(outcome)
    assert "certified: all " in words
    assert "lose" not in words
    assert "files and report in runs/[1] (open runs/[1]/report.html)" in words


def test_no_amount_is_minus_nothing(outcome: Outcome) -> None:
    accounts = outcome.accounts.copy()
    players = accounts["kind"] != "utility"
    accounts.loc[players, "cost_after"] = accounts.loc[players, "cost_before"] + 1e-5
    summary = dict(outcome.summary, utility_receipts_after=-1e-9, utility_receipts_before=0.0)
    prices = outcome.prices.assign(price_per_kwh=outcome.prices["price_per_kwh"].clip(upper=-1e-9))
    words = shown(replace(outcome, accounts=accounts, summary=summary, prices=prices))
    assert "prices 0.0000 to 0.0000 EUR/kWh, mean 0.0000" in words
    assert "0.00 EUR instead of 0.00 EUR (+0.00)" in words
    assert "-0.0" not in words


def test_a_claim_that_fails_is_shown_with_its_unit(outcome: Outcome) -> None:
    def fail(certificate: dict) -> None:
        claim = certificate["claims"]["trading: own constraints"]
        claim.update(value=0.25, holds=False)

    words = shown(changed(outcome, fail))
    assert "NOT CERTIFIED: 1 of " in words
    assert "largest violation by an agent [kW, kWh] is 0.25, allowed 1e-06" in words


def test_losers_are_counted_and_the_worst_come_first(outcome: Outcome) -> None:
    def lose(**losers: float) -> str:
        found = {"losers": losers, "number_of_losers": len(losers)}
        return shown(changed(outcome, lambda c: c["individual_rationality"].update(found)))

    assert "1 agent loses against the utility alone, worst first: A (0.50 EUR)" in lose(A=-0.5)
    assert "2 agents lose against the utility alone, worst first: B (2.00 EUR), A (0.50 EUR)" in (
        lose(A=-0.5, B=-2.0)
    )


def test_many_losers_are_counted_and_the_worst_named(outcome: Outcome) -> None:
    def lose(certificate: dict) -> None:
        worst = {f"house {number}": number - 200.0 for number in range(100)}
        certificate["individual_rationality"].update(losers=worst, number_of_losers=12345)

    words = shown(changed(outcome, lose))
    assert "12,345 agents lose against the utility alone, worst first: house 0 (200.00" in words
    assert "house 4 (196.00 EUR)" in words
    assert "house 5" not in words


def test_large_sums_are_whole_and_fit_a_narrow_screen(outcome: Outcome) -> None:
    accounts = outcome.accounts.assign(cost_before=6.5e6, cost_after=4e6)
    page = io.StringIO()
    show_outcome(Console(file=page, width=80), replace(outcome, accounts=accounts), Path("runs"))
    assert "13,000,000" in page.getvalue()
    assert "…" not in page.getvalue()


def test_of_a_population_the_table_counts_by_kind() -> None:
    outcome = simulate(with_population(load_scenario("district"), 60), market="competitive")
    words = shown(outcome)
    accounts = outcome.accounts[outcome.accounts["weight"] > 0].astype({"kind": str})
    for kind, rows in accounts.groupby("kind"):
        (line,) = (one for one in words.splitlines() if one.strip().startswith(f"{kind} "))
        cells = line.split()
        assert cells[1] == str(len(rows))
        digits = 2 if rows["saving"].sum() < 1000 else 0
        assert cells[4] == f"{rows['saving'].sum():,.{digits}f}"
        assert cells[6] == f"{rows['saving'].median():,.2f}"
        assert cells[7] == f"{(rows['saving'] > 0).mean():.1%}"
    assert not any(f"{kind} " in words for kind in ("community battery", "generator"))


def test_a_million_buildings_fit_a_narrow_screen(outcome: Outcome) -> None:
    drawn = with_population(load_scenario("district"), 1)
    count = 1_000_000
    accounts = pd.DataFrame(
        {
            "agent": [f"house {number}" for number in range(count)],
            "kind": "household",
            "weight": 1.0,
            "cost_before": 2.9,
            "cost_after": 1.6,
            "saving": 1.35,
        }
    )
    million = replace(outcome, accounts=accounts, scenario=drawn)
    page = io.StringIO()
    show_outcome(Console(file=page, width=80), million, Path("runs"))
    row = ["household", "1,000,000", "2,900,000", "1,600,000", "1,300,000", "44.8%", "1.35"]
    assert " ".join([*row, "100.0%"]) in " ".join(page.getvalue().split())


class Kernel:
    """Records what it is asked to compile."""

    def __init__(self, compiled: set[bool]) -> None:
        self.compiled = compiled
        self.prepared: list[bool] = []

    def is_compiled(self, two_prices: bool) -> bool:
        return two_prices in self.compiled

    def prepare(self, two_prices: bool) -> None:
        self.prepared.append(two_prices)


@pytest.mark.parametrize(
    ("compiled", "topics", "prepared", "said"),
    [
        (set(), ("utility-only", "trading", "money"), [True, False], 2),
        ({True}, ("utility-only", "trading", "money"), [True, False], 1),
        ({True, False}, ("utility-only", "trading"), [True, False], 0),
        (set(), ("utility-only",), [True], 1),
    ],
)
def test_who_waits_for_a_compilation_is_told(
    compiled: set[bool], topics: tuple[str, ...], prepared: list[bool], said: int
) -> None:
    kernel, words = Kernel(compiled), []
    warm_up(kernel, topics, words.append)
    assert kernel.prepared == prepared
    assert words == [COMPILING] * said
    assert "once per machine" in COMPILING
    warm_up(kernel, topics)


def test_a_round_is_shown_with_its_residual_and_clock() -> None:
    said: list[str] = []
    progress = Progress(Console(file=io.StringIO()), 1e-4)
    progress.say = said.append
    simulate(load_scenario("duet"), on_round=progress.show)
    form = r"trading: round \d+, residual \d.\de-\d+ \(goal 1e-04\), clock \d+\.\d s, price "
    assert any(re.match(form, words) for words in said)
    assert said[-1] == "proving and settling"


def test_words_stand_beside_the_time_that_has_passed() -> None:
    page = io.StringIO()
    with Progress(Console(file=page, width=200, force_terminal=True), 1e-4) as progress:
        progress.say("writing [files]")
    words = page.getvalue()
    assert "writing [files]" in words
    assert "0:00:0" in words


def test_nothing_is_drawn_where_nobody_watches() -> None:
    page = io.StringIO()
    with Progress(Console(file=page, width=200), 1e-4) as progress:
        progress.say("setting up")
    assert page.getvalue() == ""
