"""Generated feeders: reproducible, radial, with the stated degrees, depth and voltage."""

import time

import numpy as np
import pytest

from nashgrid.grid.generated_feeder import generate_feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.power_flow import ac_power_flow


def test_the_same_seed_gives_the_same_feeder_and_another_one_does_not():
    one, same, other = (generate_feeder(300, seed) for seed in (4, 4, 5))
    assert one.lines == same.lines
    np.testing.assert_array_equal(one.load_kw, same.load_kw)
    assert one.lines != other.lines
    assert (one.root_bus, one.bus_count, one.line_count) == (1, 300, 299)


@pytest.mark.parametrize("continuation", [0.0, 0.7])
def test_degrees_depth_and_lengths_are_distributed_as_stated(continuation):
    buses = 40_000
    feeder = generate_feeder(buses, 7, continuation=continuation)
    leaving = np.bincount(feeder.from_bus, minlength=buses + 1)[1:]
    share = np.bincount(leaving, minlength=12)[:12] / buses
    c = continuation
    geometric = ((1 - c) / (2 - c)) ** np.arange(12) / (2 - c)
    stated = (1 - c) * geometric + c * np.concatenate([[0.0], geometric[:-1]])
    # Three standard deviations of a share of 40,000 buses are at most .0075.
    np.testing.assert_allclose(share, stated, atol=0.0075)
    depth = LinDistFlow(feeder).downstream.sum(axis=0)
    assert depth.mean() == pytest.approx(np.log(buses) / (1 - c), rel=0.35)
    # The length that a line was drawn with: r times the power behind it, up to one factor.
    behind = LinDistFlow(feeder).flows(feeder.load_kw)
    logarithm = np.log(feeder.resistance_pu * behind)
    assert logarithm.std() == pytest.approx(0.8, abs=0.01)
    third = np.mean((logarithm - logarithm.mean()) ** 3) / logarithm.std() ** 3
    assert abs(third) < 0.05
    ratio = feeder.reactance_pu / feeder.resistance_pu
    assert ratio.min() >= 0.5 - 1e-12
    assert ratio.max() <= 1.0 + 1e-12
    assert ratio.mean() == pytest.approx(0.75, abs=0.005)
    assert feeder.load_kw[1:].mean() == pytest.approx(5.0, rel=0.02)


@pytest.mark.parametrize("buses", [2, 3, 50, 1000])
def test_full_load_meets_the_lowest_voltage(buses):
    feeder = generate_feeder(buses, 1, lowest_voltage_pu=0.96)
    linear = LinDistFlow(feeder).voltage_squared(feeder.load_kw, feeder.load_kvar)
    assert np.sqrt(linear.min()) == pytest.approx(0.96, rel=1e-9)
    ac = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    assert 0.95 < ac.voltage_pu.min() < 0.96


def test_a_hundred_thousand_buses():
    start = time.perf_counter()
    feeder = generate_feeder(100_000, 2)
    flow = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    assert 0.94 < flow.voltage_pu.min() < 0.95
    assert time.perf_counter() - start < 60.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"buses": 1}, "buses 1 must be at least 2"),
        ({"continuation": 1.0}, "continuation 1.0 must be at least 0 and less than 1"),
        ({"mean_load_kw": 0.0}, "mean_load_kw 0.0 kW must be positive"),
        ({"lowest_voltage_pu": 1.0}, "lowest_voltage_pu 1.0 pu must lie between 0 and 1"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        generate_feeder(**({"buses": 10, "seed": 1} | changes))
