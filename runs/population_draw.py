"""From the population entry of a scenario to many buildings, drawn at random."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nashgrid.agents.population.buildings import BuildingArrays, Floats, Rows
from nashgrid.agents.population.population import Population
from nashgrid.agents.wards import sums_by_ward, wards_within
from nashgrid.market.chunks import in_chunks
from nashgrid.runs import inputs
from nashgrid.runs.population_devices import (
    Dice,
    clock,
    draw_batteries,
    draw_shiftables,
    draw_vehicles,
    join,
    shiftable_fraction,
)
from nashgrid.runs.population_entry import DIGITS, PopulationEntry
from nashgrid.runs.profiles import built_in_profile, resample
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.stored_feeder import stored_feeder

PV_PROFILES = tuple(f"PV{number}" for number in range(1, 9))
STORAGE_KINDS = ("battery", "vehicle")
SPARE = 1.05  # connection relative to what cannot be put off
SMALLEST_SIZE = 1e-3  # of an agent relative to its connection
PROFILE_HOURS = 0.25  # step of the built-in profiles
DAYS_PER_YEAR = 365


@dataclass(frozen=True)
class DrawnPopulation:
    """Many buildings, rows sorted by bus.

    Parameters
    ----------
    roster : (n rows) agent, kind, community, bus, weight, and what each owns in this horizon:
        annual_kwh, pv_kwp, battery_kwh and vehicle_kwh (capacities), shiftable_kwh (energy); 0
        for nothing
    buildings : the numbers that they negotiate with, in the order of the roster
    places : buses with at least one of them, rising; (0,) without a feeder
    reactive_by_ward : (W, places, T) reactive power of the inelastic load, ward by ward [kvar]
    storage_kind : (S,) index into STORAGE_KINDS of every storage
    """

    roster: pd.DataFrame
    buildings: BuildingArrays
    places: tuple[int, ...]
    reactive_by_ward: Floats
    storage_kind: NDArray[np.int8]

    @cached_property
    def kernel(self) -> Population:
        """What answers for them.

        Raises
        ------
        ValueError
            Where a building cannot keep its bounds whatever it does; names it and the quantity.
        """
        return Population(self.buildings)

    @property
    def reactive_kvar(self) -> Floats:
        """(T, places) reactive power of the inelastic load [kvar]."""
        return np.asarray(self.reactive_by_ward.sum(axis=0).T)


def draw(entry: PopulationEntry, scenario: Scenario, rows: slice = slice(None)) -> DrawnPopulation:
    """Draw the buildings of a population, or some of its rows: the same as among all.

    Raises
    ------
    ValueError
        If a profile does not exist or does not cover the horizon, or a bus is not on the feeder;
        names it.
    """
    dice, bus = _placed(entry, population_buses(entry, scenario), rows)
    count = dice.numbers.size
    slots, kind = clock(scenario.horizon), _kinds(entry, dice)
    annual = dice.lognormal(
        "annual kWh",
        np.array([each.annual_kwh for each in entry.kinds])[kind],
        np.array([each.annual_spread for each in entry.kinds])[kind],
    )
    fraction = shiftable_fraction(entry, dice)
    load, peak = _load(entry, scenario, dice, kind, annual * (1 - fraction))
    pv_kw, available = _generation(entry, scenario, dice, annual)
    batteries, battery_kwh = draw_batteries(entry, dice, pv_kw)
    vehicles, vehicle_kwh = draw_vehicles(entry, dice, kind, slots)
    daily = annual * fraction / DAYS_PER_YEAR
    shiftables, shiftable_kw = draw_shiftables(entry, dice, kind, daily, slots)

    battery_kw = _spread_out(count, batteries.owner, batteries.charge_kw)
    vehicle_kw = _spread_out(count, vehicles.owner, vehicles.charge_kw.max(axis=1, initial=0.0))
    moving_kw = _spread_out(count, shiftables.owner, shiftable_kw)
    needed = SPARE * np.maximum(peak + moving_kw + vehicle_kw, battery_kw)
    connection = np.maximum(needed, entry.connection_kw)
    size = np.maximum(load.max(axis=1) + moving_kw, pv_kw) + battery_kw + vehicle_kw
    buildings = BuildingArrays(
        slot_hours=scenario.horizon.slot_hours,
        price_level=float(np.abs(inputs.tariff(scenario).retail_price_per_kwh).mean()),
        load_kw=load,
        available_kw=available,
        connection_kw=connection,
        size_kw=np.maximum(size, SMALLEST_SIZE * connection),
        storages=join(batteries, vehicles, scenario.horizon.slots),
        shiftables=shiftables,
    )
    owned = {
        "annual_kwh": annual,
        "pv_kwp": pv_kw,
        "battery_kwh": _spread_out(count, batteries.owner, battery_kwh),
        "vehicle_kwh": _spread_out(count, vehicles.owner, vehicle_kwh),
        "shiftable_kwh": _spread_out(count, shiftables.owner, shiftables.energy_kwh),
    }
    places, place = np.unique(bus, return_inverse=True)
    first, last, _ = rows.indices(entry.count)
    apart = sums_by_ward(load, place, wards_within(entry.count, first, last), len(places))
    return DrawnPopulation(
        roster=_roster(entry, dice, kind, bus, owned),
        buildings=buildings,
        places=tuple(places.tolist()),
        reactive_by_ward=np.tan(np.arccos(entry.power_factor)) * apart,
        storage_kind=np.repeat(
            np.arange(2, dtype=np.int8), [batteries.owner.size, vehicles.owner.size]
        ),
    )


def population_buses(entry: PopulationEntry, scenario: Scenario) -> Rows:
    """Buses that a population may be placed on, rising; (0,) without a feeder.

    Raises
    ------
    ValueError
        If a bus is not on the feeder or is its root.
    """
    feeder = stored_feeder(scenario)
    if feeder is None:
        return np.zeros(1, dtype=np.int64)
    others = [bus for bus in feeder.buses if bus != feeder.root_bus]
    for bus in entry.buses or ():
        if bus not in others:
            raise ValueError(
                f"population: buses: {bus} must be a bus of feeder {feeder.name} other than its "
                f"root {feeder.root_bus}"
            )
    return np.sort(np.array(entry.buses or others, dtype=np.int64))


def _placed(entry: PopulationEntry, buses: Rows, rows: slice) -> tuple[Dice, Rows]:
    """Some of the buildings in the order of their buses, and the buses."""
    dice = Dice(entry.seed, np.arange(1, entry.count + 1))
    if buses.size == 1:
        numbers = dice.numbers[rows]
        return Dice(entry.seed, numbers), np.full(numbers.size, buses[0])
    place = dice.pick("bus", buses.size)
    order = np.argsort(place, kind="stable")[rows]
    return dice.of(order), buses[place[order]]


def _kinds(entry: PopulationEntry, dice: Dice) -> Rows:
    shares = np.cumsum([kind.share for kind in entry.kinds])
    kind = np.searchsorted(shares / shares[-1], dice.uniform("kind"), side="right")
    return np.minimum(kind, len(entry.kinds) - 1)


def _load(
    entry: PopulationEntry, scenario: Scenario, dice: Dice, kind: Rows, annual_kwh: Floats
) -> tuple[Floats, Floats]:
    """(n, T) inelastic load and a bound on its peak over any year (n,) [kW].

    Each building mixes two profiles of its kind, both with the building's annual energy.
    """
    names = [name for each in entry.kinds for name in each.profiles]
    shapes, peaks = np.empty((len(names), scenario.horizon.slots)), np.empty(len(names))
    for row, name in enumerate(names):
        values, energy, peak = _profile(name, scenario)
        shapes[row], peaks[row] = values / energy, peak / energy
    counts = np.array([len(each.profiles) for each in entry.kinds])
    first = np.cumsum(counts) - counts
    mixed = np.empty((annual_kwh.size, 2), dtype=np.int64)
    mixed[:, 0] = first[kind] + dice.pick("profile 1", counts[kind])
    mixed[:, 1] = first[kind] + dice.pick("profile 2", counts[kind])
    parts = np.empty((annual_kwh.size, 2))
    parts[:, 1] = annual_kwh * dice.uniform("mix")
    parts[:, 0] = annual_kwh - parts[:, 1]
    return _combine(parts, mixed, shapes), (parts * peaks[mixed]).sum(axis=1)


def _generation(
    entry: PopulationEntry, scenario: Scenario, dice: Dice, annual_kwh: Floats
) -> tuple[Floats, Floats]:
    """(n,) rating and (n, T) available power of the PV plants [kW]."""
    shapes = np.array([_profile(name, scenario)[0] for name in PV_PROFILES])
    rating = np.zeros(annual_kwh.size)
    owner = dice.chosen("pv", entry.pv_share)
    own = dice.of(owner)
    rating[owner] = own.lognormal("pv kW", entry.pv_kwp_per_mwh, entry.size_spread)
    rating[owner] *= annual_kwh[owner] / 1000
    which = np.zeros((annual_kwh.size, 1), dtype=np.int64)
    which[owner, 0] = own.pick("pv profile", len(PV_PROFILES))
    return rating, _combine(rating[:, None], which, shapes)


def _profile(name: str, scenario: Scenario) -> tuple[Floats, float, float]:
    """(T,) a profile in the slots; its energy over the year [h] and its peak, per unit."""
    horizon = scenario.horizon
    try:
        return _resampled(name, horizon.start, horizon.slots, horizon.slot_minutes)
    except ValueError as error:
        raise ValueError(f"population: {error}") from error


@lru_cache(maxsize=256)
def _resampled(
    name: str, start: datetime, slots: int, slot_minutes: int
) -> tuple[Floats, float, float]:
    """See `_profile`; all populations of a day share them."""
    series = built_in_profile(name)
    values = resample(series, start, slots, slot_minutes)
    values.flags.writeable = False
    return values, float(series.sum()) * PROFILE_HOURS, float(series.max())


def _combine(parts: Floats, which: Rows, shapes: Floats) -> Floats:
    """(n, T) sum over k of parts[:, k] shapes[which[:, k]]."""
    combined = np.empty((len(parts), shapes.shape[1]))

    def fill(rows: slice) -> None:
        np.multiply(parts[rows, :1], shapes[which[rows, 0]], out=combined[rows])
        for k in range(1, parts.shape[1]):
            combined[rows] += parts[rows, k, None] * shapes[which[rows, k]]

    in_chunks(fill, len(parts))
    return combined


def _spread_out(count: int, owner: Rows, values: Floats) -> Floats:
    """(n,) a device's number for the building that owns it, 0 for the others."""
    spread = np.zeros(count)
    spread[owner] = values
    return spread


def _roster(
    entry: PopulationEntry, dice: Dice, kind: Rows, bus: Rows, owned: dict[str, Floats]
) -> pd.DataFrame:
    community = np.zeros(dice.numbers.size, dtype=np.int8)
    return pd.DataFrame(
        {
            "agent": _names(entry, kind, dice.numbers),
            "kind": pd.Categorical.from_codes(kind, [each.name for each in entry.kinds]),
            "community": pd.Categorical.from_codes(community, [entry.community]),
            "bus": bus,
            "weight": np.full(dice.numbers.size, entry.bargaining_weight),
            **owned,
        }
    )


def _names(entry: PopulationEntry, kind: Rows, numbers: Rows) -> pd.Series:
    """`household 0000017`: the kind and the building's number in the population."""
    kinds = pa.array([each.name for each in entry.kinds]).take(pa.array(kind))
    padded = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), DIGITS, "0")
    names = pc.binary_join_element_wise(kinds, padded, " ")
    return names.to_pandas()
