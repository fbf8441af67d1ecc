"""A scenario on the branch-flow model: certified against its own central problem, and verified."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nashgrid.grid.branch_flow_problem import EXACT
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs.central import central_optimum
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.tables import demand_kw
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires


@pytest.fixture(scope="module")
def exact(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    content = copy.deepcopy(trio)
    content["feeder"]["model"] = "branch flow"
    content["negotiation"] = {"tolerance": 1e-6}
    return simulate(load_scenario(write(tmp_path_factory.mktemp("exact"), content)))


def test_it_is_certified_and_its_prices_are_those_of_the_cone_program(exact: Outcome) -> None:
    assert exact.certified
    welfare = exact.certificate["welfare"]["trading"]
    assert abs(welfare["relative_gap"]) <= 1e-6
    assert welfare["largest_price_difference_per_kwh"] <= 1e-4
    assert exact.certificate["claims"]["trading: price parts"]["holds"]
    assert exact.certificate["ac_power_flow"]["trading"]["flow_model"] == {EXACT: 4}


def test_what_the_operator_pays_for_are_the_losses_of_ac(exact: Outcome) -> None:
    wires = lay_wires(exact.scenario)
    assert wires.feeder is not None
    demand = demand_kw(exact.trades, "trading", wires)
    state = ac_power_flow(wires.feeder, wires.bus_power_kw(demand), wires.reactive_kvar, 1.0)
    bought = exact.settlement[exact.settlement["item"] == "losses"]["energy_wh"].to_numpy(float)
    np.testing.assert_allclose(bought, 1000 * state.losses_kw, atol=0.5)


def test_losses_are_more_than_those_of_the_linear_model(exact: Outcome) -> None:
    linear = exact.scenario.feeder.model_copy(update={"model": "lindistflow"})
    other = exact.scenario.model_copy(update={"feeder": linear})
    for case in (TRADING, UTILITY_ONLY):
        costs = [central_optimum(s, lay_wires(s), case).cost for s in (exact.scenario, other)]
        assert costs[0] > costs[1]
        assert costs[0] == pytest.approx(costs[1], rel=1e-2)


def test_a_run_verifies_from_its_files(exact: Outcome, tmp_path: Path) -> None:
    folder = exact.save(tmp_path / "run")
    assert verify(folder).failures == ()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "describes the wires by the branch-flow model" in page
