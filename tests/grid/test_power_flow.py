"""AC power flow: the published figures of the 33- and 69-bus feeders, and bad input."""

import numpy as np
import pytest

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.power_flow import ac_power_flow

# Lines 7, 9, 14, 32, 37 open instead of the five ties (Baran and Wu 1989; 139.551 kW is the
# minimum-loss configuration found by later studies).
RECONFIGURED = {
    "open_lines": [(7, 8), (9, 10), (14, 15), (32, 33)],
    "close_lines": [(21, 8), (9, 15), (12, 22), (18, 33)],
}


def published(feeder, power_kw):
    flow = ac_power_flow(feeder, [power_kw], [feeder.load_kvar])
    lowest = flow.voltage_pu[0].argmin()
    return flow.losses_kw[0], flow.voltage_pu[0, lowest], feeder.buses[lowest]


def test_33_buses():
    feeder = read_feeder("ieee33")
    losses, voltage, bus = published(feeder, feeder.load_kw)
    assert losses == pytest.approx(202.677, abs=5e-4)
    assert voltage == pytest.approx(0.91309, abs=5e-6)
    assert bus == 18


def test_33_buses_reconfigured():
    feeder = read_feeder("ieee33").reconfigured(**RECONFIGURED)
    losses, voltage, bus = published(feeder, feeder.load_kw)
    assert losses == pytest.approx(139.551, abs=5e-4)
    assert voltage == pytest.approx(0.93782, abs=5e-6)
    assert bus == 32


def test_33_buses_with_a_generator_at_bus_6():
    feeder = read_feeder("ieee33")
    power_kw = feeder.load_kw - 2575.0 * (feeder.buses == 6)
    losses, _, _ = published(feeder, power_kw)
    assert losses == pytest.approx(103.966, abs=5e-4)


def test_69_buses():
    feeder = read_feeder("ieee69")
    losses, voltage, bus = published(feeder, feeder.load_kw)
    assert losses == pytest.approx(224.992, abs=5e-4)
    assert voltage == pytest.approx(0.909188, abs=5e-7)
    assert bus == 65


def one_line(resistance_pu, reactance_pu):
    return make_feeder(
        name="pair",
        source="made up",
        base_kv=0.4,
        base_mva=0.1,
        root_bus=7,
        buses=[3, 7],
        load_kw=[0.0, 0.0],
        load_kvar=[0.0, 0.0],
        lines=[Line(3, 7, resistance_pu, reactance_pu)],
    )


def test_one_line_in_closed_form():
    # v2^4 - (v1^2 - 2 (r p + x q)) v2^2 + (r^2 + x^2)(p^2 + q^2) = 0 in pu.
    feeder = one_line(0.05, 0.02)
    power, reactive, root = np.array([0.8, -0.6]), np.array([0.3, 0.1]), 1.02
    half = (root**2 - 2 * (0.05 * power + 0.02 * reactive)) / 2
    size = power**2 + reactive**2
    squared = half + np.sqrt(half**2 - (0.05**2 + 0.02**2) * size)
    losses = 0.05 * size / squared
    sent = np.hypot(power + losses, reactive + 0.02 * size / squared)
    flow = ac_power_flow(
        feeder,
        np.column_stack([100 * power, [5.0, 5.0]]),
        np.column_stack([100 * reactive, [0.0, 0.0]]),
        root,
    )
    np.testing.assert_allclose(flow.voltage_pu, [[v, root] for v in np.sqrt(squared)], rtol=1e-9)
    np.testing.assert_allclose(flow.losses_kw, 100 * losses, rtol=1e-7)
    # Power enters at the root in the first slot, at the other end in the second.
    expected = [100 * sent[0], 100 * np.hypot(power[1], reactive[1])]
    np.testing.assert_allclose(flow.line_kva[:, 0], expected, rtol=1e-8)


