"""Voltage deviation and harmonic distortion: by hand, against nodal analysis, and limits."""

import numpy as np
import pytest

from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.grid.power_quality.harmonics import harmonic_distortion, voltage_limit
from nashgrid.grid.power_quality.spectrum import INVERTER_AT_LIMITS, SIX_PULSE, Spectrum
from nashgrid.grid.power_quality.voltage_deviation import voltage_deviation


def test_voltage_deviation_by_hand():
    found = voltage_deviation([[1.0, 0.94, 1.02], [1.0, 1.0, 1.0]])
    np.testing.assert_allclose(found.index, [0.08 / 3, 0.0])
    np.testing.assert_allclose(found.largest, [0.06, 0.0])
    assert found.worst_position[0] == 1
    np.testing.assert_allclose(voltage_deviation([[1.05, 1.05]], 1.05).index, [0.0])


def test_voltage_deviation_of_the_33_bus_feeder():
    # 1.7009 / 33: the sum of 1 - V over the buses, as in the literature on capacitor placement,
    # where it is called cumulative voltage deviation (1.7009 pu without capacitors).
    feeder = read_feeder("ieee33")
    flow = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    assert voltage_deviation(flow.voltage_pu).index[0] * 33 == pytest.approx(1.7009, abs=2e-4)


def pair():
    return make_feeder(
        name="pair",
        source="made up",
        base_kv=0.4,
        base_mva=0.1,
        root_bus=1,
        buses=[1, 2],
        load_kw=[0.0, 0.0],
        load_kvar=[0.0, 0.0],
        lines=[Line(1, 2, 0.03, 0.04)],
    )


def test_two_buses_by_hand():
    # 50 kW and 20 kvar on 100 kVA: V from V = 1 - (.03 + .04 j) conj(S / V); at the h-th order
    # |V_h| = |.03 + .04 h j| |I| / h.
    feeder = pair()
    voltage = 1.0 + 0.0j
    for _ in range(100):
        current = np.conj((0.5 + 0.2j) / voltage)
        voltage = 1.0 - (0.03 + 0.04j) * current
    orders = np.array([5, 7, 11, 13])
    expected = np.abs(0.03 + 0.04j * orders) * np.abs(current) / orders
    found = harmonic_distortion(feeder, [[0.0, 50.0]], [[0.0, 20.0]], {2: SIX_PULSE})
    np.testing.assert_array_equal(found.orders, orders)
    np.testing.assert_allclose(found.harmonic_voltage_pu[0, :, 1], expected, rtol=1e-9)
    np.testing.assert_allclose(found.harmonic_voltage_pu[0, :, 0], 0.0, atol=1e-15)
    thd = np.sqrt(np.sum(expected**2)) / np.abs(voltage)
    assert found.thd[0, 1] == pytest.approx(thd, rel=1e-9)
    assert found.limit == 0.08
    half = harmonic_distortion(
        feeder, [[0.0, 50.0]], [[0.0, 20.0]], {2: SIX_PULSE}, distorting_share=0.5
    )
    np.testing.assert_allclose(half.thd, 0.5 * found.thd, rtol=1e-9)


