"""Network charges in a loop: schedules answer charges, charges answer schedules, until both stay.

Every agent answers the price at its own bus by itself: its cheapest schedule, with a proximal term
towards what it said last. The operator hears what all take at each bus, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from nashgrid.agents.anticipation import price_taker
from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.grid.network_charges.pairing import nearest_partners
from nashgrid.grid.network_charges.revenue import RevenueAdequacy
from nashgrid.grid.network_charges.tolls import (
    distance_tolls,
    laterals,
    uniform_tolls,
    zonal_tolls,
)
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.market.messages import Floats
from nashgrid.market.topics import TRADING
from nashgrid.runs.assembly import connection
from nashgrid.runs.central import connection_limits, local_problem
from nashgrid.runs.charge_comparison import ChargeComparison, Charged
from nashgrid.runs.charge_rules import (
    ChargeRule,
    DualAscent,
    Grid,
    NoCharge,
    PriceDifference,
    TollRule,
)
from nashgrid.runs.inputs import with_values
from nashgrid.runs.plain_market import require_plain
from nashgrid.runs.positions import agent_position
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wires import lay_wires

_STIFFNESS = 1.0
"""Of the proximal term: the mean retail price for a kW of an agent as large as its size."""


def _by_distance(grid: Grid) -> TollRule:
    operator = grid.operator
    return TollRule(grid, distance_tolls(operator.feeder, operator.trading_buses, 1.0))


def _by_zones(grid: Grid) -> TollRule:
    operator = grid.operator
    zones = laterals(operator.feeder)
    return TollRule(grid, zonal_tolls(operator.feeder, operator.trading_buses, zones, 1.0))


RULES: Mapping[str, Callable[[Grid], ChargeRule]] = {
    "none": NoCharge,
    "uniform": lambda grid: TollRule(grid, uniform_tolls(grid.operator.shape[1], 1.0)),
    "distance": _by_distance,
    "zonal": _by_zones,
    "price-difference": PriceDifference,
    "dual-ascent": DualAscent,
}
"""Rules by name."""


def charges(
    scenario: Scenario,
    rules: Sequence[str] = tuple(RULES),
    *,
    fixed_cost: float = 0.0,
    tolerance: float = 1e-5,
    maximum_iterations: int = 2000,
) -> ChargeComparison:
    """Run network charges in a loop with the schedules that answer them, rule by rule.

    The operator sees the wires by LinDistFlow, whatever flow model the scenario chooses.

    Parameters
    ----------
    scenario : with a feeder, and agents that it names
    rules : names in `RULES`
    fixed_cost : what the charges have to bring in beside the losses [currency]
    tolerance : schedules and prices stay when they move by no more than this, relative to the
        largest power and the mean retail price
    maximum_iterations : a rule gives up after so many announcements

    Raises
    ------
    ValueError
        If the scenario has no feeder or a population, there is no such rule, or a number has no
        meaning.
    """
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise ValueError(f"there is no charge {unknown[0]!r}; there are {', '.join(RULES)}")
    if not 0 <= fixed_cost < np.inf or not 0 < tolerance < 1 or maximum_iterations < 1:
        raise ValueError(
            f"fixed_cost = {fixed_cost:g} must be at least 0, tolerance = {tolerance:g} in (0, 1) "
            f"and maximum_iterations = {maximum_iterations} at least 1"
        )
    if scenario.population is not None or scenario.feeder is None:
        raise ValueError(
            f"{scenario.name}: network charges need a feeder, and agents that a scenario names"
        )
    require_plain(scenario, f"{scenario.name}: a network charge")
    if scenario.feeder.inverter_kva_per_kw is not None:
        raise ValueError(
            f"{scenario.name}: inverter_kva_per_kw = {scenario.feeder.inverter_kva_per_kw}: a "
            "network charge leaves reactive power fixed; leave it out"
        )
    linear = scenario.feeder.model_copy(update={"model": "lindistflow"})
    community = _Community(with_values(scenario.model_copy(update={"feeder": linear})))
    grid = community.grid(fixed_cost)
    found = tuple(_settled(name, community, grid, tolerance, maximum_iterations) for name in rules)
    return ChargeComparison(community.scenario, community.wires.places, fixed_cost, found)


class _Community:
    """Agents who answer a price at their bus."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.wires = scenario, lay_wires(scenario)
        agents = scenario.agents
        self._problems = [
            CompiledProblem(local_problem(number, scenario, self.wires, TRADING))
            for number in range(len(agents))
        ]
        self._place = self.wires.place_of([entry.bus or 0 for entry in agents])
        price = float(np.abs(self.wires.tariff.retail_price_per_kwh).mean())
        size = np.array([connection(entry, scenario).size_kw for entry in agents])
        self._stiffness = _STIFFNESS * price / size
        self.mean_price = price
        self.forget()

    def forget(self) -> None:
        """Everybody starts from nothing."""
        self._said = np.zeros((len(self._problems), self.scenario.horizon.slots))

    def grid(self, fixed_cost: float) -> Grid:
        """What the operator knows."""
        operator = self.wires.operator(TRADING, connection_limits(self.scenario, self.wires))
        if not isinstance(operator, OperatorProblem):
            raise ValueError(f"{self.scenario.name}: network charges need LinDistFlow")
        give = self._at_places(1 / self._stiffness[:, None])[0]
        return Grid(operator, self.wires.tariff, give, fixed_cost)

    def answer(self, rule: ChargeRule) -> tuple[Floats, Floats]:
        """(n, T) answers [kW], and (T, B) what everybody says that it takes, by place."""
        price, asked = rule.price_per_kwh.T, rule.redispatch_per_kwh.T
        aim = self._said + asked[self._place] / self._stiffness[:, None]
        answers = np.array(
            [
                problem.respond(price[place], target, np.full_like(target, stiffness))
                for problem, place, target, stiffness in zip(
                    self._problems, self._place, aim, self._stiffness, strict=True
                )
            ]
        )
        self._said = rule.relaxation * answers + (1 - rule.relaxation) * aim
        return answers, self._at_places(self._said)

    def outcome(
        self, rule: str, price: Floats, trade_kw: Floats, grid: Grid, iterations: int, stable: bool
    ) -> Charged:
        """All that a schedule at a price comes to."""
        demand, operator = self._at_places(trade_kw), grid.operator
        view = price_taker(len(price))
        positions = []
        for problem, place in zip(self._problems, self._place, strict=True):
            problem.recall()
            positions.append(agent_position(problem, price[:, place], view))
        bill, loss_cost = grid.upstream_bill(demand), grid.loss_cost(demand)
        revenue = operator.slot_hours * float((price * demand).sum()) - bill
        wires = self.wires
        ac = ac_power_flow(
            operator.feeder, wires.bus_power_kw(demand), wires.reported_kvar, wires.root_voltage_pu
        )
        excess_kw, excess_pu = grid.overload(demand)
        return Charged(
            rule=rule,
            iterations=iterations,
            stable=stable,
            trade_kw=trade_kw,
            demand_kw=demand,
            price_per_kwh=price,
            trades=self._trades(demand, price, operator),
            device_cost=sum(position.cost for position in positions),
            upstream_bill=bill,
            loss_cost=loss_cost,
            revenue=RevenueAdequacy(revenue, loss_cost + grid.fixed_cost),
            largest_epsilon=max(position.relative_epsilon for position in positions),
            excess_kw=excess_kw,
            excess_pu=excess_pu,
            ac_losses_kwh=operator.slot_hours * float(ac.losses_kw.sum()),
            ac_loading=float((ac.line_kva / operator.feeder.limit_kva).max()),
            ac_lowest_pu=float(ac.voltage_pu.min()),
            ac_highest_pu=float(ac.voltage_pu.max()),
        )

    def _trades(self, demand: Floats, price: Floats, operator: OperatorProblem) -> pd.DataFrame:
        """Who buys from whom, and the difference of their prices: the charge of the pair."""
        feeder, tariff = operator.feeder, self.wires.tariff
        rows = []
        for slot, taken in enumerate(demand):
            at_root = (
                tariff.retail_price_per_kwh if taken.sum() > 0 else tariff.feed_in_price_per_kwh
            )
            price_at = dict(zip(self.wires.places, price[slot])) | {feeder.root_bus: at_root[slot]}
            for trade in nearest_partners(feeder, self.wires.places, taken):
                charge = float(price_at[trade.buyer] - price_at[trade.seller])
                rows.append((slot, trade.seller, trade.buyer, trade.power_kw, charge))
        columns = ["slot", "seller", "buyer", "power_kw", "charge_per_kwh"]
        return pd.DataFrame(rows, columns=columns)

    def _at_places(self, values: Floats) -> Floats:
        """(T, B) sums of (n, T) by place."""
        sums = np.zeros((values.shape[1], len(self.wires.places)))
        np.add.at(sums.T, self._place, values)
        return sums


def _settled(
    name: str, community: _Community, grid: Grid, tolerance: float, maximum_iterations: int
) -> Charged:
    """Let charges and schedules answer each other until both stay."""
    community.forget()
    rule = RULES[name](grid)
    last, stable, number = np.zeros(grid.operator.shape), False, 0
    while not stable and number < maximum_iterations:
        price = rule.price_per_kwh.copy()
        trade_kw, said = community.answer(rule)
        rule.hear(said)
        number += 1
        moved_kw = np.abs(said - last).max()
        moved_price = np.abs(rule.price_per_kwh - price).max()
        last = said
        stays = moved_kw <= tolerance * np.abs(said).max()
        if stays and moved_price <= tolerance * community.mean_price:
            stable = rule.is_content(said)
    return community.outcome(name, price, trade_kw, grid, number, stable)
