"""Branch flow against an independent AC optimal power flow: dispatch, prices, exactness, repair."""

import numpy as np
import pytest

from nashgrid.grid.convex_concave import EXACT_GAP
from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.generator import Generator
from nashgrid.grid.line import Line
from nashgrid.grid.optimal_power_flow import optimal_power_flow
from nashgrid.grid.power_flow import ac_power_flow

# Buses of the figures below: prices in EUR/kWh and EUR/kvarh by `runopp` of pandapower 3.5.6 (the
# interior-point AC optimal power flow of PYPOWER) on the same 33-bus feeder.
AT = [1, 6, 14, 18, 25, 30, 33]


def upstream(price, bus=1):
    return Generator(bus, price, 1e5, lowest_kw=-1e5, lowest_kvar=-1e5, highest_kvar=1e5)


def assert_holds_in_ac(flow, feeder, root_voltage_pu=1.0):
    ac = ac_power_flow(feeder, [flow.net_load_kw], [flow.net_load_kvar], root_voltage_pu)
    np.testing.assert_allclose(np.sqrt(flow.voltage_squared), ac.voltage_pu[0], atol=1e-6)
    assert flow.losses_kw == pytest.approx(ac.losses_kw[0], rel=1e-5)
    for price in (flow.active_price, flow.reactive_price):
        np.testing.assert_allclose(price.remainder, 0.0, atol=1e-6)
    return ac


def test_low_voltage_as_an_ac_optimal_power_flow_has_it():
    feeder = read_feeder("ieee33")
    flow = optimal_power_flow(
        feeder,
        [
            upstream(0.1),
            Generator(30, 0.12, 900.0, quadratic_cost_per_kw2h=1e-4, highest_kvar=300.0),
            Generator(14, 0.08, 250.0, quadratic_cost_per_kw2h=1e-5),
            Generator(24, 0.3, 900.0, lowest_kvar=-200.0, highest_kvar=200.0),
            Generator(18, 0.25, 500.0, quadratic_cost_per_kw2h=1e-4, highest_kvar=50.0),
        ],
        model="branch flow",
        lowest_voltage_pu=0.96,
    )
    assert flow.note == "branch flow, exact"
    assert flow.gap.max() < EXACT_GAP
    assert flow.cost_per_hour == pytest.approx(491.437065, abs=2e-5)
    np.testing.assert_allclose(flow.generation_kw[1:], [812.431, 250.0, 0.0, 205.482], atol=2e-3)
    np.testing.assert_allclose(flow.generation_kvar[1:], [300.0, 0.0, 200.0, 50.0], atol=1e-3)
    at = feeder.bus_positions(AT)
    active = [0.1, 0.197843, 0.274156, 0.291096, 0.129886, 0.282486, 0.334187]
    reactive = [0.0, 0.065635, 0.128758, 0.143180, 0.015115, 0.136535, 0.193494]
    np.testing.assert_allclose(flow.active_price.total[at], active, atol=2e-6)
    np.testing.assert_allclose(flow.reactive_price.total[at], reactive, atol=2e-6)
    # A generator inside its limits pins the price of its bus to its marginal cost.
    assert active[3] == pytest.approx(0.25 + 2e-4 * 205.482, abs=1e-5)
    assert flow.active_price.voltage[at][6] > 0.1
    assert flow.active_price.loss[at][3] > 0.001
    assert_holds_in_ac(flow, feeder)


def exporting(**changes):
    feeder = read_feeder("ieee33")
    terms = {"load_kw": 0.2 * feeder.load_kw, "load_kvar": 0.2 * feeder.load_kvar}
    generators = [
        upstream(0.1),
        Generator(18, 0.0, 3000.0, lowest_kvar=-500.0, highest_kvar=500.0),
        Generator(33, 0.0, 2500.0),
    ]
    return feeder, optimal_power_flow(
        feeder, generators, model="branch flow", lowest_voltage_pu=0.9, **(terms | changes)
    )


