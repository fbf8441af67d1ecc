"""The joint answer is each building's own: against CVXPY and Clarabel, one building at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.population import BuildingArrays, Population, Storages


@settings(deadline=None, derandomize=True, max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    slots=st.sampled_from([1, 4, 24]),
    batteries=st.integers(0, 3),
    loads=st.integers(0, 2),
    flat=st.sampled_from([0.0, 0.0, 0.5]),
    level=st.sampled_from([0.25, 0.0, -0.1]),
    rho=st.sampled_from([0.05, 0.15, 0.5]),
)
def test_joint_answer_is_each_buildings_own(
    draw_buildings, compare_alone, seed, slots, batteries, loads, flat, level, rho
):
    arrays = draw_buildings(4, slots, seed, batteries, loads, vehicles=0.3, flat=flat)
    rng = np.random.default_rng(seed)
    price = level + 0.15 * np.sin(np.arange(slots) * 24 / slots / 24 * 4 * np.pi)
    compare_alone(arrays, price, rng.normal(size=(arrays.count, slots)), rho)


def test_quarter_hours(draw_buildings, compare_alone):
    arrays = draw_buildings(3, 96, 5, batteries=2, loads=1, vehicles=0.3)
    price = 0.25 + 0.1 * np.sin(np.arange(96) / 96 * 4 * np.pi)
    compare_alone(arrays, price, np.zeros((3, 96)), 0.15)


def test_export_limit_makes_it_curtail(draw_buildings, compare_alone):
    arrays = draw_buildings(6, 24, 7, batteries=1, loads=0)
    narrow = BuildingArrays(
        arrays.slot_hours,
        arrays.price_level,
        arrays.load_kw,
        arrays.available_kw * 3,
        arrays.load_kw.max(axis=1) + 0.1,
        arrays.size_kw,
        arrays.storages,
        arrays.shiftables,
    )
    population = Population(narrow, threads=1)
    population.settle(np.full(24, 0.2), np.zeros((6, 24)), 0.1)
    schedules = population.schedules(np.arange(6))
    assert schedules.curtailment_kw.max() > 1.0
    compare_alone(narrow, np.full(24, 0.2), np.zeros((6, 24)), 0.1)


def test_vehicle_arrives_with_its_energy(draw_buildings, compare_alone):
    """Energy that comes and goes with the vehicle equals a stay with other bounds."""
    arrays = draw_buildings(2, 24, 3, batteries=0, loads=0)
    made = []
    for start, inflow in ((4.0, None), (0.0, np.eye(24)[8:9] * 4.0)):
        limit = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 3.0, 0.0)[None]
        low = np.where(np.arange(24) >= 17, 9.0, 0.0)[None]
        one = np.ones(1)
        storages = Storages(
            np.array([1]), limit, limit, low, 12 * one, start * one, 9 * one, 12 * one,
            0.95 * one, 0.95 * one, 0.01 * one, 0.002 * one, inflow,
        )  # fmt: skip
        made.append(
            BuildingArrays(
                1.0,
                0.3,
                arrays.load_kw,
                arrays.available_kw,
                arrays.connection_kw + 4,
                arrays.size_kw,
                storages,
            )
        )
    price = 0.2 + 0.1 * np.sin(np.arange(24))
    trades = []
    for variant in made:
        population = Population(variant, threads=1)
        trades.append(population.settle(price, np.zeros((2, 24)), 0.1).copy())
        energy = population.schedules([1]).energy_kwh[0]
        assert energy[8:] == pytest.approx(np.clip(energy[8:], 0, 12), abs=1e-7)
        assert energy[17] >= 9 - 1e-7
    assert trades[0] == pytest.approx(trades[1], abs=1e-8)
    compare_alone(made[0], price, np.zeros((2, 24)), 0.1)
