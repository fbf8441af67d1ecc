"""The operator's problem on the flow model that a scenario chooses."""

from dataclasses import dataclass

import numpy as np

from nashgrid.agents.local_problem import Tariff
from nashgrid.grid.branch_flow_problem import BranchFlowProblem
from nashgrid.grid.feeder import Feeder
from nashgrid.grid.inverters import Inverters
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_terms import MONEY_ALONE
from nashgrid.grid.priorities import Priorities
from nashgrid.market.messages import Floats
from nashgrid.runs.scenario_feeder import FeederEntry

GridOperator = OperatorProblem | BranchFlowProblem

_PERCENT = 0.01
_CLOSING = 1e-3
"""Share of the mean retail price at which losses count on branch flow where they are free.

Where losing power costs nothing, the relaxation may lose what it likes: its cones stay open.
"""


@dataclass(frozen=True)
class Upstream:
    """What the operator pays, and what counts beside it.

    Parameters
    ----------
    tariff : of the energy at the root
    slope_per_kw2h : (T,) by which a kW raises its price there [currency/kW2h]
    loss_price_per_kwh : (T,) of the losses [currency/kWh]
    limit_kw : largest power at the root, either way [kW]
    priorities : what counts beside money
    """

    tariff: Tariff
    slope_per_kw2h: Floats
    loss_price_per_kwh: Floats
    limit_kw: float
    priorities: Priorities = MONEY_ALONE


def priorities_of(entry: FeederEntry, mean_retail_price_per_kwh: float) -> Priorities:
    """The objective of a scenario in money: its weights count kWh at the mean retail price."""
    losses, voltage = entry.weights
    return Priorities(
        loss_per_kwh=losses * mean_retail_price_per_kwh,
        deviation_per_pu2h=voltage * mean_retail_price_per_kwh / _PERCENT**2,
    )


def grid_operator(
    feeder: Feeder,
    entry: FeederEntry,
    upstream: Upstream,
    *,
    places: tuple[int, ...],
    reactive_kvar: Floats,
    inverters: Inverters,
    slot_hours: float,
    demand_limit_kw: Floats,
    mean_retail_price_per_kwh: float,
) -> GridOperator:
    """Deliver at some buses at least cost, within what the wires carry by the chosen model.

    Parameters
    ----------
    places : buses where power is delivered
    reactive_kvar : (T, n) reactive power taken at every bus by loads
    inverters : those that the operator sets
    demand_limit_kw : (B,) largest power at each place, either way
    """
    loss_price = upstream.loss_price_per_kwh
    if entry.model == "branch flow":
        loss_price = np.maximum(loss_price, _CLOSING * mean_retail_price_per_kwh)
    kind = BranchFlowProblem if entry.model == "branch flow" else OperatorProblem
    return kind(
        feeder,
        trading_buses=np.array(places),
        reactive_kvar=reactive_kvar,
        slot_hours=slot_hours,
        retail_price_per_kwh=upstream.tariff.retail_price_per_kwh,
        feed_in_price_per_kwh=upstream.tariff.feed_in_price_per_kwh,
        price_slope_per_kw2h=upstream.slope_per_kw2h,
        loss_price_per_kwh=loss_price,
        demand_limit_kw=demand_limit_kw,
        exchange_limit_kw=upstream.limit_kw,
        lowest_voltage_pu=entry.minimum_voltage_pu,
        highest_voltage_pu=entry.maximum_voltage_pu,
        root_voltage_pu=entry.root_voltage_pu,
        priorities=upstream.priorities,
        inverters=inverters,
    )