def test_export_against_the_highest_voltage_is_repaired():
    feeder, flow = exporting()
    assert flow.note.startswith("branch flow, repaired in ")
    assert "convex-concave steps (gap" in flow.note
    assert np.abs(flow.gap).max() < EXACT_GAP
    assert flow.cost_per_hour == pytest.approx(-171.208137, abs=2e-6)
    np.testing.assert_allclose(flow.generation_kw[1:], [1216.241, 1427.758], atol=2e-3)
    assert flow.generation_kvar[1] == pytest.approx(-500.0, abs=1e-3)
    at = feeder.bus_positions(AT)
    active = [0.1, 0.055388, 0.019163, 0.0, 0.08798, 0.018931, 0.0]
    reactive = [0.0, -0.024585, -0.052599, -0.075378, -0.004796, -0.051566, -0.075033]
    np.testing.assert_allclose(flow.active_price.total[at], active, atol=2e-6)
    np.testing.assert_allclose(flow.reactive_price.total[at], reactive, atol=2e-6)
    ac = assert_holds_in_ac(flow, feeder)
    assert ac.voltage_pu.max() == pytest.approx(1.05, abs=1e-7)
    # LinDistFlow keeps the limit too, with room to spare in AC.
    linear = optimal_power_flow(
        feeder,
        [upstream(0.1), Generator(18, 0.0, 3000.0), Generator(33, 0.0, 2500.0)],
        load_kw=0.2 * feeder.load_kw,
        load_kvar=0.2 * feeder.load_kvar,
    )
    ac = ac_power_flow(feeder, [linear.net_load_kw], [linear.net_load_kvar])
    assert ac.voltage_pu.max() < 1.048


@pytest.mark.parametrize("price", [0.0, -0.05])
def test_losses_that_cost_nothing_are_repaired(price):
    # Where energy is free or paid for, the relaxation would lose as much of it as it can.
    feeder = read_feeder("ieee33")
    flow = optimal_power_flow(
        feeder,
        [upstream(price), Generator(18, 0.1, 2000.0)],
        model="branch flow",
        lowest_voltage_pu=0.9,
    )
    assert "repaired" in flow.note
    assert flow.losses_kw == pytest.approx(202.677, abs=1e-3)
    assert_holds_in_ac(flow, feeder)


def test_a_full_line_and_an_inverter_of_limited_size():
    feeder = read_feeder("ieee33").with_line_limits({(6, 26): 600.0, (2, 19): 300.0})
    flow = optimal_power_flow(
        feeder,
        [
            upstream(0.1),
            Generator(30, 0.0, 700.0, lowest_kvar=-800.0, highest_kvar=800.0, rated_kva=800.0),
            Generator(26, 0.4, 900.0, highest_kvar=500.0),
            Generator(22, 0.2, 400.0, highest_kvar=100.0, quadratic_cost_per_kw2h=1e-4),
        ],
        model="branch flow",
        lowest_voltage_pu=0.9,
    )
    ac = assert_holds_in_ac(flow, feeder)
    assert np.hypot(flow.generation_kw[1], flow.generation_kvar[1]) == pytest.approx(
        800.0, abs=1e-3
    )
    assert flow.generation_kw[1] == pytest.approx(700.0, abs=1e-3)
    line = [str(line) for line in feeder.lines].index("2-19")
    assert ac.line_kva[0, line] == pytest.approx(300.0, abs=1e-3)
    at = feeder.bus_positions(22)[0]
    assert flow.active_price.congestion[at] > 0.05
    # The generator behind the full line is inside its limits and sets the price there.
    marginal = 0.2 + 2e-4 * flow.generation_kw[3]
    assert flow.active_price.total[at] == pytest.approx(marginal, abs=1e-6)


def test_a_generator_pins_the_price_of_its_bus_by_hand():
    # Two lines without reactance; the load of 30 kW at bus 3 comes over a line of 20 kVA at its
    # sending end, the rest from the generator at 3, inside its limits, at .4. One more unit at bus
    # 2, upstream of the full line, comes from the root (.1) with its losses; it also lowers v2 and
    # so raises the losses of the full line, which the generator makes up. With S = 100 kVA,
    # r = .01 pu and d the demand at bus 2: P1 = .2 + d + r P1^2, v2 = 1 - 2 r P1 + r^2 P1^2, and
    # the full line loses r .2^2 / v2.
    feeder = make_feeder(
        name="three",
        source="made up",
        base_kv=0.4,
        base_mva=0.1,
        root_bus=1,
        buses=[1, 2, 3],
        load_kw=[0.0, 0.0, 30.0],
        load_kvar=[0.0, 0.0, 0.0],
        lines=[Line(1, 2, 0.01, 0.0), Line(2, 3, 0.01, 0.0, 20.0)],
    )
    units = [upstream(0.1), Generator(3, 0.4, 50.0)]
    flow = optimal_power_flow(feeder, units, model="branch flow")
    sent = (1.0 - np.sqrt(1.0 - 4 * 0.01 * 0.2)) / 0.02
    assert flow.generation_kw[0] == pytest.approx(100 * sent, abs=1e-5)
    price = flow.active_price
    assert price.total[2] == pytest.approx(0.4, abs=1e-7)
    more = 1.0 / (1.0 - 0.02 * sent)
    v2 = 1.0 - 0.02 * sent + 1e-4 * sent**2
    more_lost = 0.01 * 0.04 / v2**2 * (0.02 - 2e-4 * sent) * more
    assert price.total[1] == pytest.approx(0.1 * more + 0.4 * more_lost, abs=1e-7)
    np.testing.assert_allclose(price.energy, 0.1, atol=1e-7)
    np.testing.assert_allclose(price.voltage, 0.0, atol=1e-7)
    assert 0.0 < price.congestion[1] < 1e-5
    assert price.congestion[2] == pytest.approx(0.4 - 0.1 - price.loss[2], abs=1e-7)
    linear = optimal_power_flow(feeder, units).active_price
    np.testing.assert_allclose(linear.total, [0.1, 0.1, 0.4], atol=1e-8)
    np.testing.assert_allclose(linear.congestion, [0.0, 0.0, 0.3], atol=1e-8)
    np.testing.assert_allclose(linear.loss, 0.0, atol=1e-12)


