"""The same scenario with a population of another size, or with one in place of its buildings."""

from typing import Any

from pydantic import ValidationError

from nashgrid.runs.explanation import explain
from nashgrid.runs.population_entry import PopulationEntry
from nashgrid.runs.scenario import Scenario


def with_population(scenario: Scenario, count: int) -> Scenario:
    """A scenario with `count` drawn buildings.

    Where the scenario has a population, its count changes. Where it has none, drawn buildings take
    the place of the stated ones, on the same buses; batteries and generators stay. The limit of
    the exchange with the utility grows in proportion to the number of buildings, and shrinks with
    its square root, for the peaks of a few buildings coincide more than those of many.

    Raises
    ------
    ValueError
        If the count is out of its bounds, or the result is no valid scenario.
    """
    entry = scenario.population
    update: dict[str, Any] = {}
    try:
        if entry is None:
            before = len(scenario.buildings)
            entry = _in_place_of_buildings(scenario, count)
            names = {one.name for one in (*scenario.community_batteries, *scenario.generators)}
            links = tuple(link for link in scenario.messages.links if link.agent in names)
            update["buildings"] = ()
            update["messages"] = scenario.messages.model_copy(update={"links": links})
        else:
            before = entry.count
            entry = PopulationEntry.model_validate({**dict(entry), "count": count})
        ratio = count / before if before else 1.0
        limit = max(ratio, ratio**0.5) * scenario.utility.exchange_limit_kw
        update["utility"] = type(scenario.utility).model_validate(
            {**dict(scenario.utility), "exchange_limit_kw": limit}
        )
        return Scenario.model_validate({**dict(scenario), **update, "population": entry})
    except ValidationError as error:
        raise ValueError(f"population of {count}: {explain(error, {'count': count})}") from error


def _in_place_of_buildings(scenario: Scenario, count: int) -> PopulationEntry:
    buses = sorted({one.bus for one in scenario.buildings if one.bus is not None})
    communities = {one.community for one in scenario.buildings}
    fields: dict[str, Any] = {"count": count, "buses": tuple(buses) or None}
    if len(communities) == 1:
        fields["community"] = communities.pop()
    return PopulationEntry.model_validate(fields)
