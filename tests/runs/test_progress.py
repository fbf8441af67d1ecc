"""What a run shows in the terminal when it is done."""

import copy
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.progress import show_outcome
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
    words = shown(replace(outcome, accounts=accounts, summary=summary))
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
        return shown(changed(outcome, lambda c: c["individual_rationality"].update(losers=losers)))

    assert "1 agent loses against the utility alone, worst first: A (0.50 EUR)" in lose(A=-0.5)
    assert "2 agents lose against the utility alone, worst first: B (2.00 EUR), A (0.50 EUR)" in (
        lose(A=-0.5, B=-2.0)
    )
