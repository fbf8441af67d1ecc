"""Batteries and vehicles against numbers worked out by hand."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from nashgrid.agents.devices.battery import Battery, ElectricVehicle
from nashgrid.agents.devices.device import Contribution, Horizon

BATTERY = Battery(
    name="battery",
    power_kw=5.0,
    minimum_kwh=2.0,
    maximum_kwh=18.0,
    initial_kwh=10.0,
    final_kwh=10.0,
    charge_efficiency=0.9,
    discharge_efficiency=0.8,
    wear_per_kwh=0.02,
    wear_quadratic=0.004,
)
VEHICLE = ElectricVehicle(
    name="vehicle",
    power_kw=4.0,
    minimum_kwh=1.0,
    maximum_kwh=20.0,
    initial_kwh=6.0,
    final_kwh=12.0,
    charge_efficiency=0.75,
    discharge_efficiency=0.5,
    wear_per_kwh=0.0,
    wear_quadratic=0.001,
    arrival_slot=1,
    departure_slot=3,
)


def optimise(part: Contribution, objective: cp.Expression) -> float:
    """Least value of an objective over what the device can do."""
    problem = cp.Problem(cp.Minimize(objective), list(part.constraints))
    return float(problem.solve(solver=cp.CLARABEL))


def values(part: Contribution) -> dict[str, np.ndarray]:
    return {name: variable.value for name, variable in part.variables.items()}


def holds(part: Contribution, decisions: dict[str, list[float]]) -> bool:
    """Whether the device allows the given decisions."""
    for name, numbers in decisions.items():
        part.variables[name].value = np.array(numbers)
    return all(float(np.max(c.violation())) < 1e-9 for c in part.constraints)


def test_energy_follows_power_through_the_efficiencies() -> None:
    part = BATTERY.contribute(Horizon(4, 0.5))
    # Half an hour at 4 kW stores 4 x .5 x .9 = 1.8 kWh; at 1.44 kW drawn it takes .9 kWh.
    cycle = {
        "charge_kw": [4.0, 0.0, 0.0, 0.0],
        "discharge_kw": [0.0, 1.44, 1.44, 0.0],
        "energy_kwh": [11.8, 10.9, 10.0, 10.0],
    }
    assert holds(part, cycle)
    np.testing.assert_allclose(part.consumption_kw.value, [4.0, -1.44, -1.44, 0.0])
    # Wear: .02 x .5 h x (4 + 2.88) kW, and .004 x .5 h x (16 + 2 x 1.44^2) kW2.
    assert part.cost.value == pytest.approx(0.0688 + 0.002 * (16 + 2 * 1.44**2))
    assert not holds(part, cycle | {"energy_kwh": [12.0, 11.1, 10.2, 10.2]})
    assert not holds(part, cycle | {"charge_kw": [4.0, 0.0, 0.0, 0.1]})


def test_end_energy_is_kept() -> None:
    # 10 kWh down to 4: 6 x .8 = 4.8 kWh delivered, within an hour at most 5 kW.
    emptied = replace(BATTERY, final_kwh=4.0).contribute(Horizon(1, 1.0))
    least = optimise(emptied, cp.sum(emptied.consumption_kw))
    assert least == pytest.approx(-4.8, abs=1e-6)
    # The other way 3.6 kWh are stored by drawing 3.6 / .9 = 4 kWh.
    filled = replace(BATTERY, final_kwh=13.6).contribute(Horizon(1, 1.0))
    assert optimise(filled, cp.sum(filled.consumption_kw)) == pytest.approx(4.0, abs=1e-6)
    beyond = replace(BATTERY, final_kwh=14.6).contribute(Horizon(1, 1.0))
    assert optimise(beyond, cp.sum(beyond.consumption_kw)) == np.inf


def test_stored_energy_and_power_stay_within_limits() -> None:
    part = BATTERY.contribute(Horizon(4, 1.0))
    # From 10 to 18 kWh at 5 kW x .9 each hour: the third hour has no room.
    full = optimise(part, -part.variables["energy_kwh"][1])
    assert -full == pytest.approx(18.0, abs=1e-6)
    assert optimise(part, -part.variables["charge_kw"][2]) == pytest.approx(-5.0, abs=1e-6)
    assert optimise(part, -part.variables["discharge_kw"][2]) == pytest.approx(-5.0, abs=1e-6)
    assert optimise(part, part.variables["energy_kwh"][1]) == pytest.approx(2.0, abs=1e-6)


def test_arbitrage_by_hand() -> None:
    # Buy at .1, sell at .5: with stored e, draw e / .9 and deliver .8 e; quadratic wear alone
    # (no linear one) makes the margin .8 x .5 - .1 / .9 - 2 k e (1 / .81 + .64) = 0.
    wear = 0.02
    battery = replace(BATTERY, wear_per_kwh=0.0, wear_quadratic=wear)
    part = battery.contribute(Horizon(2, 1.0))
    optimise(part, part.cost + np.array([0.1, 0.5]) @ part.consumption_kw)
    stored = (0.8 * 0.5 - 0.1 / 0.9) / (2 * wear * (1 / 0.81 + 0.64))
    np.testing.assert_allclose(part.consumption_kw.value, [stored / 0.9, -0.8 * stored], atol=1e-5)
    assert part.variables["energy_kwh"].value[0] == pytest.approx(10.0 + stored, abs=1e-5)


def test_a_day_of_quarter_hours_moves_a_quarter_of_the_energy() -> None:
    part = BATTERY.contribute(Horizon(96, 0.25))
    assert all(variable.shape == (96,) for variable in part.variables.values())
    # 8 kWh of room at 5 kW x .9 x .25 h = 1.125 kWh each: 7.11 slots until full.
    energy = part.variables["energy_kwh"]
    assert -optimise(part, -energy[6]) == pytest.approx(10 + 7 * 1.125, abs=1e-5)
    assert -optimise(part, -energy[7]) == pytest.approx(18.0, abs=1e-5)


def test_vehicle_is_idle_outside_its_stay() -> None:
    part = replace(VEHICLE, final_kwh=1.0).contribute(Horizon(4, 1.0))
    for slot, most in enumerate([0.0, 4.0, 4.0, 0.0]):
        for name in ("charge_kw", "discharge_kw"):
            reached = -optimise(part, -part.variables[name][slot])
            assert reached == pytest.approx(most, abs=1e-6)


def test_vehicle_leaves_with_its_energy() -> None:
    part = VEHICLE.contribute(Horizon(4, 1.0))
    # 6 kWh short at 75 %: 8 kWh drawn, which fills both hours of its stay.
    assert optimise(part, cp.sum(part.consumption_kw)) == pytest.approx(8.0, abs=1e-6)
    np.testing.assert_allclose(values(part)["charge_kw"], [0, 4, 4, 0], atol=1e-6)
    np.testing.assert_allclose(values(part)["energy_kwh"], [6, 9, 12, 12], atol=1e-6)
    late = replace(VEHICLE, arrival_slot=2).contribute(Horizon(4, 1.0))
    assert optimise(late, cp.sum(late.consumption_kw)) == np.inf


def test_vehicle_may_discharge_and_may_leave_fuller() -> None:
    satisfied = replace(VEHICLE, final_kwh=5.0).contribute(Horizon(4, 1.0))
    # 1 kWh to spare at 50 %: half a kWh delivered.
    assert optimise(satisfied, cp.sum(satisfied.consumption_kw)) == pytest.approx(-0.5, abs=1e-6)
    # Paid for drawing it takes all it can: 8 kWh.
    assert optimise(satisfied, -cp.sum(satisfied.consumption_kw)) == pytest.approx(-8, abs=1e-6)


def test_vehicle_of_one_slot() -> None:
    there = replace(VEHICLE, arrival_slot=0, departure_slot=1, final_kwh=7.5)
    part = there.contribute(Horizon(1, 0.5))
    # 1.5 kWh in half an hour at 75 %: 4 kW, just its limit.
    assert optimise(part, part.consumption_kw[0]) == pytest.approx(4.0, abs=1e-6)
