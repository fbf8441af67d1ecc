"""What prices on the branch-flow model are made of, from sensitivities at the AC state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nashgrid.grid.branch_flow_slot import SlotMultipliers
from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_price_parts import PriceParts
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.grid.price_decomposition import FlowPoint, LimitPressure, decompose_prices


def branch_flow_parts(
    terms: OperatorTerms,
    demand_kw: FloatArray,
    bus_kvar: FloatArray,
    multipliers: Sequence[SlotMultipliers],
    price_per_kwh: FloatArray,
    notes: tuple[str, ...],
) -> PriceParts:
    r"""Explain a price (T, B) by the multipliers of the answer d to it.

    With p_0 the power taken at the root and the derivatives of `decompose_prices`,

    .. math::
        \lambda_b = \underbrace{\pi}_{energy}
        + \underbrace{(c + \epsilon) (\partial p_0 / \partial d_b - 1)}_{loss}
        + \underbrace{\sum_l \mu_l \, \partial S_l / \partial d_b}_{congestion}
        + \underbrace{\sum_j \nu_j \, \partial v_j / \partial d_b}_{voltage};

    limits kept without losses too count with the derivatives of LinDistFlow.

    Parameters
    ----------
    demand_kw, bus_kvar : (S, B) and (S, n) of that answer
    multipliers, notes : of every slot
    """
    feeder, hours = terms.feeder, terms.slot_hours
    power, at = terms.bus_power_kw(demand_kw), feeder.bus_positions(terms.trading_buses)
    ac = ac_power_flow(feeder, power, bus_kvar, terms.root_voltage_pu)
    parts = {name: np.empty(terms.shape) for name in ("energy", "loss", "congestion", "voltage")}
    for slot, own in enumerate(multipliers):
        point = flow_point(feeder, power[slot], bus_kvar[slot], ac.voltage_pu[slot])
        pressure = _pressure(terms, point, own)
        ones = np.ones(feeder.bus_count)
        active, _ = decompose_prices(feeder, point, pressure, ones, 0.0 * ones, lossy=True)
        congestion, voltage = _lossless(terms, power[slot], bus_kvar[slot], own)
        parts["energy"][slot] = own.energy / hours
        lost = terms.counted_loss_price_per_kwh[slot] + own.exchange / hours
        parts["loss"][slot] = lost * active.loss[at]
        parts["congestion"][slot] = active.congestion[at] + congestion / hours
        parts["voltage"][slot] = active.voltage[at] + voltage / hours
    return PriceParts(**parts, remainder=price_per_kwh - sum(parts.values()), notes=notes)


def flow_point(
    feeder: Feeder, power_kw: FloatArray, reactive_kvar: FloatArray, voltage_pu: FloatArray
) -> FlowPoint:
    """Flows and currents of a state of which voltages and powers (n,) are known.

    From the ends of the feeder to its root: what arrives at a bus is what is taken there and sent
    on, the current that carries it l = (P^2 + Q^2) / v, and r l, x l are lost on the way.
    """
    squared = voltage_pu**2
    start, end = feeder.bus_positions(feeder.from_bus), feeder.bus_positions(feeder.to_bus)
    taken = (power_kw + 1j * reactive_kvar) / feeder.base_kva
    impedance = feeder.resistance_pu + 1j * feeder.reactance_pu
    sent, current = np.zeros(feeder.line_count, dtype=complex), np.zeros(feeder.line_count)
    for line in reversed(range(feeder.line_count)):
        arrives = taken[end[line]]
        current[line] = abs(arrives) ** 2 / squared[end[line]]
        sent[line] = arrives + impedance[line] * current[line]
        taken[start[line]] += sent[line]
    return FlowPoint(sent.real, sent.imag, current, squared)


def _pressure(terms: OperatorTerms, point: FlowPoint, own: SlotMultipliers) -> LimitPressure:
    """What limits, and deviations of voltage, make of the state's quantities; currency/h per pu."""
    feeder, r, x = terms.feeder, terms.feeder.resistance_pu, terms.feeder.reactance_pu
    per_unit = feeder.base_kva / terms.slot_hours
    received_p, received_q = point.flow_p - r * point.current, point.flow_q - x * point.current
    sent = _direction(point.flow_p, point.flow_q, per_unit * own.sent)
    received = _direction(received_p, received_q, per_unit * own.received)
    return LimitPressure(
        flow_p=sent[0] + received[0],
        flow_q=sent[1] + received[1],
        current=-(r * received[0] + x * received[1]),
        squared=own.voltage / terms.slot_hours + terms.deviation_price(point.squared),
    )


def _direction(
    flow_p: FloatArray, flow_q: FloatArray, multiplier: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivatives of the apparent power by P and Q, times its multiplier."""
    size = np.hypot(flow_p, flow_q)
    share = multiplier / np.where(size > 0.0, size, 1.0)
    return share * flow_p, share * flow_q


def _lossless(
    terms: OperatorTerms, power_kw: FloatArray, reactive_kvar: FloatArray, own: SlotMultipliers
) -> tuple[FloatArray, FloatArray]:
    """What limits that are kept without losses too add at the trading buses, currency/kW."""
    feeder, model = terms.feeder, LinDistFlow(terms.feeder)
    along, _ = _direction(model.flows(power_kw), model.flows(reactive_kvar), own.lossless_line)
    behind = model.downstream[:, feeder.bus_positions(terms.trading_buses)]
    drop = terms.quadratic.drop[:, : terms.shape[1]]
    return np.asarray(along @ behind), -own.lossless_voltage @ drop
