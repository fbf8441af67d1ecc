"""Radial feeders drawn at random: as large as wanted, the same for the same seed."""

from __future__ import annotations

import math

import numpy as np

from nashgrid.grid.feeder import Feeder, FloatArray, IntArray, make_feeder
from nashgrid.grid.line import Line

_LENGTH_SPREAD = 0.8
_LOAD_SPREAD = 0.5
_POWER_FACTOR = 0.95
_LOWEST_X_OVER_R, _HIGHEST_X_OVER_R = 0.5, 1.0


def generate_feeder(
    buses: int,
    seed: int,
    *,
    continuation: float = 0.7,
    mean_load_kw: float = 5.0,
    lowest_voltage_pu: float = 0.95,
    base_kv: float = 20.0,
    base_mva: float = 10.0,
) -> Feeder:
    r"""Draw a radial feeder of any size; bus 1 is the root.

    Bus k + 1 hangs behind bus k with the probability c of `continuation`, else behind a bus drawn
    uniformly from 1 to k. In a large feeder the number of lines leaving a bus is then the sum of
    a Bernoulli(c) and a geometric variable,

    .. math:: P(m) = \frac{1}{2 - c} \Big(\frac{1 - c}{2 - c}\Big)^m, \quad m = 0, 1, ...,

    and the mean depth is about ln(buses) / (1 - c). Lengths are lognormal (sigma 0.8), loads
    lognormal (sigma 0.5) with a power factor of 0.95, x/r is uniform between 0.5 and 1. Conductors
    are as thick as the load behind them asks (r = length / power, a constant current density), and
    all impedances are scaled so that LinDistFlow has `lowest_voltage_pu` at full load with 1 pu at
    the root. There are no line limits.

    Parameters
    ----------
    buses : int
        Number of buses, the root included; at least 2.
    seed : int
        The same seed and arguments give the same feeder.
    continuation : float
        c, at least 0 and less than 1.
    mean_load_kw : float
        Mean load of the buses other than the root.
    lowest_voltage_pu : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        Names the argument, its value and its bound.
    """
    _check(buses, continuation, mean_load_kw, lowest_voltage_pu)
    rng = np.random.default_rng(seed)
    parent = _draw_parents(rng, buses, continuation)
    load_kw = np.concatenate(
        [[0.0], mean_load_kw * rng.lognormal(-0.5 * _LOAD_SPREAD**2, _LOAD_SPREAD, buses - 1)]
    )
    load_kvar = load_kw * math.tan(math.acos(_POWER_FACTOR))
    length = rng.lognormal(0.0, _LENGTH_SPREAD, buses)
    x_over_r = rng.uniform(_LOWEST_X_OVER_R, _HIGHEST_X_OVER_R, buses)

    flow_pu = _load_behind(parent, load_kw) / (1e3 * base_mva)
    flow_kvar_pu = flow_pu * math.tan(math.acos(_POWER_FACTOR))
    resistance = length / flow_pu
    drop_of_line = 2.0 * resistance * (flow_pu + x_over_r * flow_kvar_pu)
    drop = np.zeros(buses)
    for bus in range(1, buses):
        drop[bus] = drop[parent[bus]] + drop_of_line[bus]
    resistance *= (1.0 - lowest_voltage_pu**2) / drop.max()
    reactance = x_over_r * resistance
    return make_feeder(
        name=f"generated-{buses}-{seed}",
        source=f"generate_feeder({buses}, {seed}, continuation={continuation:g})",
        base_kv=base_kv,
        base_mva=base_mva,
        root_bus=1,
        buses=np.arange(1, buses + 1),
        load_kw=load_kw,
        load_kvar=load_kvar,
        lines=[
            Line(int(parent[bus]) + 1, bus + 1, float(resistance[bus]), float(reactance[bus]))
            for bus in range(1, buses)
        ],
    )


def _draw_parents(rng: np.random.Generator, buses: int, continuation: float) -> IntArray:
    """Position of the bus that feeds each bus; the root's own entry is 0."""
    parent = np.zeros(buses, dtype=np.int64)
    at = np.arange(1, buses)
    continued = rng.random(buses - 1) < continuation
    parent[1:] = np.where(continued, at - 1, rng.integers(0, at))
    return parent


def _load_behind(parent: IntArray, load_kw: FloatArray) -> FloatArray:
    """Load at and behind every bus; a bus comes after the one that feeds it."""
    behind = load_kw.copy()
    for bus in range(len(parent) - 1, 0, -1):
        behind[parent[bus]] += behind[bus]
    return behind


def _check(buses: int, continuation: float, mean_load_kw: float, lowest_voltage_pu: float) -> None:
    if buses < 2:
        raise ValueError(f"buses {buses} must be at least 2")
    if not 0.0 <= continuation < 1.0:
        raise ValueError(f"continuation {continuation} must be at least 0 and less than 1")
    if not 0.0 < mean_load_kw < math.inf:
        raise ValueError(f"mean_load_kw {mean_load_kw} kW must be positive and finite")
    if not 0.0 < lowest_voltage_pu < 1.0:
        raise ValueError(f"lowest_voltage_pu {lowest_voltage_pu} pu must lie between 0 and 1")
