"""Wires laid: the feeder of a scenario with its limits, and who is where."""

import numpy as np

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.inverters import LEAST_KVAR
from nashgrid.runs import inputs
from nashgrid.runs.population_draw import DrawnPopulation, draw
from nashgrid.runs.population_outline import Outline
from nashgrid.runs.private_quantities import private_quantities
from nashgrid.runs.reporting_buses import reporting_buses
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import BuildingEntry, Scenario
from nashgrid.runs.stored_feeder import stored_feeder
from nashgrid.runs.wires import Wires


def lay_wires(scenario: Scenario, elsewhere: Outline | None = None) -> Wires:
    """The feeder of a scenario with its limits, and who is where.

    Parameters
    ----------
    elsewhere : where the population is and what it draws, where others hold it: it is not drawn

    Raises
    ------
    ValueError
        If an agent's bus is not on the feeder or is its root, or has one participant where the
        scenario refuses that; names agent and bus.
    """
    tariff = inputs.tariff(scenario)
    drawn = None
    if scenario.population is not None and elsewhere is None:
        drawn = draw(scenario.population, scenario)
    outline = elsewhere if drawn is None else drawn
    stored = stored_feeder(scenario)
    if scenario.feeder is None or stored is None:
        _reported_at(scenario, None, outline)
        none = np.zeros((scenario.horizon.slots, 0))
        return Wires(scenario, tariff, (0,), None, none, np.zeros(0), drawn)
    limits = {(li.from_bus, li.to_bus): li.limit_kva for li in scenario.feeder.line_limits}
    feeder = stored.with_line_limits(limits)
    reactive = np.zeros((scenario.horizon.slots, len(feeder.buses)))
    settable = np.zeros(len(feeder.buses))
    for entry in scenario.agents:
        bus = -1 if entry.bus is None else entry.bus
        if bus not in feeder.buses or bus == feeder.root_bus:
            raise ValueError(
                f"{entry.name}: bus = {entry.bus} must be a bus of feeder {feeder.name} other "
                f"than its root {feeder.root_bus}"
            )
        at = feeder.bus_positions([bus])[0]
        settable[at] += scenario.feeder.reactive_kvar_per_kw * inputs.generation_kw(entry)
        if isinstance(entry, BuildingEntry):
            ratio = np.tan(np.arccos(entry.power_factor))
            load_kw = inputs.inelastic_load_kw(entry, scenario)
            reactive[:, at] += ratio * load_kw
    places = {entry.bus for entry in scenario.agents if entry.bus is not None}
    if outline is not None:
        reactive[:, feeder.bus_positions(outline.places)] += outline.reactive_kvar
        places |= set(outline.places)
    settable[settable < LEAST_KVAR] = 0.0
    merged = _reported_at(scenario, feeder, outline)
    places -= set(merged)
    return Wires(scenario, tariff, tuple(sorted(places)), feeder, reactive, settable, drawn, merged)


def _reported_at(
    scenario: Scenario, feeder: Feeder | None, outline: DrawnPopulation | Outline | None
) -> dict[int, int]:
    """Buses whose power is reported at another one -> that bus, as the scenario has it."""
    rule = scenario.privacy.single_participant_buses
    if rule == "allow":
        return {}
    people = roster(scenario, outline)
    has = private_quantities(scenario, people)
    return reporting_buses(feeder, people["bus"], people["agent"], has, rule)
