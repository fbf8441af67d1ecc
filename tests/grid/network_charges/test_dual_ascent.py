"""Dual ascent: with proximal schedules it settles at the locational prices."""

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.network_charges.dual_ascent import ascend, bus_charges, no_multipliers
from nashgrid.grid.operator_problem import OperatorProblem


def day(slots=2):
    """Everybody wants more than line 6-7 carries, and more than the voltage allows; or exports."""
    feeder = read_feeder("ieee33").with_line_limits({(6, 7): 400.0})
    problem = OperatorProblem(
        feeder,
        trading_buses=feeder.buses[1:],
        reactive_kvar=np.tile(0.5 * feeder.load_kvar, (slots, 1)),
        slot_hours=0.5,
        retail_price_per_kwh=0.2,
        feed_in_price_per_kwh=0.2,
        loss_price_per_kwh=0.2,
        demand_limit_kw=2000.0,
    )
    load = feeder.load_kw[1:]
    slope = 0.5 * 0.3 / np.maximum(load, load.mean())
    wish = np.array([1.6, -1.2])[:slots, None] * load
    return problem, slope, wish


def settle(problem, slope, wish, nearness, rounds):
    """Schedules answer the charges, which answer the schedules."""
    # Primal-dual steps settle for step x ||A||^2 < nearness (Chambolle and Pock 2011).
    step = 0.9 * nearness / np.linalg.norm(problem.limits.rows, 2) ** 2
    hours, price = problem.slot_hours, 0.2
    demand, multipliers = wish.copy(), no_multipliers(problem)
    for _ in range(rounds):
        charges = bus_charges(problem, multipliers, demand)
        before = demand
        # min slope (d - wish)^2 / 2 + dt (price + charge) d + nearness (d - last)^2 / 2, where
        # wishes are what would be taken at the price of energy alone.
        demand = (slope * wish - hours * charges + nearness * demand) / (slope + nearness)
        multipliers = ascend(problem, multipliers, 2 * demand - before, step)
    linear = -slope * wish - hours * price
    best = problem.answer(linear, slope)
    locational = -(linear + slope * best.demand_kw) / hours - price
    return demand, bus_charges(problem, multipliers, demand), best.demand_kw, locational


def test_it_settles_at_the_locational_prices():
    problem, slope, wish = day()
    demand, charges, best, locational = settle(problem, slope, wish, 0.05, 4000)
    assert np.abs(locational).max() > 0.1
    np.testing.assert_allclose(charges, locational, atol=1e-8)
    np.testing.assert_allclose(demand, best, atol=1e-6)
    # Both directions are charged: the first slot imports, the second exports.
    at = problem.feeder.bus_positions(18)[0] - 1
    assert charges[0, at] > 0.05
    assert charges[1, at] < -0.05


def test_one_step_by_hand():
    problem, _, wish = day(slots=1)
    demand = np.zeros_like(wish)
    at = problem.feeder.bus_positions(7)[0] - 1
    demand[0, at] = 500.0
    multipliers = ascend(problem, no_multipliers(problem), demand, 0.01)
    line = 1 + problem.limits.lines.tolist().index(
        [str(line) for line in problem.feeder.lines].index("6-7")
    )
    over = 500.0 - problem.limits.upper[0, line]
    assert multipliers.upper[0, line] == pytest.approx(0.01 * over)
    assert multipliers.lower.max() == 0.0
    charges = bus_charges(problem, multipliers, demand)
    loss = problem.quadratic.loss_gradient(demand) / problem.slot_hours
    # Behind the line all pay the same for it, before it nobody does; the day has half-hours.
    assert (charges - loss)[0, at] == pytest.approx(0.01 * over / 0.5)
    assert (charges - loss)[0, 0] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="step 0 currency/kW per kW must be positive"):
        ascend(problem, multipliers, demand, 0)
