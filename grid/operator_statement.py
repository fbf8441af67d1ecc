"""The operator's problem in CVXPY, as one would write it down: the definition, and the oracle."""

from __future__ import annotations

import cvxpy as cp
import numpy as np

from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.priorities import NOMINAL_PU
from nashgrid.grid.reactive_statement import state_reactive


def state_operator_problem(terms: OperatorTerms) -> DeliveryStatement:
    """State the operator's problem: delivery, its limits, and its cost in currency."""
    feeder, model = terms.feeder, LinDistFlow(terms.feeder)
    demand = cp.Variable(terms.shape, name="demand_kw")
    exchange = cp.sum(demand, axis=1)

    at = feeder.bus_positions(terms.trading_buses)
    active_flow = demand @ model.downstream[:, at].toarray().T
    set_at = feeder.bus_positions(terms.inverters.buses)
    response = model.downstream[:, set_at].toarray()
    reactive = state_reactive(terms, model.flows(terms.reactive_kvar), response)
    along = model.downstream.toarray()
    fall = cp.multiply(feeder.resistance_pu[None, :], active_flow)
    fall += cp.multiply(feeder.reactance_pu[None, :], reactive.flow_kvar)
    voltage_squared = terms.root_voltage_pu**2 - 2.0 / feeder.base_kva * (fall @ along)
    constraints: list[cp.Constraint] = [
        voltage_squared >= terms.lowest_voltage_pu**2,
        voltage_squared <= terms.highest_voltage_pu**2,
        cp.abs(demand) <= np.tile(terms.demand_limit_kw, (len(terms.reactive_kvar), 1)),
        *reactive.constraints,
        *reactive.line_limits(terms, active_flow),
    ]
    bounded = np.flatnonzero(np.isfinite(terms.exchange_limit_kw))
    if bounded.size:
        constraints.append(cp.abs(exchange[bounded]) <= terms.exchange_limit_kw[bounded])

    energy = cp.maximum(
        cp.multiply(terms.retail_price_per_kwh, exchange),
        cp.multiply(terms.feed_in_price_per_kwh, exchange),
    )
    energy += cp.multiply(0.5 * terms.price_slope_per_kw2h, cp.square(exchange))
    squared_flow = cp.square(active_flow) + cp.square(reactive.flow_kvar)
    losses = squared_flow @ (feeder.resistance_pu / feeder.base_kva)
    cost = terms.slot_hours * cp.sum(energy + cp.multiply(terms.counted_loss_price_per_kwh, losses))
    cost += terms.slot_hours * stated_deviation(terms, voltage_squared)
    return DeliveryStatement(demand, cost, constraints)


def stated_deviation(terms: OperatorTerms, voltage_squared: cp.Expression) -> cp.Expression:
    """What deviations of voltage count per hour, currency/h: see `deviation_pu2`."""
    price = terms.priorities.deviation_per_pu2h
    if price == 0.0:
        return cp.Constant(0.0)
    off: cp.Expression = cp.sum_squares(voltage_squared - NOMINAL_PU**2)
    counted: cp.Expression = 0.25 * price * off
    return counted
