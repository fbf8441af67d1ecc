"""LinDistFlow against its recursion, and against AC power flow where it should be close."""

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.power_flow import ac_power_flow


def sweep(feeder, power, reactive, root_voltage):
    """The recursion, written down bus by bus: sum up from the leaves, then drop from the root."""
    at = {int(bus): position for position, bus in enumerate(feeder.buses)}
    below = {"p": power.astype(float).copy(), "q": reactive.astype(float).copy()}
    flows = {"p": np.zeros(feeder.line_count), "q": np.zeros(feeder.line_count)}
    for index in reversed(range(feeder.line_count)):
        line = feeder.lines[index]
        for kind in "pq":
            flows[kind][index] = below[kind][at[line.to_bus]]
            below[kind][at[line.from_bus]] += below[kind][at[line.to_bus]]
    squared = np.full(feeder.bus_count, root_voltage**2)
    for index, line in enumerate(feeder.lines):
        drop = line.resistance_pu * flows["p"][index] + line.reactance_pu * flows["q"][index]
        squared[at[line.to_bus]] = squared[at[line.from_bus]] - 2 * drop / feeder.base_kva
    return flows["p"], flows["q"], squared


@pytest.mark.parametrize("name", ["feeder15", "ieee33", "ieee69"])
def test_condensed_form_equals_the_recursion(name):
    feeder = read_feeder(name)
    model = LinDistFlow(feeder)
    rng = np.random.default_rng(1)
    power = rng.normal(0.0, 100.0, (3, feeder.bus_count))
    reactive = rng.normal(0.0, 50.0, (3, feeder.bus_count))
    swept = [sweep(feeder, p, q, 1.02) for p, q in zip(power, reactive)]
    flow_kw, flow_kvar, squared = map(np.array, zip(*swept))
    np.testing.assert_allclose(model.flows(power), flow_kw, atol=1e-9)
    np.testing.assert_allclose(model.voltage_squared(power, reactive, 1.02), squared, atol=1e-13)
    losses = ((flow_kw**2 + flow_kvar**2) * feeder.resistance_pu).sum(axis=1) / feeder.base_kva
    np.testing.assert_allclose(model.losses_kw(power, reactive), losses)
    one_slot = model.voltage_squared(power[0], reactive[0], 1.02)
    np.testing.assert_allclose(one_slot, squared[0], atol=1e-13)


def test_sensitivities_are_shared_paths():
    # 33-bus feeder: buses 18 and 25 share the lines 1-2 and 2-3, in ohms .0922 and .4930 (x:
    # .0470 and .2511; Baran and Wu 1989) on 12.66^2 / 10 ohm.
    model = LinDistFlow(read_feeder("ieee33"))
    base_ohm = 12.66**2 / 10
    at = model.feeder.bus_positions([18, 25])
    resistance = model.resistance_sensitivity([25])[at[0], 0] * base_ohm
    reactance = model.reactance_sensitivity()[at[1], at[0]] * base_ohm
    assert (resistance, reactance) == pytest.approx((0.0922 + 0.4930, 0.0470 + 0.2511))
    assert not model.resistance_sensitivity([1]).any()


def test_voltages_are_the_derivative_of_the_ac_power_flow_at_no_load():
    feeder = read_feeder("ieee33")
    model = LinDistFlow(feeder)
    light = 1e-4
    power, reactive = light * feeder.load_kw, light * feeder.load_kvar
    exact = ac_power_flow(feeder, [power], [reactive])
    drop_exact = 1.0 - exact.voltage_pu[0] ** 2
    drop = 1.0 - model.voltage_squared(power, reactive)
    np.testing.assert_allclose(drop, drop_exact, rtol=1e-4, atol=1e-12)
    assert model.losses_kw(power, reactive) == pytest.approx(exact.losses_kw[0], rel=1e-4)
    # At full load it is optimistic: no losses in the flows, losses at 1 pu.
    full = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    assert np.sqrt(model.voltage_squared(feeder.load_kw, feeder.load_kvar).min()) > 0.915
    assert model.losses_kw(feeder.load_kw, feeder.load_kvar) < full.losses_kw[0]
