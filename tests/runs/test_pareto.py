"""Pareto fronts of an operator's objectives: what is weighed, what beats what, and the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nashgrid as ng
from nashgrid.runs.command_line import app
from nashgrid.runs.pareto import MEASURES, ParetoFront, undominated
from nashgrid.runs.report.pareto_page import pareto_page


@pytest.fixture(scope="module")
def front(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> ParetoFront:
    scenario = ng.load_scenario(write(tmp_path_factory.mktemp("front"), trio))
    return ng.pareto(scenario, weights=(30.0, 300.0))


def test_every_weight_is_put_on_one_on_the_other_and_on_both(front: ParetoFront) -> None:
    points = list(zip(front.table["loss_weight"], front.table["voltage_weight"]))
    assert points == [(0, 0), (30, 0), (300, 0), (0, 30), (0, 300), (30, 30), (300, 300)]
    assert front.certified
    assert front.table["welfare_gap"].abs().max() <= 1e-5


def test_what_is_weighed_more_gets_better_and_money_worse(front: ParetoFront) -> None:
    table = front.table
    on_losses, on_voltages = table.iloc[[0, 1, 2]], table.iloc[[0, 3, 4]]
    assert on_losses["losses_kwh"].is_monotonic_decreasing
    assert on_voltages["deviation_percent"].is_monotonic_decreasing
    for rows in (on_losses, on_voltages):
        assert rows["cost"].is_monotonic_increasing
        assert rows["cost"].iloc[2] > rows["cost"].iloc[0] + 1e-3
    # Money alone is the cheapest, so nothing beats it.
    assert table["cost"].idxmin() == 0
    assert table["on_front"].iloc[0]


def test_what_beats_what() -> None:
    points = np.array([[1.0, 5.0], [2.0, 4.0], [2.0, 5.0], [3.0, 4.0], [0.0, 9.0], [1.0, 5.0]])
    assert undominated(points).tolist() == [True, True, False, False, True, True]
    # Less than a certificate leaves open is no difference.
    near = np.array([[100.0, 5.0], [100.0 + 1e-6, 5.0]])
    assert undominated(near).all()


def test_files_and_page(
    front: ParetoFront, tmp_path: Path, browse: Callable[[str, Path], dict[str, Any]]
) -> None:
    folder = front.save(tmp_path / "front")
    assert {path.name for path in folder.iterdir()} == {
        "feeder",  # of one's own, which scenario.toml names
        "pareto.csv",
        "pareto.html",
        "scenario.toml",
    }
    stored = pd.read_csv(folder / "pareto.csv")
    np.testing.assert_array_equal(stored[list(MEASURES)], front.table[list(MEASURES)])
    page = (folder / "pareto.html").read_text(encoding="utf-8")
    assert page == pareto_page(front)
    for words in ("losses [kWh]", "mean deviation from 1 pu [%]", "cost [EUR]"):
        assert words in page
    seen = browse(page, tmp_path)
    assert not seen["errors"]
    assert not seen["refused"]
    traces, drawn = seen["figures"]["pareto-figure"][0]
    assert traces == drawn == 8
    with pytest.raises(ValueError, match="exists already"):
        front.save(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["village"], "scenario village has no feeder"),
        (["campus33", "--weights", "3,x"], "'3,x' must be numbers"),
        (["campus33", "--weights", "0,3"], "must be above 0, each given once"),
        (["campus33", "--weights", "3,3"], "must be above 0, each given once"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], words: str) -> None:
    found = CliRunner().invoke(app, ["pareto", *arguments])
    assert isinstance(found.exception, ValueError)
    assert words in str(found.exception)


def test_the_command_shows_the_table(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(tmp_path, trio)
    out = tmp_path / "out"
    found = CliRunner().invoke(app, ["pareto", str(path), "--weights", "30", "--out", str(out)])
    assert found.exit_code == 0, found.output
    assert found.output.count("yes") == 8
    for unit in ("[EUR]", "[kWh]", "[%]"):
        assert unit in found.output
    assert (out / "pareto.html").is_file()
