"""What each agent's own power does to the price that it pays, market by market."""

from dataclasses import dataclass

import numpy as np

from nashgrid.agents.anticipation import Anticipation
from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats
from nashgrid.market.topics import COURNOT, GAMES
from nashgrid.runs import inputs
from nashgrid.runs.scenario import Scenario


@dataclass(frozen=True)
class PriceCurve:
    """The price of market `cournot`: a + b X where the community takes the power X in all.

    Parameters
    ----------
    price_per_kwh : (T,) a, where the community takes nothing [currency/kWh]
    slope_per_kw2h : (T,) b, what each kW adds [currency/kW2h]
    """

    price_per_kwh: Floats
    slope_per_kw2h: Floats

    def at(self, power_kw: Floats) -> Floats:
        """(T,) price where the community takes this power [currency/kWh]."""
        return np.asarray(self.price_per_kwh + self.slope_per_kw2h * power_kw)


def price_curve(scenario: Scenario, tariff: Tariff) -> PriceCurve:
    """The straight line through the feed-in price at full export and retail at full import."""
    full_kw = scenario.influence.full_price_power_kw or scenario.utility.exchange_limit_kw
    retail, feed_in = tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh
    return PriceCurve((retail + feed_in) / 2, (retail - feed_in) / 2 / full_kw)


def anticipations(scenario: Scenario, tariff: Tariff, topic: str) -> list[Anticipation] | None:
    """What each of the scenario's agents anticipates; None where all take prices as given.

    In `cournot` agent i pays a + f_i b X (and its factor times the charges of the wires), so a kW
    of its own adds f_i b. In `energy-sharing` every bid q = beta - alpha lambda leaves the others,
    N - 1 agents and the utility, alpha N of slope: a kW adds 1 / (alpha N). One that does not
    anticipate pays the same price and takes it as given.

    Raises
    ------
    ValueError
        If a population is to play: it takes prices as given.
    """
    if topic not in GAMES:
        return None
    if scenario.population is not None:
        raise ValueError(
            f"market {topic!r} is played by the agents that a scenario names; the "
            f"{scenario.population.count} buildings of its population take prices as given"
        )
    if topic == COURNOT:
        curve = price_curve(scenario, tariff)
        return [
            Anticipation(
                curve.price_per_kwh,
                entry.price_slope_factor,
                entry.anticipates * entry.price_slope_factor * curve.slope_per_kw2h,
            )
            for entry in scenario.agents
        ]
    nothing = np.zeros(scenario.horizon.slots)
    slope = 1 / (bid_slope(scenario, tariff) * len(scenario.agents))
    return [Anticipation(nothing, 1.0, nothing + a.anticipates * slope) for a in scenario.agents]


def bid_slope(scenario: Scenario, tariff: Tariff) -> float:
    """alpha: kW by which a bid falls when the price rises by one currency/kWh [kW2h/currency].

    By default the agents' mean size over the mean retail price: a price twice as high stops an
    agent of middle size from buying.
    """
    if scenario.influence.bid_slope_kw2h_per_currency is not None:
        return scenario.influence.bid_slope_kw2h_per_currency
    size = np.mean([inputs.size_kw(entry, scenario) for entry in scenario.agents])
    return float(size / np.abs(tariff.retail_price_per_kwh).mean())
