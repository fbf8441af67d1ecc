"""Agents that shift load in answer to sharing prices: prices, schedules, prices again.

A sharing price follows from what all trade, and what all trade from the price. Nothing makes this
settle: with full steps agents run after yesterday's prices together, and may cycle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nashgrid.agents.compiled_problem import CompiledProblem
from nashgrid.market.games.trace import period_of
from nashgrid.market.messages import Floats
from nashgrid.market.pricing import mid_market_rate, supply_demand_ratio
from nashgrid.market.topics import UTILITY_ONLY
from nashgrid.runs.central import local_problem
from nashgrid.runs.inputs import with_values
from nashgrid.runs.markets import market_named
from nashgrid.runs.markets.incentive_price import PRICING as INCENTIVE_PRICING
from nashgrid.runs.markets.sharing_prices import Pricing
from nashgrid.runs.markets.supply_demand_ratio import compensated
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.wire_laying import lay_wires

PRICINGS: Mapping[str, Pricing] = {
    "mid-market-rate": mid_market_rate,
    "supply-demand-ratio": supply_demand_ratio,
    "compensated-supply-demand-ratio": compensated,
    "incentive-price": INCENTIVE_PRICING,
}
"""Prices of buyers that are never below those of sellers. In bill sharing they are, in a slot with
a surplus: an agent would buy and sell at once, and its problem is not convex."""
Ending = Literal["converged", "cycle", "unfinished"]

_RETURNED = 1e-5  # answers are solved to about 1e-10, so a cycle shows no closer than this


@dataclass(frozen=True)
class Shifting:
    """The trace of agents who answer sharing prices.

    Attributes
    ----------
    market : whose prices
    agents : (n,) names
    ending : "converged": at the prices of these trades nobody could gain more than the tolerance.
        "cycle": the same trades come back. "unfinished": the rounds ran out.
    period : rounds after which a cycle repeats; 0 if there is none
    path_kw : (rounds + 1, n, T) trades, at first those with the utility alone [kW]
    buy_prices_per_kwh, sell_prices_per_kwh : (rounds + 1, T) that follow from them [currency/kWh]
    steps : (rounds,) share of the way to their answers that all went
    gains : (rounds + 1, n) what each could gain at most by another schedule at these prices, taken
        as given, proved by weak duality [currency]
    cost, cost_alone : (n,) at the end, payments included, and with the utility alone [currency]
    """

    market: str
    agents: tuple[str, ...]
    ending: Ending
    period: int
    path_kw: Floats
    buy_prices_per_kwh: Floats
    sell_prices_per_kwh: Floats
    steps: Floats
    gains: Floats
    cost: Floats
    cost_alone: Floats

    @property
    def rounds(self) -> int:
        """How many rounds were played."""
        return len(self.steps)

    @property
    def saving(self) -> Floats:
        """(n,) against the utility alone [currency]."""
        return self.cost_alone - self.cost


def shift(
    scenario: Scenario,
    market: str = "mid-market-rate",
    *,
    step: float = 1.0,
    control: bool = True,
    rounds: int = 200,
    tolerance: float = 1e-6,
) -> Shifting:
    """Let agents answer the prices of a sharing rule until nobody wants to move.

    All start from what they do with the utility alone. In each round the prices follow from the
    trades x, each agent's answer B_i is its cheapest schedule at these prices, and all go to
    (1 - h) x_i + h B_i. With step control h is halved whenever all together could gain more than
    in the round before.

    Parameters
    ----------
    scenario : without a feeder, whose limits no sharing price knows; the limit of the exchange with
        the utility is not kept either
    market : a sharing price
    step : h at first, above 0 and at most 1
    control : whether h is halved; without, a cycle shows
    rounds : ends after so many
    tolerance : converged when the gains sum to no more, relative to max(1, sum |cost|)

    Raises
    ------
    ValueError
        If the market has no such prices, or a parameter or the scenario does not suit.
    """
    if market not in PRICINGS:
        raise ValueError(f"market {market!r} has no sharing price; these do: {', '.join(PRICINGS)}")
    if scenario.feeder is not None or scenario.population is not None:
        raise ValueError(
            f"{scenario.name}: agents answer sharing prices where there is neither a feeder nor a "
            "population"
        )
    if not 0 < step <= 1 or rounds < 1 or not 0 < tolerance < np.inf:
        raise ValueError(
            f"step must lie in (0, 1], rounds be >= 1 and tolerance > 0; got {step:g}, {rounds}, "
            f"{tolerance:g}"
        )
    community = _Community(with_values(scenario), market)
    cost_alone = community.cost
    path, steps, gains = [community.trade_kw()], list[float](), [community.look()]
    prices = [community.prices]
    ending, period = _ending(community, path, gains, tolerance)
    while ending == "unfinished" and len(steps) < rounds:
        if control and len(gains) > 1 and float(gains[-1].sum()) > float(gains[-2].sum()):
            step /= 2
        community.go(step)
        steps.append(step)
        path.append(community.trade_kw())
        gains.append(community.look())
        prices.append(community.prices)
        ending, period = _ending(community, path, gains, tolerance)
    buy, sell = np.moveaxis(np.array(prices), 1, 0)
    return Shifting(
        market=market,
        agents=tuple(entry.name for entry in scenario.agents),
        ending=ending,
        period=period,
        path_kw=np.array(path),
        buy_prices_per_kwh=buy,
        sell_prices_per_kwh=sell,
        steps=np.array(steps),
        gains=np.array(gains),
        cost=community.cost,
        cost_alone=cost_alone,
    )


def _ending(
    community: "_Community", path_kw: list[Floats], gains: list[Floats], tolerance: float
) -> tuple[Ending, int]:
    """How it ended with the last round, if it did, and the period of its cycle."""
    if float(gains[-1].sum()) <= tolerance * max(1.0, float(np.abs(community.cost).sum())):
        return "converged", 0
    period = period_of(path_kw, _RETURNED) if len(path_kw) > 4 else 0
    return ("cycle", period) if period else ("unfinished", 0)


class _Community:
    """Everybody with what it does now; at first its best with the utility alone."""

    def __init__(self, scenario: Scenario, market: str) -> None:
        wires = lay_wires(scenario)
        market_named(market).check(scenario, wires.tariff)
        self._pricing, self._tariff = PRICINGS[market], wires.tariff
        self._hours = scenario.horizon.slot_hours
        self._nothing = np.zeros(scenario.horizon.slots)
        self._problems = [
            CompiledProblem(local_problem(index, scenario, wires, UTILITY_ONLY))
            for index in range(len(scenario.agents))
        ]
        answers = [one.solve(self._nothing, self._nothing) for one in self._problems]
        self._points = [answer.point for answer in answers]
        self._answers = self._points
        tariff = wires.tariff
        self.prices: Floats = np.array([tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh])
        self.cost = self._costs()

    def trade_kw(self) -> Floats:
        """(n, T) what all trade now."""
        pairs = zip(self._problems, self._points, strict=True)
        return np.array([problem.at(point).trade.value for problem, point in pairs])

    def look(self) -> Floats:
        """Set the prices, find everybody's answer; (n,) what each could gain at most."""
        energy = self._hours * self.trade_kw()
        tariff = self._tariff
        self.prices = np.array(
            self._pricing(
                -energy.clip(max=0).sum(axis=0),
                energy.clip(min=0).sum(axis=0),
                tariff.retail_price_per_kwh,
                tariff.feed_in_price_per_kwh,
            )
        )
        buy, sell = self.prices
        trade_cost = self._hours * (sell - tariff.feed_in_price_per_kwh)
        spread = tariff.retail_price_per_kwh - tariff.feed_in_price_per_kwh
        # Rounding may leave a price of buyers a hair below that of sellers.
        bought_cost = self._hours * (np.maximum(buy - sell, 0.0) - spread)
        answers = [one.solve(trade_cost, self._nothing, bought_cost) for one in self._problems]
        bounds = [
            one.lower_bound(trade_cost, answer, bought_cost)
            for one, answer in zip(self._problems, answers, strict=True)
        ]
        self._answers = [answer.point for answer in answers]
        self.cost = self._costs()
        return np.asarray(self.cost - np.array(bounds))

    def go(self, step: float) -> None:
        """Go a share of the way to the answers; schedules are convex, so that it is feasible."""
        self._points = [
            (1 - step) * point + step * answer
            for point, answer in zip(self._points, self._answers, strict=True)
        ]

    def _costs(self) -> Floats:
        """(n,) devices and payments at the present prices [currency]."""
        buy, sell = self.prices
        costs = []
        for problem, point in zip(self._problems, self._points, strict=True):
            stated = problem.at(point)
            trade = np.asarray(stated.trade.value)
            paid = self._hours * float(np.where(trade > 0, buy, sell) @ trade)
            costs.append(stated.device_cost() + paid)
        return np.array(costs)