@pytest.mark.parametrize("bus", [8, 18, 25])
def test_prices_are_what_one_more_kw_or_kvar_costs(bus):
    feeder = read_feeder("ieee33")
    _, flow = exporting()
    at = feeder.bus_positions(bus)[0]
    step = 0.5 * (feeder.buses == bus)
    for name, load, price in (
        ("load_kw", 0.2 * feeder.load_kw, flow.active_price),
        ("load_kvar", 0.2 * feeder.load_kvar, flow.reactive_price),
    ):
        up = exporting(**{name: load + step})[1].cost_per_hour
        down = exporting(**{name: load - step})[1].cost_per_hour
        assert price.total[at] == pytest.approx(up - down, abs=2e-6)


@pytest.mark.parametrize("model", ["lindistflow", "branch flow"])
def test_limits_that_no_dispatch_keeps_are_named_with_the_least_relaxation(model):
    feeder = read_feeder("ieee33")
    with pytest.raises(
        ValueError, match=r"ieee33: slot 0, bus 18: the lowest voltage limit"
    ) as low:
        optimal_power_flow(feeder, [upstream(0.1)], model=model)
    # With the load given, the voltage is known: .91309 at bus 18 in AC, a bit more in LinDistFlow.
    amount = float(str(low.value).split("give way by ")[1].split()[0])
    if model == "branch flow":
        assert 0.95 - amount == pytest.approx(0.91309, abs=1e-5)
    else:
        assert 0.91309 < 0.95 - amount < 0.917
    with pytest.raises(ValueError, match=r"bus 1: the generation limit of 1000 kW must give way"):
        optimal_power_flow(feeder, [Generator(1, 0.1, 1000.0)], model=model, lowest_voltage_pu=0.9)
    narrow = feeder.with_line_limits({(2, 19): 200.0})
    with pytest.raises(ValueError, match=r"line 2-19: the line limit of 200 kVA must give") as line:
        optimal_power_flow(narrow, [upstream(0.1)], model=model, lowest_voltage_pu=0.9)
    amount = float(str(line.value).split("give way by ")[1].split()[0])
    behind = feeder.bus_positions([19, 20, 21, 22])
    needed = np.hypot(feeder.load_kw[behind].sum(), feeder.load_kvar[behind].sum())
    # A 12-gon inscribed in the limit carries up to 1 / cos(15 degrees) less; AC has the losses.
    assert needed - 1.0 < 200.0 + amount < 1.04 * needed


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ([], "ieee33: there is no generator, not even at the root"),
        (
            [Generator(1, np.nan, 10.0)],
            "generator at bus 1: linear_cost_per_kwh nan must be finite",
        ),
        ([Generator(1, 0.1, 10.0, lowest_kw=20.0)], "bus 1: lowest_kw 20 is above highest_kw 10"),
        ([Generator(1, 0.1, 10.0, rated_kva=-1.0)], "bus 1: rated_kva -1 must be >= 0"),
    ],
)
def test_bad_generators_are_named(generators, message):
    with pytest.raises(ValueError, match=message):
        optimal_power_flow(read_feeder("ieee33"), generators)


def test_other_bad_input_is_named():
    feeder = read_feeder("ieee33")
    with pytest.raises(ValueError, match="model 'ac' must be 'lindistflow' or 'branch flow'"):
        optimal_power_flow(feeder, [upstream(0.1)], model="ac")
    with pytest.raises(ValueError, match=r"load_kw of shape \(3,\) must be one finite value"):
        optimal_power_flow(feeder, [upstream(0.1)], load_kw=np.zeros(3))
