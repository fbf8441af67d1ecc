"""Stays and windows of drawn devices: against counting minutes, and against stated devices."""

from datetime import datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.agents.devices.battery import ElectricVehicle
from nashgrid.runs import inputs
from nashgrid.runs.population_devices import Dice, clock
from nashgrid.runs.scenario import BuildingEntry, HorizonEntry
from nashgrid.runs.scenario_devices import VehicleEntry
from nashgrid.runs.scenario_files import load_scenario

DAY = 1440
HORIZONS = st.builds(
    lambda start, slots, minutes: HorizonEntry(
        start=datetime(2016, 5, 3) + timedelta(minutes=start), slots=slots, slot_minutes=minutes
    ),
    st.integers(0, DAY - 1),
    st.integers(1, 60),
    st.sampled_from([7, 15, 60, 90, 600, 1440]),
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(horizon=HORIZONS, first=st.integers(0, DAY - 1), length=st.integers(1, DAY))
def test_the_share_of_a_slot_within_a_window_is_that_of_its_minutes(
    horizon: HorizonEntry, first: int, length: int
) -> None:
    begin = 60 * horizon.start.hour + horizon.start.minute
    minutes = begin + np.arange(horizon.slots * horizon.slot_minutes)
    within = (minutes - first) % DAY < length
    expected = within.reshape(horizon.slots, -1).mean(axis=1)
    found = clock(horizon).share_within(np.array([float(first)]), np.array([float(length)]))
    np.testing.assert_allclose(found[0], expected, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    horizon=HORIZONS.filter(lambda horizon: horizon.slot_minutes < 600),
    arrival=st.integers(0, DAY - 60),
    length=st.integers(60, DAY - 1),
)
def test_a_stay_is_that_of_a_stated_vehicle(
    horizon: HorizonEntry, arrival: int, length: int
) -> None:
    departure = min(arrival + length, DAY - 1)
    there = clock(horizon).first_stay(np.array([float(arrival)]), np.array([float(departure)]))
    scenario = load_scenario("village").model_copy(update={"horizon": horizon})
    vehicle = VehicleEntry(
        capacity_kwh=10,
        power_kw=5,
        arrival=time(*divmod(arrival, 60)),
        departure=time(*divmod(departure, 60)),
    )
    home = BuildingEntry(name="home", connection_kw=10, vehicles=(vehicle,))
    if not there.any():
        with pytest.raises(ValueError, match="no slot lies between"):
            inputs.devices(home, scenario)
        return
    device = inputs.devices(home, scenario)[0]
    assert isinstance(device, ElectricVehicle)
    present = np.zeros(horizon.slots, dtype=bool)
    present[device.arrival_slot : device.departure_slot] = True
    np.testing.assert_array_equal(there[0], present)


def test_draws_are_those_of_the_building_and_end_at_three_deviations() -> None:
    dice = Dice(3, np.arange(100_000))
    drawn = np.log(dice.lognormal("size", 2.0, 0.5) / 2.0) / 0.5
    assert (drawn.mean(), drawn.std()) == pytest.approx((0, 1), abs=0.02)
    assert np.abs(drawn).max() == pytest.approx(3)
    # Scarcely any lie at the ends, as many as a normal distribution has beyond them.
    assert (np.abs(drawn) > 3 - 1e-9).mean() == pytest.approx(0.0027, abs=0.0008)
    rows = np.array([7, 99_999, 0])
    np.testing.assert_array_equal(dice.of(rows).uniform("size"), dice.uniform("size")[rows])
    assert not np.isin(dice.uniform("one"), dice.uniform("other")).any()
    picked = np.bincount(dice.pick("which", 4))
    assert picked.size == 4
    assert picked.min() > 25_000 - 4 * np.sqrt(100_000 * 3 / 16)
    assert np.abs(dice.around("time", 30.0)).max() == pytest.approx(30, abs=0.01)
