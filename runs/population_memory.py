"""What a run of a population needs in memory, before anything of it is drawn."""

import numpy as np
import pandas as pd

from nashgrid.agents.population import Population
from nashgrid.agents.population.buildings import BuildingArrays
from nashgrid.market.message_network import LONG
from nashgrid.runs.memory import available_bytes
from nashgrid.runs.population_draw import draw
from nashgrid.runs.population_entry import PopulationEntry
from nashgrid.runs.scenario import Scenario

SAMPLE = 256
MEGABYTE, GIGABYTE = 1e6, 1e9
PROGRAM = 420_000_000  # the interpreter, its libraries and the compiled kernel
# Numbers in flight per building and slot: target, answer and offer, their copies on the way.
IN_FLIGHT = 16
ROUNDS = 200
# Outcomes that are kept and written: with the utility alone, and trading.
CASES = 2
# Bytes of a row while its table is put together and checked: codes, numbers, and their copies.
TRADE_ROW, SCHEDULE_ROW, MESSAGE_ROW = 130, 200, 120
# Numbers per device and slot of a schedule, and per building and slot while payments are made.
SCHEDULE_NUMBERS, SETTLED = 3, 10


def memory_parts(
    entry: PopulationEntry, scenario: Scenario, *, shared: bool = False
) -> dict[str, int]:
    """Bytes that a run needs, by what for; `shared` where workers hold the population.

    Numbers and kernel from a small sample of the population; the rest from the sizes of the
    tables, with factors from the peaks of whole runs: 0.45, 0.65, 1.28 and 2.62 GB for 2,000,
    10,000, 40,000 and 100,000 buildings, 2 to 7 % less than is said.
    """
    count = min(entry.count, SAMPLE)
    sample = draw(entry.model_copy(update={"count": count}), scenario)
    slots, memory = scenario.horizon.slots, scenario.negotiation.memory
    devices = np.count_nonzero(sample.roster["pv_kwp"])
    devices += sample.buildings.storages.owner.size + sample.buildings.loads.owner.size
    # A quote holds price and imbalance, an offer the quantity, both a number for each memory.
    said = 2 * MESSAGE_ROW + 8 * (3 * slots + 2 * memory)
    each = {
        "data": (table_bytes(sample.buildings) + roster_bytes(sample.roster)) / count,
        "kernel": Population(sample.buildings, threads=1).state_bytes / count,
        "exchange": slots * (2 * 4 * memory + 8 * IN_FLIGHT),  # a memory in single precision
        # Held by the log and by its table; of more buildings the log keeps the counts alone.
        "messages": 2 * ROUNDS * said if entry.count <= LONG else 0,
        "outcome": CASES * slots * (TRADE_ROW + SCHEDULE_ROW * devices / count),
    }
    if shared:
        # A kernel more for the proof; schedules as numbers, their sums as tables.
        each |= {"kernel": 2 * each["kernel"], "messages": 0}
        each["outcome"] = 8 * slots * (CASES * (SCHEDULE_NUMBERS * devices / count + 3) + SETTLED)
    return {"program": PROGRAM, **{part: int(entry.count * size) for part, size in each.items()}}


def memory_statement(entry: PopulationEntry, scenario: Scenario, *, shared: bool = False) -> str:
    """In words, what a run of a population needs and what there is, all workers included.

    Raises
    ------
    ValueError
        If there is not enough.
    """
    parts = memory_parts(entry, scenario, shared=shared)
    needed, available = sum(parts.values()), available_bytes()
    listed = ", ".join(f"{part} {_amount(size)}" for part, size in parts.items() if size)
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
