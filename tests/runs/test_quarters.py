"""The built-in scenario with managers and storage for rent: proved, verified, and drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nashgrid as ng
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.page import report_page, report_sections


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return ng.simulate(ng.load_scenario("quarters"), seed=1)


def test_quarters_is_certified_and_its_files_hold(outcome: Outcome, tmp_path: Path) -> None:
    assert outcome.certified
    claims = set(outcome.certificate["claims"])
    assert {"trading: managers", "trading: rented storage", "individual rationality"} <= claims
    assert ng.verify(outcome.save(tmp_path / "run")).failures == ()
    # Nobody loses, and managers come out even.
    accounts = outcome.accounts.set_index("agent")
    managers = accounts[accounts["kind"] == "community manager"]
    assert len(managers) == 3
    assert managers["saving"].abs().max() <= 1e-5
    players = accounts[accounts["weight"] > 0]["saving"]
    assert players.min() == pytest.approx(players.max(), abs=1e-4)
    let = outcome.rentals[outcome.rentals["capacity_kwh"] < 0]
    assert set(let["owner"]) == set(let["agent"]) == {"Old farm", "Village battery"}


def test_the_report_of_quarters_is_drawn(
    outcome: Outcome, browse: Callable[[str, Path], dict[str, Any]], tmp_path: Path
) -> None:
    anchors = [section.anchor for section in report_sections(outcome)]
    assert {"communities", "rentals"} <= set(anchors)
    seen = browse(report_page(outcome), tmp_path)
    assert seen["errors"] == seen["refused"] == seen["fetched"] == []
    for name in ("communities-figure", "rental-figure"):
        assert len(seen["figures"][name]) > 2
        for traces, drawn in seen["figures"][name]:
            assert traces == drawn >= 2, name
