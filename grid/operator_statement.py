"""The operator's problem in CVXPY, as one would write it down: the definition, and the oracle."""

from __future__ import annotations

import cvxpy as cp
import numpy as np

from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.priorities import NOMINAL_PU


def state_operator_problem(terms: OperatorTerms) -> DeliveryStatement:
    """State the operator's problem: delivery, its limits, and its cost in currency."""
    feeder, model = terms.feeder, LinDistFlow(terms.feeder)
    demand = cp.Variable(terms.shape, name="demand_kw")
    exchange = cp.sum(demand, axis=1)

    at = feeder.bus_positions(terms.trading_buses)
    active_flow = demand @ model.downstream[:, at].toarray().T
    reactive_flow = model.flows(terms.reactive_kvar)
    drop = 2.0 * model.resistance_sensitivity(terms.trading_buses) / feeder.base_kva
    voltage_squared = (
        model.voltage_squared(
            np.zeros_like(terms.reactive_kvar), terms.reactive_kvar, terms.root_voltage_pu
        )
        - demand @ drop.T
    )
    constraints: list[cp.Constraint] = [
        voltage_squared >= terms.lowest_voltage_pu**2,
        voltage_squared <= terms.highest_voltage_pu**2,
        cp.abs(demand) <= np.tile(terms.demand_limit_kw, (len(terms.reactive_kvar), 1)),
    ]
    limited = np.flatnonzero(np.isfinite(feeder.limit_kva))
    if limited.size:
        squared_room = feeder.limit_kva[limited] ** 2 - reactive_flow[:, limited] ** 2
        constraints.append(cp.abs(active_flow[:, limited]) <= np.sqrt(squared_room))
    bounded = np.flatnonzero(np.isfinite(terms.exchange_limit_kw))
    if bounded.size:
        constraints.append(cp.abs(exchange[bounded]) <= terms.exchange_limit_kw[bounded])

    energy = cp.maximum(
        cp.multiply(terms.retail_price_per_kwh, exchange),
        cp.multiply(terms.feed_in_price_per_kwh, exchange),
    )
    energy += cp.multiply(0.5 * terms.price_slope_per_kw2h, cp.square(exchange))
    losses = (active_flow**2 + reactive_flow**2) @ (feeder.resistance_pu / feeder.base_kva)
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