def test_harmonics_agree_with_nodal_analysis():
    feeder = read_feeder("ieee33")
    spectra = {8: SIX_PULSE, 18: INVERTER_AT_LIMITS, 25: SIX_PULSE, 33: INVERTER_AT_LIMITS}
    power = np.vstack([feeder.load_kw, feeder.load_kw - 400.0 * np.isin(feeder.buses, [18, 33])])
    reactive = np.tile(feeder.load_kvar, (2, 1))
    source = 0.001 + 0.01j
    found = harmonic_distortion(feeder, power, reactive, spectra, source_impedance_pu=source)
    # The fundamental: magnitudes by power-grid-model, angles by Newton steps on I = conj(S / V).
    start, end = feeder.bus_positions(feeder.from_bus), feeder.bus_positions(feeder.to_bus)
    for slot in range(2):
        apparent = (power[slot] + 1j * reactive[slot]) / feeder.base_kva

        def admittance(order, ground):
            matrix = np.zeros((33, 33), dtype=complex)
            y = 1.0 / (feeder.resistance_pu + 1j * order * feeder.reactance_pu)
            for one, other, value in zip(start, end, y):
                matrix[[one, other], [one, other]] += value
                matrix[[one, other], [other, one]] -= value
            matrix[0, 0] += ground
            return matrix

        inverse = np.linalg.inv(admittance(1, 1e9))
        voltage = np.ones(33, dtype=complex)
        for _ in range(100):
            injected = -np.conj(apparent / voltage)
            injected[0] += 1e9
            voltage = inverse @ injected
        ac = ac_power_flow(feeder, power[[slot]], reactive[[slot]])
        np.testing.assert_allclose(np.abs(voltage), ac.voltage_pu[0], rtol=1e-6)
        squares = np.zeros(33)
        for number, order in enumerate([5, 7, 11, 13]):
            ground = 1.0 / (source.real + 1j * order * source.imag)
            injected = np.zeros(33, dtype=complex)
            for bus, spectrum in spectra.items():
                current = np.conj(apparent[bus - 1] / voltage[bus - 1])
                angle = order * np.angle(current) + np.deg2rad(spectrum.angle_deg.get(order, 0.0))
                size = np.abs(current) * spectrum.share[order]
                injected[bus - 1] = size * np.exp(1j * angle)
            harmonic = np.abs(np.linalg.solve(admittance(order, ground), injected))
            np.testing.assert_allclose(
                found.harmonic_voltage_pu[slot, number], harmonic, rtol=1e-5, atol=1e-12
            )
            squares += harmonic**2
        np.testing.assert_allclose(found.thd[slot], np.sqrt(squares) / np.abs(voltage), rtol=1e-5)


def test_spectra_are_what_they_say():
    assert SIX_PULSE.total_share == pytest.approx(np.sqrt(1 / 25 + 1 / 49 + 1 / 121 + 1 / 169))
    assert INVERTER_AT_LIMITS.total_share == pytest.approx(0.05)
    assert max(INVERTER_AT_LIMITS.share.values()) < 0.04
    assert [voltage_limit(kv) for kv in (0.4, 12.66, 110.0, 380.0)] == [0.08, 0.05, 0.025, 0.015]
    nothing = harmonic_distortion(pair(), [[0.0, 50.0]], [[0.0, 20.0]], {})
    np.testing.assert_array_equal(nothing.thd, 0.0)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="spectrum odd: order 1 must be an integer above 1"):
        Spectrum("odd", "made up", {1: 0.1})
    with pytest.raises(ValueError, match=r"spectrum odd: the share -0\.1 of order 5"):
        Spectrum("odd", "made up", {5: -0.1})
    with pytest.raises(ValueError, match="spectrum odd: an angle, but no share of order 7"):
        Spectrum("odd", "made up", {5: 0.1}, {7: 1.0})
    feeder = pair()
    with pytest.raises(ValueError, match="has no bus 9"):
        harmonic_distortion(feeder, [[0.0, 1.0]], [[0.0, 0.0]], {9: SIX_PULSE})
    with pytest.raises(ValueError, match=r"distorting_share 1\.5 must lie between 0 and 1"):
        harmonic_distortion(feeder, [[0.0, 1.0]], [[0.0, 0.0]], {}, distorting_share=1.5)
    with pytest.raises(ValueError, match=r"power_kw \(1, 1\) and reactive_kvar \(1, 1\)"):
        harmonic_distortion(feeder, [[1.0]], [[0.0]], {})
    with pytest.raises(ValueError, match="the fundamental of feeder pair does not converge"):
        harmonic_distortion(feeder, [[0.0, 5000.0]], [[0.0, 0.0]], {2: SIX_PULSE})
    with pytest.raises(ValueError, match="voltage_pu at position 1 in slot 0 is -1"):
        voltage_deviation([[1.0, -1.0]])
    with pytest.raises(ValueError, match=r"voltage_pu has shape \(1,\)"):
        voltage_deviation([1.0])
    with pytest.raises(ValueError, match="reference_pu 0 must be positive"):
        voltage_deviation([[1.0]], 0)
