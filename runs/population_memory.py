"""What a run of a population needs in memory, before anything of it is drawn."""

import numpy as np
import pandas as pd

from nashgrid.agents.population import Population
from nashgrid.agents.population.buildings import BuildingArrays
from nashgrid.runs.memory import available_bytes
from nashgrid.runs.population_draw import draw
from nashgrid.runs.population_entry import PopulationEntry
from nashgrid.runs.scenario import Scenario

SAMPLE = 256
MEGABYTE, GIGABYTE = 1e6, 1e9
# Numbers in flight per building and slot: target, answer and offer, their copies on the way.
IN_FLIGHT = 8
# Outcomes that are kept and written: with the utility alone, and trading.
CASES = 2
TRADE_ROW = 40  # bytes: trade, slot, names as categories
SCHEDULE_ROW = 130  # bytes: nine quantities, slot, names, and a copy while they are put together


def memory_parts(entry: PopulationEntry, scenario: Scenario) -> dict[str, int]:
    """Bytes that a run needs, by what for; from a small sample of the population."""
    count = min(entry.count, SAMPLE)
    sample = draw(entry.model_copy(update={"count": count}), scenario)
    slots = scenario.horizon.slots
    devices = count + np.count_nonzero(sample.roster["pv_kwp"])
    devices += sample.buildings.storages.owner.size + sample.buildings.loads.owner.size
    memory = 2 * 4 * scenario.negotiation.memory  # residuals and past targets in single precision
    each = {
        "data": (table_bytes(sample.buildings) + roster_bytes(sample.roster)) / count,
        "kernel": Population(sample.buildings, threads=1).state_bytes / count,
        "exchange": slots * (memory + 8 * IN_FLIGHT),
        "outcome": CASES * slots * (TRADE_ROW + SCHEDULE_ROW * devices / count),
    }
    return {part: int(entry.count * size) for part, size in each.items()}


def memory_statement(entry: PopulationEntry, scenario: Scenario) -> str:
    """In words, what a run of a population needs and what there is.

    Raises
    ------
    ValueError
        If there is not enough.
    """
    parts = memory_parts(entry, scenario)
    needed, available = sum(parts.values()), available_bytes()
    listed = ", ".join(f"{part} {_amount(size)}" for part, size in parts.items())
    there = "unknown" if available is None else _amount(available)
    words = (
        f"{entry.count:,} buildings, {scenario.horizon.slots} slots: about {_amount(needed)} of "
        f"memory ({listed}); available: {there}"
    )
    if available is not None and needed > available:
        raise ValueError(f"population: count = {entry.count} is too many here: {words}")
    return words


def table_bytes(buildings: BuildingArrays) -> int:
    """Memory of the numbers of buildings; a table that serves twice counts once."""
    groups = (buildings, buildings.storages, buildings.loads)
    tables = {id(v): v for group in groups for v in vars(group).values()}
    return sum(table.nbytes for table in tables.values() if isinstance(table, np.ndarray))


def roster_bytes(roster: pd.DataFrame) -> int:
    """Memory of the roster, names included."""
    return int(roster.memory_usage(deep=True, index=False).sum())


def _amount(size: int) -> str:
    unit, name = (GIGABYTE, "GB") if size >= GIGABYTE else (MEGABYTE, "MB")
    number = size / unit
    return f"{number:.1f} {name}" if number < 10 else f"{number:,.0f} {name}"
