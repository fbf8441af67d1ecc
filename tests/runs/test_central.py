"""The central optimum: the duet by hand, and two ways to state the wires."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_statement import state_operator_problem
from nashgrid.market.topics import TRADING, UTILITY_ONLY
from nashgrid.runs.central import central_optimum, connection_limits
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.wire_laying import lay_wires


def test_the_duet_costs_what_it_costs_by_hand() -> None:
    duet = load_scenario("duet")
    wires = lay_wires(duet)
    # Everybody alone: .10 and 2.40. Together: 2.5 + .5 + 3 kWh at .30, 1 kWh sold at .10, and
    # .04 for the hour that moves from its preferred slot 0 to slot 2.
    alone = central_optimum(duet, wires, UTILITY_ONLY)
    together = central_optimum(duet, wires, TRADING)
    assert alone.cost == pytest.approx(2.50, abs=1e-8)
    assert together.cost == pytest.approx(1.74, abs=1e-8)
    np.testing.assert_allclose(together.price_per_kwh[:, 0], [0.3, 0.3, 0.1, 0.3], atol=1e-8)
    # Alone nothing that is traded is scarce.
    np.testing.assert_allclose(alone.price_per_kwh, 0.0, atol=1e-6)


def test_connection_limits_add_up_at_each_bus(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    scenario = load_scenario(write(tmp_path, trio))
    np.testing.assert_array_equal(
        connection_limits(scenario, lay_wires(scenario)), [10.0, 10.0 + 1.5]
    )


@pytest.mark.parametrize("case", [TRADING, UTILITY_ONLY])
def test_branch_form_and_condensed_form_have_one_optimum(
    tmp_path: Path,
    trio: dict[str, Any],
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    scenario = load_scenario(write(tmp_path, trio))
    wires = lay_wires(scenario)
    by_branch = central_optimum(scenario, wires, case)
    used: list[OperatorProblem] = []

    def condensed(delivery: OperatorProblem) -> DeliveryStatement:
        used.append(delivery)
        return state_operator_problem(delivery)

    monkeypatch.setattr(OperatorProblem, "statement", condensed)
    by_sensitivity = central_optimum(scenario, wires, case)
    assert len(used) == 1
    assert by_sensitivity.cost == pytest.approx(by_branch.cost, rel=1e-8)
    if case == TRADING:
        np.testing.assert_allclose(by_sensitivity.price_per_kwh, by_branch.price_per_kwh, atol=1e-6)
        # The wires are felt: losses and a line hold the two buses' prices apart.
        assert np.abs(np.diff(by_branch.price_per_kwh, axis=1)).max() > 1e-4


def test_a_scenario_without_any_schedule_is_named(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    content = {**trio, "utility": {**trio["utility"], "exchange_limit_kw": 0.5}}
    scenario = load_scenario(write(tmp_path, content))
    with pytest.raises(ValueError, match="the central problem of trio is infeasible"):
        central_optimum(scenario, lay_wires(scenario), TRADING)
