"""The operator's problem once more, line by line: sparse, and independent of sensitivities."""

import cvxpy as cp
import numpy as np
from scipy.sparse.linalg import splu

from nashgrid.grid.delivery_statement import DeliveryStatement
from nashgrid.grid.incidence import incidence, placement
from nashgrid.grid.operator_statement import stated_deviation
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.reactive_statement import state_reactive


def state_branch_problem(terms: OperatorTerms) -> DeliveryStatement:
    """LinDistFlow with flows P and squared voltages v as variables, bus by bus.

    P_l = sum of P into the lines that leave its far bus + demand there,
    v_to = v_from - 2 (r P + x Q) / S_base,   loss = sum r (P^2 + Q^2) / S_base.

    The same problem as `state_operator_problem`, in the form of Baran and Wu (1989) without the
    loss terms; for large central problems and as an independent check.
    """
    feeder = terms.feeder
    slots, lines = len(terms.reactive_kvar), feeder.line_count
    ends = incidence(feeder)
    net = (ends.enters - ends.leaves)[ends.others]
    place = placement(feeder, terms.trading_buses)[ends.others]

    demand = cp.Variable(terms.shape, name="demand_kw")
    flow = cp.Variable((slots, lines), name="flow_kw")
    squared = cp.Variable((slots, feeder.bus_count), name="voltage_squared_pu")
    solve = splu(net.tocsc()).solve
    set_at = placement(feeder, terms.inverters.buses)[ends.others].toarray()
    reactive = state_reactive(
        terms,
        fixed_kvar=solve(np.ascontiguousarray(terms.reactive_kvar.T[ends.others])).T,
        response=solve(set_at) if set_at.size else np.zeros((lines, 0)),
    )

    drop = cp.multiply(feeder.resistance_pu[None, :], flow)
    drop += cp.multiply(feeder.reactance_pu[None, :], reactive.flow_kvar)
    constraints: list[cp.Constraint] = [
        flow @ net.T == demand @ place.T,
        squared[:, ends.end] == squared[:, ends.start] - 2.0 / feeder.base_kva * drop,
        squared[:, ends.root] == terms.root_voltage_pu**2,
        squared >= terms.lowest_voltage_pu**2,
        squared <= terms.highest_voltage_pu**2,
        demand <= np.tile(terms.demand_limit_kw, (slots, 1)),
        demand >= -np.tile(terms.demand_limit_kw, (slots, 1)),
        *reactive.constraints,
        *reactive.line_limits(terms, flow),
    ]
    exchange = cp.sum(demand, axis=1)
    bounded = np.flatnonzero(np.isfinite(terms.exchange_limit_kw))
    if bounded.size:
        limit = terms.exchange_limit_kw[bounded]
        constraints += [exchange[bounded] <= limit, exchange[bounded] >= -limit]

    energy = cp.maximum(
        cp.multiply(terms.retail_price_per_kwh, exchange),
        cp.multiply(terms.feed_in_price_per_kwh, exchange),
    )
    energy += cp.multiply(0.5 * terms.price_slope_per_kw2h, cp.square(exchange))
    weight = (
        terms.counted_loss_price_per_kwh[:, None]
        * (feeder.resistance_pu / feeder.base_kva)[None, :]
    )
    losses = cp.sum(cp.multiply(weight, cp.square(flow) + cp.square(reactive.flow_kvar)))
    cost = terms.slot_hours * (cp.sum(energy) + losses)
    cost += terms.slot_hours * stated_deviation(terms, squared)
    return DeliveryStatement(demand, cost, constraints)
