"""Joint dual ascent: voltages of neighbouring buses bind, and it settles all the same."""

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.network_charges.dual_ascent import ascend, bus_charges, no_multipliers
from nashgrid.grid.network_charges.joint_ascent import JointAscent
from nashgrid.grid.operator_problem import OperatorProblem

ROUNDS = 150


@pytest.fixture(scope="module")
def problem():
    """Losses, a tariff with a spread, and no line limit: only voltages bind."""
    feeder = read_feeder("ieee33")
    return OperatorProblem(
        feeder,
        trading_buses=feeder.buses[1:],
        reactive_kvar=np.tile(0.5 * feeder.load_kvar, (3, 1)),
        slot_hours=0.5,
        retail_price_per_kwh=0.3,
        feed_in_price_per_kwh=0.1,
        loss_price_per_kwh=0.3,
        demand_limit_kw=2000.0,
    )


def schedules(problem):
    """Import that is too much, export that is too much, and both about even; their slopes."""
    load = problem.feeder.load_kw[1:]
    wish = np.array([3.0, -1.0, 0.0])[:, None] * load
    slope = 0.5 * 0.3 / np.maximum(load, load.mean())
    # Half of them sell to the other half at a price of 0.2.
    wish[2] = np.where(np.arange(32) % 2, load, -load) + 0.5 * 0.2 / slope
    return slope, wish


def rounds(problem, slope, wish, nearness, move):
    """Schedules with a proximal term answer the prices; those after `ROUNDS` rounds."""
    hours, demand = problem.slot_hours, np.zeros(wish.shape)
    energy, multipliers = np.full(len(wish), 0.2), no_multipliers(problem)
    for _ in range(ROUNDS):
        price = energy[:, None] + bus_charges(problem, multipliers, demand)
        before = demand
        demand = (slope * wish - hours * price + nearness * demand) / (slope + nearness)
        energy, multipliers = move(energy, multipliers, 2 * demand - before)
    return demand, energy[:, None] + bus_charges(problem, multipliers, demand), multipliers


def test_it_settles_at_least_cost_where_voltages_bind(problem):
    slope, wish = schedules(problem)
    nearness = 2 * slope
    joint = JointAscent(problem, problem.slot_hours / nearness)
    demand, price, multipliers = rounds(problem, slope, wish, nearness, joint.step)
    best = problem.answer(-slope * wish, slope)
    locational = -slope * (best.demand_kw - wish) / problem.slot_hours
    np.testing.assert_allclose(demand, best.demand_kw, atol=1e-5)
    np.testing.assert_allclose(price, locational, atol=1e-6)
    # Both directions, never at once: the lowest voltage in the first slot, the highest in the next.
    voltages = problem.limits.bus_rows
    assert multipliers.upper[0, voltages].max() > 0.1
    assert multipliers.lower[1, voltages].max() > 0.01
    assert (multipliers.upper * multipliers.lower).max() == 0.0
    # In the last slot energy is worth something between the two prices of the tariff.
    assert 0.1 < price[2].min() < price[2].max() < 0.3


def test_one_step_for_each_multiplier_would_creep(problem):
    """The reason for the joint step: the same rounds with the longest scalar one."""
    slope, wish = schedules(problem)
    nearness = 2 * slope
    joint = JointAscent(problem, problem.slot_hours / nearness)
    step = 0.9 / np.linalg.norm(problem.limits.rows / np.sqrt(nearness), 2) ** 2

    def alone(energy, multipliers, ahead):
        return joint.step(energy, multipliers, ahead)[0], ascend(problem, multipliers, ahead, step)

    best = problem.answer(-slope * wish, slope).demand_kw
    off = [
        np.abs(rounds(problem, slope, wish, nearness, move)[0][:2] - best[:2]).max()
        for move in (joint.step, alone)
    ]
    assert off[0] < 1e-5
    assert off[1] > 1


def test_bad_yields_are_refused(problem):
    with pytest.raises(ValueError, match="yield_kw2h 0 kW2h/currency must be positive"):
        JointAscent(problem, np.zeros(32))
