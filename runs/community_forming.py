"""Communities of a scenario, formed from what its agents would do alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from nashgrid.agents.devices.battery import ElectricVehicle
from nashgrid.agents.devices.device import Device
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.devices.shiftable_load import ShiftableLoad
from nashgrid.market.messages import Floats, Integers
from nashgrid.runs import communities, inputs
from nashgrid.runs.scenario import Scenario

DRAWS = 100
"""Random groupings behind the figures of random communities."""

How = Literal["complementary", "random", "bus"]


@dataclass(frozen=True)
class FormedCommunities:
    """A scenario with its communities formed anew, and how well they fit.

    Attributes
    ----------
    scenario : with the field `community` of every agent replaced
    members : community -> names of its agents
    figures : one row per way to form as many communities (random: mean of 100 draws; bus: with a
        feeder only; stated: as the scenario had them) and columns inside_kwh, between_kwh,
        upstream_kwh, relative_exchange (what communities exchange with their outside, over what
        all exchange alone), from the profiles before trading
    """

    scenario: Scenario
    members: dict[str, tuple[str, ...]]
    figures: pd.DataFrame


def form_communities(
    scenario: Scenario, count: int, how: How = "complementary", seed: int = 1
) -> FormedCommunities:
    """Group the agents of a scenario into communities whose sizes differ by one at most.

    Parameters
    ----------
    scenario : without a population
    count : number of communities
    how : "complementary" (least energy exchanged with the outside of each community, of the
        profiles before trading), "random", or "bus" (neighbours in bus number)
    seed : of "random"

    Raises
    ------
    ValueError
        If the scenario has a population, there are fewer agents than communities, or they are to
        be formed by bus without a feeder.
    """
    if scenario.population is not None:
        raise ValueError("communities: they are formed of stated agents, not of a population")
    profiles_kw = profiles_before_trading_kw(scenario)
    labels = _labels(scenario, profiles_kw, count, how, seed)
    formed = _regrouped(scenario, labels)
    members: dict[str, tuple[str, ...]] = {}
    for agent in formed.agents:
        members[agent.community] = (*members.get(agent.community, ()), agent.name)
    return FormedCommunities(formed, members, _figures(scenario, profiles_kw, count))


def with_communities(scenario: Scenario) -> Scenario:
    """The scenario with the communities that it asks for written into it."""
    asked = scenario.communities
    if asked is None:
        return scenario
    profiles_kw = profiles_before_trading_kw(scenario)
    return _regrouped(scenario, _labels(scenario, profiles_kw, asked.count, asked.by, asked.seed))


def profiles_before_trading_kw(scenario: Scenario) -> Floats:
    """(n, T) net load of every agent while nobody answers to anything [kW].

    Loads with what can shift at its preferred time, vehicles charging evenly during their stay,
    less all that sun and wind offer; batteries rest; a generator sells at the feed-in price what
    is worth it, ramps apart.
    """
    hours, slots = scenario.horizon.slot_hours, scenario.horizon.slots
    feed_in = inputs.tariff(scenario).feed_in_price_per_kwh
    profiles_kw = np.zeros((len(scenario.agents), slots))
    for row, entry in enumerate(scenario.agents):
        for device in inputs.devices(entry, scenario):
            profiles_kw[row] += _undisturbed_kw(device, feed_in, hours)
    return profiles_kw


def _undisturbed_kw(device: Device, feed_in_price_per_kwh: Floats, hours: float) -> Floats:
    still = np.zeros(len(feed_in_price_per_kwh))
    if isinstance(device, Load):
        return device.power_kw
    if isinstance(device, Renewable):
        return -device.available_kw
    if isinstance(device, ShiftableLoad):
        return device.preferred_kw
    if isinstance(device, ElectricVehicle):
        stay = slice(device.arrival_slot, device.departure_slot)
        needed_kwh = max(device.final_kwh - device.initial_kwh, 0.0) / device.charge_efficiency
        still[stay] = needed_kwh / (hours * (device.departure_slot - device.arrival_slot))
    if isinstance(device, Generator):
        worth_kw = (feed_in_price_per_kwh - device.linear_cost) / (2 * device.quadratic_cost)
        return -np.clip(worth_kw, device.minimum_kw, device.maximum_kw)
    return still


def figures_of_groupings(scenario: Scenario) -> pd.DataFrame:
    """How well the stated communities fit, and as many of others; see `FormedCommunities`."""
    count = len({entry.community for entry in scenario.agents})
    return _figures(scenario, profiles_before_trading_kw(scenario), count)


def _labels(scenario: Scenario, profiles_kw: Floats, count: int, how: How, seed: int) -> Integers:
    if how == "complementary":
        return communities.form_communities(profiles_kw, count)
    if how == "random":
        return communities.random_communities(len(profiles_kw), count, seed)
    if how != "bus":
        raise ValueError(f"how = {how!r} must be 'complementary', 'random' or 'bus'")
    if scenario.feeder is None:
        raise ValueError("communities: by = 'bus' needs a feeder")
    buses = np.array([agent.bus for agent in scenario.agents])
    return communities.communities_by_bus(buses, count)


def _regrouped(scenario: Scenario, labels: Integers) -> Scenario:
    names = iter(f"Community {label + 1}" for label in labels)
    return scenario.model_copy(
        update={
            group: tuple(
                entry.model_copy(update={"community": next(names)})
                for entry in getattr(scenario, group)
            )
            for group in ("buildings", "community_batteries", "generators")
        }
        # They are formed, and stand in the entries of the agents.
        | {"communities": None}
    )


def _figures(scenario: Scenario, profiles_kw: Floats, count: int) -> pd.DataFrame:
    stated, agents = [agent.community for agent in scenario.agents], len(profiles_kw)
    ways = {
        "complementary": [communities.form_communities(profiles_kw, count)],
        "stated": [np.unique(stated, return_inverse=True)[1]],
        "random": [communities.random_communities(agents, count, seed) for seed in range(DRAWS)],
    }
    if scenario.feeder is not None:
        ways["bus"] = [_labels(scenario, profiles_kw, count, "bus", 0)]
    return pd.DataFrame(
        {how: _mean_figures(profiles_kw, groups, scenario) for how, groups in ways.items()}
    ).T


def _mean_figures(
    profiles_kw: Floats, groups: Sequence[Integers], scenario: Scenario
) -> dict[str, float]:
    hours = scenario.horizon.slot_hours
    found = [communities.exchanged(profiles_kw, labels, hours) for labels in groups]
    names = ("inside_kwh", "between_kwh", "upstream_kwh", "relative_exchange")
    return {name: float(np.mean([getattr(one, name) for one in found])) for name in names}
