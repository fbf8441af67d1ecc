"""Bad data and infeasible buildings are named before anybody answers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from nashgrid.agents.population import BuildingArrays, Population, Shiftables, Storages

ONE = np.ones(1)


def battery(**changes) -> Storages:
    values = {
        "owner": np.array([1]),
        "charge_kw": 2 * ONE,
        "discharge_kw": 2 * ONE,
        "energy_min_kwh": 1 * ONE,
        "energy_max_kwh": 9 * ONE,
        "energy_start_kwh": 5 * ONE,
        "energy_end_min_kwh": 5 * ONE,
        "energy_end_max_kwh": 5 * ONE,
        "charge_efficiency": 0.95 * ONE,
        "discharge_efficiency": 0.95 * ONE,
        "wear_per_kwh": 0.01 * ONE,
        "wear_quadratic": 0.001 * ONE,
    }
    return Storages(**(values | changes))


def homes(connection=5.0, **changes) -> BuildingArrays:
    load = np.full((3, 4), 1.0)
    load[1, 2] = 4.0
    values = {
        "slot_hours": 1.0,
        "price_level": 0.3,
        "load_kw": load,
        "available_kw": np.zeros((3, 4)),
        "connection_kw": np.full(3, connection),
        "size_kw": np.full(3, 5.0),
    }
    return BuildingArrays(**(values | changes))


def test_an_energy_out_of_reach():
    with pytest.raises(ValueError, match=r"building 1, slot 3: the energy of a storage .* 14"):
        Population(
            homes(
                storages=battery(
                    energy_end_min_kwh=14 * ONE,
                    energy_max_kwh=20 * ONE,
                    energy_end_max_kwh=20 * ONE,
                )
            )
        )


def test_an_energy_out_of_bounds_in_the_middle():
    low = np.array([[1.0, 8.9, 1.0, 1.0]])
    with pytest.raises(ValueError, match=r"building 1, slot 1: the energy of a storage"):
        Population(homes(storages=battery(energy_min_kwh=low)))


def test_more_to_shift_than_the_limits_allow():
    loads = Shiftables(np.array([2]), np.full((1, 4), 0.5), np.zeros((1, 4)), 2.5 * ONE, 0.01 * ONE)
    with pytest.raises(ValueError, match=r"building 2: .* must use 2.5 kWh, .* at most 2 kWh"):
        Population(homes(shiftables=loads))


def test_a_load_beyond_the_connection():
    with pytest.raises(ValueError, match=r"building 1, slot 2: its trade exceeds .* 3 kW"):
        Population(homes(connection=3.0))


def test_a_battery_can_carry_a_load_beyond_the_connection():
    trade = Population(homes(connection=3.0, storages=battery()), threads=1).answer(
        np.full(4, 0.3), np.zeros((3, 4)), 0.1
    )
    assert trade[1, 2] <= 3.0 + 1e-9


def test_the_linear_program_decides_where_the_calm_schedule_fails(draw_buildings):
    """Just feasible and just infeasible connections, against a program stated apart."""
    arrays = homes(storages=battery(discharge_kw=0.5 * ONE), connection=10.0)
    # least possible largest import of building 1: the battery gives 0.5 kW in slot 2
    matrix = np.zeros((4, 2))
    solution = linprog(
        [0, 1], A_ub=np.array([[-1.0, -1.0]]), b_ub=[-4.0], bounds=[(0, 0.5), (0, 9)]
    )
    least = solution.x[1]
    assert least == pytest.approx(3.5)
    assert matrix.shape == (4, 2)
    Population(replace(arrays, connection_kw=np.full(3, least + 1e-6)))
    with pytest.raises(ValueError, match="building 1, slot 2: its trade exceeds"):
        Population(replace(arrays, connection_kw=np.full(3, least - 1e-3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"charge_efficiency": 1.2 * ONE}, "building 1: charge_efficiency is 1.2"),
        ({"wear_quadratic": -ONE}, "building 1: wear_quadratic is -1, but must be at least 0"),
        ({"energy_start_kwh": np.nan * ONE}, "building 1: energy_start_kwh is nan"),
        ({"owner": np.array([3])}, "owner names rows 3 to 3, but there are 3 buildings"),
        ({"charge_kw": np.ones(2)}, r"storages.charge_kw has shape \(2,\)"),
    ],
)
def test_bad_storages(change, message):
    with pytest.raises(ValueError, match=message):
        homes(storages=battery(**change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slot_hours": 0.0}, "slot_hours is 0"),
        ({"size_kw": np.array([1.0, 0.0, 1.0])}, "building 1: size_kw is 0, but must be above 0"),
        ({"available_kw": -np.ones((3, 4))}, "building 0, slot 0: available_kw is -1"),
        ({"load_kw": np.ones(3)}, r"load_kw has shape \(3,\)"),
        ({"connection_kw": np.ones(2)}, r"connection_kw has shape \(2,\)"),
    ],
)
def test_bad_buildings(change, message):
    with pytest.raises(ValueError, match=message):
        homes(**change)
