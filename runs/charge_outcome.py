"""What schedules at charged prices come to: limits, AC figures, revenue, costs and epsilons."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import price_taker
from nashgrid.agents.charge_course import ChargeCourse
from nashgrid.agents.charge_rules import Grid
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.grid.network_charges.pairing import nearest_partners
from nashgrid.grid.network_charges.revenue import RevenueAdequacy
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.charge_comparison import Charged
from nashgrid.runs.positions import agent_position
from nashgrid.runs.tables import schedule_rows, schedules_of
from nashgrid.runs.wires import Wires


def charge_outcome(
    rule: str,
    course: ChargeCourse,
    price_per_kwh: Floats,
    problems: Sequence[CompiledProblem],
    wires: Wires,
) -> Charged:
    """All that the schedules in the problems' variables come to at a price.

    Parameters
    ----------
    rule : its name
    course : how it went
    price_per_kwh : (T, B)
    problems : of the agents, in their order, with a schedule in their variables
    """
    grid = course.grid
    operator, place = (
        grid.operator,
        wires.place_of([entry.bus or 0 for entry in wires.scenario.agents]),
    )
    view = price_taker(len(price_per_kwh))
    trade_kw = np.array([one.problem.quantity for one in problems])
    schedules = [schedule_rows(rule, one.problem.owner, one.problem.schedule()) for one in problems]
    positions = [
        agent_position(problem, price_per_kwh[:, at], view) for problem, at in zip(problems, place)
    ]
    demand = np.zeros(operator.shape)
    np.add.at(demand.T, place, trade_kw)
    bill, loss_cost = grid.upstream_bill(demand), grid.loss_cost(demand)
    revenue = operator.slot_hours * float((price_per_kwh * demand).sum()) - bill
    ac = ac_power_flow(
        operator.feeder, wires.bus_power_kw(demand), wires.reported_kvar, wires.root_voltage_pu
    )
    excess_kw, excess_pu = grid.overload(demand)
    return Charged(
        rule=rule,
        iterations=course.iterations,
        stable=course.stable,
        trade_kw=trade_kw,
        demand_kw=demand,
        price_per_kwh=price_per_kwh,
        trades=_pairs(demand, price_per_kwh, wires, grid),
        schedules=schedules_of(schedules),
        device_cost=sum(position.cost for position in positions),
        upstream_bill=bill,
        loss_cost=loss_cost,
        revenue=RevenueAdequacy(revenue, loss_cost + grid.fixed_cost),
        largest_epsilon=max(position.relative_epsilon for position in positions),
        largest_violation=max(position.violation for position in positions),
        excess_kw=excess_kw,
        excess_pu=excess_pu,
        ac_losses_kwh=operator.slot_hours * float(ac.losses_kw.sum()),
        ac_loading=float((ac.line_kva / operator.feeder.limit_kva).max()),
        ac_lowest_pu=float(ac.voltage_pu.min()),
        ac_highest_pu=float(ac.voltage_pu.max()),
    )


def agent_places(wires: Wires) -> Integers:
    """(n,) the place of each agent that the scenario names."""
    return wires.place_of([entry.bus or 0 for entry in wires.scenario.agents])


def _pairs(demand: Floats, price: Floats, wires: Wires, grid: Grid) -> pd.DataFrame:
    """Who buys from whom, and the difference of their prices: the charge of the pair."""
    feeder, tariff = grid.operator.feeder, wires.tariff
    rows = []
    for slot, taken in enumerate(demand):
        importing = taken.sum() > 0
        at_root = tariff.retail_price_per_kwh if importing else tariff.feed_in_price_per_kwh
        price_at = dict(zip(wires.places, price[slot])) | {feeder.root_bus: at_root[slot]}
        for trade in nearest_partners(feeder, wires.places, taken):
            charge = float(price_at[trade.buyer] - price_at[trade.seller])
            rows.append((slot, trade.seller, trade.buyer, trade.power_kw, charge))
    columns = ["slot", "seller", "buyer", "power_kw", "charge_per_kwh"]
    return pd.DataFrame(rows, columns=columns)
