"""Schedules of the buildings of a population as rows of a table, and back."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from nashgrid.agents.population.buildings import Rows
from nashgrid.agents.population.schedules import Schedules
from nashgrid.market.messages import Floats
from nashgrid.runs.population_draw import STORAGE_KINDS, DrawnPopulation
from nashgrid.runs.stacking import repeated, stack

PV, SHIFTABLE = "pv", "shiftable load"


def schedule_rows(case: str, drawn: DrawnPopulation, schedules: Schedules) -> pd.DataFrame:
    """case, agent, device, slot and what the devices with decisions do, sort by sort of device."""
    buildings = drawn.buildings
    producers = np.flatnonzero(buildings.available_kw.any(axis=1))
    curtailed = schedules.curtailment_kw[producers]
    names = pd.Categorical.from_codes(drawn.storage_kind, list(STORAGE_KINDS))
    charge, discharge = schedules.charge_kw, schedules.discharge_kw
    power = schedules.shiftable_kw
    parts = (
        (
            producers,
            repeated(PV, len(producers)),
            {
                "consumption_kw": curtailed - buildings.available_kw[producers],
                "curtailed_kw": curtailed,
            },
        ),
        (
            buildings.storages.owner,
            names,
            {
                "consumption_kw": charge - discharge,
                "charge_kw": charge,
                "discharge_kw": discharge,
                "energy_kwh": schedules.energy_kwh,
            },
        ),
        (
            buildings.loads.owner,
            repeated(SHIFTABLE, len(power)),
            {"consumption_kw": power, "shiftable_kw": power},
        ),
    )
    frames = [_rows(case, drawn, *part) for part in parts if len(part[0])]
    return stack(frames) if frames else pd.DataFrame()


def read_schedules(drawn: DrawnPopulation, trade_kw: Floats, rows: pd.DataFrame) -> Schedules:
    """The schedules of a case from its rows, which must be as `schedule_rows` writes them.

    Raises
    ------
    ValueError
        If a row is missing, out of its place, or not a number.
    """
    buildings, slots = drawn.buildings, drawn.buildings.slots
    producers = np.flatnonzero(buildings.available_kw.any(axis=1))
    owners = (producers, buildings.storages.owner, buildings.loads.owner)
    ends = np.cumsum([0, *(len(owner) * slots for owner in owners)])
    expected = np.repeat(np.concatenate(owners), slots)
    agents = rows["agent"].astype("category").cat
    number = pd.Index(drawn.roster["agent"]).get_indexer(agents.categories)
    if not np.array_equal(number[agents.codes], expected):
        raise ValueError("the schedules of the population are not those of its devices")

    def matrix(part: int, name: str) -> Floats:
        values = rows[name].iloc[ends[part] : ends[part + 1]].to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise ValueError(f"the schedules of the population lack values of {name}")
        return np.asarray(values.reshape(-1, slots))

    curtailment = np.zeros_like(trade_kw)
    curtailment[producers] = matrix(0, "curtailed_kw")
    return Schedules(
        rows=np.arange(buildings.count),
        trade_kw=trade_kw,
        curtailment_kw=curtailment,
        storages=np.arange(len(owners[1])),
        charge_kw=matrix(1, "charge_kw"),
        discharge_kw=matrix(1, "discharge_kw"),
        energy_kwh=matrix(1, "energy_kwh"),
        shiftables=np.arange(len(owners[2])),
        shiftable_kw=matrix(2, "shiftable_kw"),
    )


def _rows(
    case: str,
    drawn: DrawnPopulation,
    owner: Rows,
    device: pd.Categorical,
    quantities: Mapping[str, Floats],
) -> pd.DataFrame:
    slots = drawn.buildings.slots
    columns = {
        "case": repeated(case, slots * len(owner)),
        "agent": pd.Categorical.from_codes(np.repeat(owner, slots), drawn.roster["agent"]),
        "device": device.repeat(slots),
        "slot": np.tile(np.arange(slots), len(owner)),
    }
    return pd.DataFrame(columns | {name: values.ravel() for name, values in quantities.items()})
