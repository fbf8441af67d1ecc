"""A charge that changes, against statements made for each charge anew."""

import numpy as np
import pytest

from nashgrid.agents.charge import Charge
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.agents.devices.battery import Battery
from nashgrid.agents.devices.device import Device, Horizon
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.local_problem import LocalProblem, Tariff

HORIZON = Horizon(6, 0.5)
DEVICES: list[Device] = [
    Load("load", np.array([1.0, 0.5, 0.5, 2.0, 3.0, 1.0])),
    Renewable("pv", np.array([0.0, 2.0, 3.0, 2.5, 0.0, 0.0])),
    Battery("battery", 2.0, 1.0, 9.0, 5.0, 5.0, 0.95, 0.9, 0.01, 0.005),
]
PRICE = np.array([0.3, 0.1, 0.05, 0.12, 0.35, 0.3])


def answer(problem: CompiledProblem) -> tuple[np.ndarray, float]:
    """Trade, and cost with what it pays beside the price, at a quote."""
    trade = problem.respond(PRICE, np.ones(6), np.full(6, 0.05))
    return trade, float(problem.recall().statement.objective.value)


@pytest.mark.parametrize("level", [0.0, 0.02, 0.11])
def test_a_changed_charge_is_a_new_statement(level: float) -> None:
    charge = Charge(np.full(6, 0.3))
    problem = CompiledProblem(LocalProblem("house", DEVICES, HORIZON, 12.0, charge))
    answer(problem)
    per_kwh = level * np.array([1.0, 1.0, 2.0, 2.0, 1.0, 0.5])
    charge.change(per_kwh)
    problem.heed_parameters()
    anew = LocalProblem("house", DEVICES, HORIZON, 12.0, Tariff(per_kwh, -per_kwh))
    trade, cost = answer(problem)
    expected, expected_cost = answer(CompiledProblem(anew))
    np.testing.assert_allclose(trade, expected, atol=1e-6)
    assert cost == pytest.approx(expected_cost, abs=1e-8)


def test_a_charge_is_paid_either_way() -> None:
    per_kwh = np.full(6, 0.1)
    problem = LocalProblem("house", DEVICES[:1], HORIZON, 12.0, Charge(per_kwh))
    compiled = CompiledProblem(problem)
    compiled.respond(np.zeros(6), np.zeros(6), np.zeros(6))
    # 8 kW half hours bought: 4 kWh.
    assert float(compiled.recall().statement.objective.value) == pytest.approx(0.4, abs=1e-8)
    with_sun = CompiledProblem(LocalProblem("roof", DEVICES[1:2], HORIZON, 12.0, Charge(per_kwh)))
    sold = with_sun.respond(np.full(6, 0.5), np.zeros(6), np.zeros(6))
    # Selling 3.75 kWh at .5 costs .1 each, and nothing is curtailed.
    assert sold.sum() == pytest.approx(-7.5, abs=1e-6)
    assert float(with_sun.recall().statement.objective.value) == pytest.approx(0.375, abs=1e-8)
