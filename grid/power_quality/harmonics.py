"""Total harmonic distortion of the voltages, by harmonic current injection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nashgrid.grid.feeder import Feeder, FloatArray, IntArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.power_quality.spectrum import Spectrum

ComplexArray = NDArray[np.complex128]
_SWEEPS, _SETTLED_PU = 200, 1e-12


@dataclass(frozen=True, eq=False)
class HarmonicDistortion:
    """Distortion of a feeder's voltages.

    Attributes
    ----------
    orders : (H,) array
    harmonic_voltage_pu : (S, H, n) array, magnitudes
    thd : (S, n) array, relative to the fundamental voltage of the bus
    limit : float
        Of the total, at this voltage level (IEEE 519-2014): .08 up to 1 kV, .05 up to 69 kV, .025
        up to 161 kV, .015 above.
    """

    orders: IntArray
    harmonic_voltage_pu: FloatArray
    thd: FloatArray
    limit: float


def harmonic_distortion(
    feeder: Feeder,
    power_kw: ArrayLike,
    reactive_kvar: ArrayLike,
    spectra: Mapping[int, Spectrum],
    *,
    distorting_share: float = 1.0,
    root_voltage_pu: float = 1.0,
    source_impedance_pu: complex = 0.0,
) -> HarmonicDistortion:
    r"""Voltages that harmonic currents cause on the lines' impedances (Arrillaga and Watson 2003).

    A bus with a spectrum injects I_h = share_h |I_1| at the angle h arg(I_1) + angle_h, I_1 being
    its fundamental current. On a radial feeder

    .. math::
        V_{h,i} = -\sum_{l \in path(i)} (r_l + j h x_l) \sum_{j \text{ behind } l} I_{h,j}
        - (r_s + j h x_s) \sum_j I_{h,j}, \quad
        THD_i = \sqrt{\textstyle\sum_h |V_{h,i}|^2} \,/\, |V_{1,i}|.

    Left out: line charging, skin effect, and the damping by loads; the result errs high where
    there is no resonance. Balanced: orders that are multiples of three do not belong here.

    Parameters
    ----------
    power_kw, reactive_kvar : (S, n)
        What every bus of the feeder takes.
    spectra : mapping
        Bus label -> spectrum of what is connected there.
    distorting_share : float
        Share of the fundamental current that comes from distorting devices, 0 to 1.
    source_impedance_pu : complex
        r + jx of the network upstream at the fundamental, pu; 0: an ideal source.

    Raises
    ------
    ValueError
        If a shape or value is wrong, a bus is unknown, or the fundamental does not converge.
    """
    power = np.asarray(power_kw, dtype=np.float64)
    reactive = np.asarray(reactive_kvar, dtype=np.float64)
    if power.ndim != 2 or power.shape[1] != feeder.bus_count or reactive.shape != power.shape:
        raise ValueError(
            f"power_kw {power.shape} and reactive_kvar {reactive.shape} must both have one row per "
            f"slot and one column for each of the {feeder.bus_count} buses of {feeder.name}"
        )
    if not 0 <= distorting_share <= 1:
        raise ValueError(f"distorting_share {distorting_share} must lie between 0 and 1")
    at = feeder.bus_positions(list(spectra)) if spectra else np.zeros(0, dtype=np.int64)
    orders = np.array(
        sorted({h for spectrum in spectra.values() for h in spectrum.share}), dtype=int
    )
    model = LinDistFlow(feeder)
    apparent = np.asarray((power + 1j * reactive) / feeder.base_kva, dtype=np.complex128)
    current, voltage = _fundamental(model, apparent, root_voltage_pu)
    harmonic = np.zeros((len(power), len(orders), feeder.bus_count))
    for number, order in enumerate(orders.tolist()):
        injected = np.zeros_like(current)
        for bus, spectrum in zip(at, spectra.values()):
            turned = order * np.angle(current[:, bus])
            turned = turned + np.deg2rad(spectrum.angle_deg.get(order, 0.0))
            size = spectrum.share.get(order, 0.0) * distorting_share * np.abs(current[:, bus])
            injected[:, bus] = size * np.exp(1j * turned)
        source = complex(source_impedance_pu)
        upstream = (source.real + 1j * order * source.imag) * injected.sum(axis=1)
        harmonic[:, number] = np.abs(_drops(model, injected, order) + upstream[:, None])
    distortion = np.sqrt((harmonic**2).sum(axis=1)) / np.abs(voltage)
    return HarmonicDistortion(orders, harmonic, distortion, voltage_limit(feeder.base_kv))


def voltage_limit(base_kv: float) -> float:
    """Largest total harmonic distortion of the voltage by IEEE 519-2014, table 1."""
    for highest_kv, limit in ((1.0, 0.08), (69.0, 0.05), (161.0, 0.025)):
        if base_kv <= highest_kv:
            return limit
    return 0.015


def _drops(model: LinDistFlow, current: ComplexArray, order: int) -> ComplexArray:
    feeder = model.feeder
    impedance = feeder.resistance_pu + 1j * order * feeder.reactance_pu
    of_line = impedance[:, None] * (model.downstream @ current.T)
    return np.asarray((model.downstream.T @ of_line).T)


def _fundamental(
    model: LinDistFlow, apparent: ComplexArray, root_voltage_pu: float
) -> tuple[ComplexArray, ComplexArray]:
    """Current and voltage phasors of constant-power loads by backward and forward sweeps."""
    voltage = np.full(apparent.shape, root_voltage_pu, dtype=np.complex128)
    for _ in range(_SWEEPS):
        current = np.conj(apparent / voltage)
        following = root_voltage_pu - _drops(model, current, 1)
        change = np.abs(following - voltage).max(initial=0.0)
        voltage = following
        if change < _SETTLED_PU:
            return current, voltage
        if not np.isfinite(change) or np.abs(voltage).min() < 0.1:
            break
    raise ValueError(
        f"the fundamental of feeder {model.feeder.name} does not converge: the wires cannot carry "
        "that schedule"
    )