def test_slots_are_independent():
    feeder = read_feeder("feeder15")
    factors = np.array([[0.0], [0.5], [1.0], [-1.0]])
    together = ac_power_flow(feeder, factors * feeder.load_kw, factors * feeder.load_kvar)
    for slot, factor in enumerate(factors):
        alone = ac_power_flow(feeder, [factor * feeder.load_kw], [factor * feeder.load_kvar])
        np.testing.assert_allclose(together.voltage_pu[slot], alone.voltage_pu[0], rtol=1e-12)
    np.testing.assert_allclose(together.voltage_pu[0], 1.0, rtol=1e-12)
    assert together.losses_kw[0] == pytest.approx(0.0, abs=1e-9)


def test_a_slot_that_cannot_be_carried_is_named():
    feeder = read_feeder("ieee33")
    load_kw = np.array([[1.0], [5.0], [1.0], [20.0]]) * feeder.load_kw
    with pytest.raises(ValueError, match=r"ieee33 does not converge in slots 1, 3:"):
        ac_power_flow(feeder, load_kw, np.tile(feeder.load_kvar, (4, 1)))


def test_bad_input_is_named():
    feeder = read_feeder("ieee33")
    zero = np.zeros((2, 33))
    with pytest.raises(ValueError, match=r"power_kw \(33,\).* 33 buses of ieee33"):
        ac_power_flow(feeder, zero[0], zero[0])
    with pytest.raises(ValueError, match=r"reactive_kvar \(1, 33\)"):
        ac_power_flow(feeder, zero, zero[:1])
    wrong = zero.copy()
    wrong[1, 4] = np.nan
    with pytest.raises(ValueError, match="reactive_kvar at bus 5 in slot 1 is nan"):
        ac_power_flow(feeder, zero, wrong)
    with pytest.raises(ValueError, match="root_voltage_pu 0"):
        ac_power_flow(feeder, zero, zero, root_voltage_pu=0)


def test_15_buses():
    # pandapower 3.5.6 on the published tables, without generation.
    feeder = read_feeder("feeder15")
    losses, voltage, bus = published(feeder, feeder.load_kw)
    assert losses == pytest.approx(5.531145, abs=1e-6)
    assert voltage == pytest.approx(0.943332, abs=1e-6)
    assert bus == 7


def test_balanced_123_buses():
    # pandapower 3.5.6 on the OpenDSS files of the feeder: positive sequence by symmetrical
    # components of the line codes, switches without impedance, loads and capacitors at constant
    # power, regulators at neutral. 1.4 W are lost in the switches of 1e-6 ohm.
    feeder = read_feeder("ieee123")
    assert (feeder.bus_count, feeder.load_kw.sum()) == (125, 3490.0)
    assert feeder.load_kvar.sum() == pytest.approx(1920.0 - 750.0)
    losses, voltage, bus = published(feeder, feeder.load_kw)
    assert losses == pytest.approx(95.9647, abs=2e-3)
    assert voltage == pytest.approx(0.952679, abs=1e-6)
    assert bus == 114


@pytest.mark.parametrize(
    ("factor", "losses", "voltage"), [(1.0, 0.984983, 1.028034), (5.0, 29.14396, 0.930117)]
)
def test_balanced_european_low_voltage_feeder(factor, losses, voltage):
    # pandapower 3.5.6 on all 907 buses with the loads of 9:26 spread over the three phases at a
    # power factor of 0.95, and on five times those loads; 11 kV side at 1.05 pu.
    feeder = read_feeder("european_lv")
    assert feeder.load_kw.sum() == pytest.approx(57.358, abs=1e-9)
    assert np.count_nonzero(feeder.load_kw) == 55
    flow = ac_power_flow(feeder, [factor * feeder.load_kw], [factor * feeder.load_kvar], 1.05)
    assert flow.losses_kw[0] == pytest.approx(losses, rel=1e-6)
    lowest = flow.voltage_pu[0].argmin()
    assert flow.voltage_pu[0, lowest] == pytest.approx(voltage, abs=1e-6)
    assert feeder.buses[lowest] == 562
