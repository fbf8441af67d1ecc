"""What the operator minimises: by the scenario, on the command line, and in the certificate."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nashgrid.market.topics import TRADING
from nashgrid.runs.command_line import app
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_feeder import FeederEntry
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.tables import demand_kw
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires

WEIGHTED = {"objective": "weighted", "loss_weight": 5.0, "voltage_weight": 20.0}


@pytest.fixture(scope="module")
def plain(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Scenario:
    content = copy.deepcopy(trio)
    content["negotiation"] = {"tolerance": 1e-6}
    return load_scenario(write(tmp_path_factory.mktemp("objectives"), content))


def aiming(scenario: Scenario, **aims: Any) -> Scenario:
    assert scenario.feeder is not None
    feeder = FeederEntry.model_validate(scenario.feeder.model_dump() | aims)
    return scenario.model_copy(update={"feeder": feeder})


@pytest.fixture(scope="module")
def weighted(plain: Scenario) -> Outcome:
    return simulate(aiming(plain, **WEIGHTED))


def test_an_objective_is_certified_against_its_own_central_problem(weighted: Outcome) -> None:
    assert weighted.certified
    welfare = weighted.certificate["welfare"]["trading"]
    assert abs(welfare["relative_gap"]) <= 1e-6
    assert welfare["largest_price_difference_per_kwh"] <= 1e-4
    assert weighted.certificate["claims"]["trading: price parts"]["holds"]


def test_what_counts_beside_money_by_hand(weighted: Outcome) -> None:
    wires = lay_wires(weighted.scenario)
    demand = demand_kw(weighted.trades, TRADING, wires)
    rows = weighted.voltages[weighted.voltages["case"] == TRADING]
    squared = rows.pivot(index="slot", columns="bus", values="lindistflow_pu").to_numpy() ** 2
    price = wires.tariff.retail_price_per_kwh.mean()
    off_by_a_percent = ((squared - 1.0) / 2 / 0.01) ** 2
    count = price * (5.0 * wires.losses_kw(TRADING, demand).sum() + 20.0 * off_by_a_percent.sum())
    beyond = weighted.certificate["welfare"]["trading"]["beyond_money"]
    assert beyond == pytest.approx(count, rel=1e-6)
    # Nobody pays for it: the accounts hold money alone.
    accounts = weighted.accounts[weighted.accounts["kind"] != "utility"]
    total = weighted.certificate["welfare"]["trading"]["total_cost"]
    assert accounts["cost_after"].sum() == pytest.approx(total - beyond, abs=1e-3)
    # The disagreement outcome knows no objective.
    assert weighted.certificate["welfare"]["utility-only"]["beyond_money"] == 0.0


def test_more_weight_on_losses_means_fewer_of_them_and_more_cost(plain: Scenario) -> None:
    found = []
    for weight in (0.0, 10.0, 100.0):
        aimed = aiming(plain, objective="losses", loss_weight=weight)
        outcome = simulate(aimed, "competitive")
        assert outcome.certified
        lost = outcome.losses[outcome.losses["case"] == TRADING]["lindistflow_kw"].sum()
        found.append((lost, outcome.summary["cost_after"]))
    losses, costs = np.array(found).T
    assert losses[0] > losses[1] > losses[2]
    assert costs[0] < costs[1] < costs[2]


def test_no_weight_is_the_objective_cost(plain: Scenario) -> None:
    nothing = simulate(aiming(plain, objective="losses", loss_weight=0.0), "competitive")
    assert nothing.prices.equals(simulate(plain, "competitive").prices)


def test_a_run_with_an_objective_verifies_from_its_files(weighted: Outcome, tmp_path: Path) -> None:
    folder = weighted.save(tmp_path / "run")
    assert verify(folder).failures == ()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "minimises losses (weight 5) and deviations of voltage (weight 20)." in page
    assert "count beside money, by the operator's objective" in page


def test_weights_of_the_objectives() -> None:
    entry = FeederEntry(name="ieee33")
    assert entry.weights == (0.0, 0.0)
    assert entry.model_copy(update={"objective": "losses"}).weights == (10.0, 0.0)
    assert entry.model_copy(update={"objective": "voltage"}).weights == (0.0, 10.0)
    assert FeederEntry(name="ieee33", objective="weighted", loss_weight=2.0).weights == (2.0, 10.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--objective", "beauty"], "objective"),
        (["--loss-weight", "3"], "loss_weight = 3.0 counts only with objective = losses"),
        (["--objective", "losses", "--voltage-weight", "3"], "voltage_weight = 3.0 counts only"),
        (["--objective", "losses", "--loss-weight", "-1"], "loss_weight"),
    ],
)
def test_bad_objectives_are_refused(options: list[str], words: str) -> None:
    found = CliRunner().invoke(app, ["run", "campus33", *options])
    assert isinstance(found.exception, ValueError)
    assert words in str(found.exception)


def test_an_objective_needs_a_feeder() -> None:
    found = CliRunner().invoke(app, ["run", "village", "--objective", "losses"])
    assert str(found.exception) == "objective: scenario village has no feeder"
