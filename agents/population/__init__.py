"""Many standard buildings solved together, each with its own data and its own answer."""

from nashgrid.agents.population.buildings import BuildingArrays, Shiftables, Storages
from nashgrid.agents.population.population import Population
from nashgrid.agents.population.schedules import Schedules

__all__ = ["BuildingArrays", "Population", "Schedules", "Shiftables", "Storages"]
