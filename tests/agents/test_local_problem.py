"""The local problem: tariff, balance, connection and the cost it states."""

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.device import Horizon
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.local_problem import LocalProblem, Tariff

TARIFF = Tariff(np.array([0.3, 0.4, 0.3]), np.array([0.1, 0.1, -0.05]))


def test_bill_buys_at_retail_and_sells_at_the_feed_in_price() -> None:
    # Half hours: .5 x (2 x .3 - 3 x .1 + 1 x .05).
    assert TARIFF.bill(np.array([2.0, -3.0, -1.0]), 0.5) == pytest.approx(0.175)
    assert TARIFF.bill(np.zeros(3), 0.5) == 0.0


def test_trade_is_load_less_generation() -> None:
    devices = [
        Load("load", np.array([1.0, 2.0, 3.0])),
        Renewable("pv", np.array([0.0, 5.0, 0.0])),
        Generator("generator", 0.05, 0.0, 0.0, 2.0),
    ]
    problem = LocalProblem("house", devices, Horizon(3, 1.0), 10.0)
    problem.price.value = np.array([0.1, 0.1, 0.3])
    problem.statement.solve(solver=cp.CLARABEL)
    # The generator runs where 2 x .05 g = price: 1, 1, and at its limit 2.
    np.testing.assert_allclose(problem.trade.value, [0.0, -4.0, 1.0], atol=1e-5)
    assert problem.device_cost() == pytest.approx(0.05 * (1 + 1 + 4), abs=1e-5)
    schedule = problem.schedule()
    assert set(schedule) == {"load", "pv", "generator"}
    np.testing.assert_allclose(schedule["generator"]["generation_kw"], [1, 1, 2], atol=1e-5)
    np.testing.assert_allclose(schedule["generator"]["consumption_kw"], [-1, -1, -2], atol=1e-5)
    np.testing.assert_allclose(schedule["load"]["consumption_kw"], [1, 2, 3])
    np.testing.assert_allclose(schedule["pv"]["curtailed_kw"], 0.0, atol=1e-6)


@pytest.mark.parametrize("price", [-1.0, 1.0])
def test_connection_limits_both_directions(price: float) -> None:
    devices = [
        Load("load", np.full(3, 4.0), unserved_price_per_kwh=5.0),
        Generator("generator", 0.0001, 0.0, 0.0, 9.0),
    ]
    problem = LocalProblem("house", devices, Horizon(3, 1.0), 2.5)
    problem.price.value = np.full(3, price)
    problem.statement.solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(problem.trade.value, -2.5 * np.sign(price), atol=1e-5)


def test_with_a_tariff_it_pays_retail_for_itself() -> None:
    trade = np.array([2.0, -3.0, -1.0])
    devices = [Load("load", np.maximum(trade, 0)), Generator("g", 1.0, 0.0, 0.0, 3.0)]
    market = LocalProblem("house", devices, Horizon(3, 0.5), 10.0)
    alone = LocalProblem("house", devices, Horizon(3, 0.5), 10.0, TARIFF)
    costs = []
    for problem in (market, alone):
        problem.price.value = np.zeros(3)
        # The trade is held; only what it costs with the utility differs.
        pinned = [*problem.statement.constraints, problem.trade == trade]
        costs.append(cp.Problem(problem.statement.objective, pinned).solve(solver=cp.CLARABEL))
    assert costs[0] == pytest.approx(0.5 * (9.0 + 1.0), abs=1e-6)
    assert costs[1] - costs[0] == pytest.approx(TARIFF.bill(trade, 0.5), abs=1e-6)
    assert alone.device_cost() == pytest.approx(5.0, abs=1e-6)
