"""The devices of drawn buildings: sizes, stays and windows, all buildings at once."""

from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from nashgrid.agents.population.buildings import Floats, Rows, Shiftables, Storages
from nashgrid.market.chunks import in_chunks
from nashgrid.market.randomness import keyed_uniforms
from nashgrid.runs.population_entry import PopulationEntry
from nashgrid.runs.scenario import HorizonEntry
from nashgrid.runs.scenario_devices import BatteryEntry, VehicleEntry

DAY = 1440.0  # minutes
SHORTEST_STAY = 60.0  # minutes
LARGEST_FRACTION = 0.5
REACHABLE = 0.95  # a vehicle's need is at most this share of what its stay can charge
DEVIATIONS = 3.0
LOWEST, HIGHEST, INITIAL, DEPARTURE = (
    float(model.model_fields[name].default)
    for model, name in (
        (BatteryEntry, "minimum_soc"),
        (BatteryEntry, "maximum_soc"),
        (BatteryEntry, "initial_soc"),
        (VehicleEntry, "final_soc"),
    )
)


@dataclass(frozen=True)
class Dice:
    """Random numbers of some buildings; each depends on the seed and its building alone."""

    seed: int
    numbers: Rows

    def of(self, rows: Rows) -> "Dice":
        """Those of some of the buildings."""
        return Dice(self.seed, self.numbers[rows])

    def uniform(self, what: str) -> Floats:
        """In [0, 1)."""
        counter = np.broadcast_to(np.int64(0), self.numbers.shape)
        return keyed_uniforms(self.seed, f"population: {what}", self.numbers, counter)

    def chosen(self, what: str, share: float) -> Rows:
        """Rows of those that own something which a share of all owns."""
        return np.flatnonzero(self.uniform(what) < share)

    def around(self, what: str, reach: float) -> Floats:
        """Uniform between -reach and reach."""
        return (2 * self.uniform(what) - 1) * reach

    def lognormal(self, what: str, median: float | Floats, spread: float | Floats) -> Floats:
        """Log-normal, cut off three standard deviations from the median."""
        deviation = np.clip(ndtri(self.uniform(what)), -DEVIATIONS, DEVIATIONS)
        return median * np.exp(spread * deviation)

    def pick(self, what: str, count: int | Rows) -> Rows:
        """A number below `count`, all equally likely."""
        return (self.uniform(what) * count).astype(np.int64)


@dataclass(frozen=True)
class Clock:
    """The slots of a horizon in minutes: (T,) starts within their day, and their day."""

    starts: Floats
    days: Rows
    minutes: float

    def share_within(self, first: Floats, length: Floats) -> Floats:
        """(L, T) share of each slot that lies in the daily windows of the given length [min]."""
        shares = np.zeros((first.size, self.starts.size))
        ends = self.starts + self.minutes

        def fill(rows: slice) -> None:
            for shift in (-DAY, 0.0, DAY):
                begin = (first[rows] + shift)[:, None]
                common = np.minimum(begin + length[rows, None], ends)
                common -= np.maximum(begin, self.starts)
                shares[rows] += np.maximum(common, 0.0, out=common)
            shares[rows] /= self.minutes

        in_chunks(fill, first.size)
        return shares

    def first_stay(self, arrival: Floats, departure: Floats) -> NDArray[np.bool_]:
        """(V, T) slots wholly within the first daily stay of which there are any [min]."""
        there = self.starts >= arrival[:, None]
        there &= self.starts + self.minutes <= departure[:, None]
        first_day = self.days[np.argmax(there, axis=1)]
        there &= self.days == first_day[:, None]
        return there


def clock(horizon: HorizonEntry) -> Clock:
    """The slots of a horizon."""
    start = horizon.start
    passed = 60 * start.hour + start.minute + horizon.slot_minutes * np.arange(horizon.slots)
    day = int(DAY)
    return Clock((passed % day).astype(np.float64), passed // day, float(horizon.slot_minutes))


def minutes_of(moments: list[time]) -> Floats:
    """Times of day in minutes."""
    return np.array([moment.hour * 60.0 + moment.minute for moment in moments])


def draw_batteries(entry: PopulationEntry, dice: Dice, pv_kw: Floats) -> tuple[Storages, Floats]:
    """Batteries of the buildings with PV, and their capacities [kWh]."""
    owner = dice.chosen("battery", entry.battery_share)
    owner = owner[pv_kw[owner] > 0]
    own = dice.of(owner)
    capacity = own.lognormal("battery kWh", entry.battery_kwh_per_kwp, entry.size_spread)
    capacity *= pv_kw[owner]
    power = capacity / entry.battery_hours
    kept = INITIAL * capacity
    return _storages(entry, own, owner, power, power, capacity, kept, kept, kept), capacity


def draw_vehicles(
    entry: PopulationEntry, dice: Dice, kind: Rows, slots: Clock
) -> tuple[Storages, Floats]:
    """Vehicles that stay at least one slot of the horizon, and their capacities [kWh].

    What a vehicle needs is drawn as energy, so that it arrives at the state of charge from which
    this leads to the one it leaves with; where its stay is too short for that it leaves with less.
    """
    owner = dice.chosen("vehicle", entry.vehicle_share)
    own = dice.of(owner)
    reach = 60 * entry.time_spread_hours
    arrival = minutes_of([each.arrival for each in entry.kinds])[kind[owner]]
    departure = minutes_of([each.departure for each in entry.kinds])[kind[owner]]
    departure[departure == 0] = DAY
    arrival = np.clip(arrival + own.around("vehicle arrival", reach), 0, DAY - SHORTEST_STAY)
    departure = np.minimum(departure + own.around("vehicle departure", reach), DAY)
    there = slots.first_stay(arrival, np.maximum(departure, arrival + SHORTEST_STAY))
    present = there.any(axis=1)
    owner, there = owner[present], there[present]
    own = dice.of(owner)
    capacity = own.lognormal("vehicle kWh", entry.vehicle_kwh, entry.size_spread)
    power = np.array(entry.vehicle_powers_kw)[own.pick("vehicle kW", len(entry.vehicle_powers_kw))]
    need = own.lognormal("vehicle need", entry.vehicle_need_kwh, entry.size_spread)
    start = np.maximum(DEPARTURE * capacity - need, LOWEST * capacity)
    hours = there.sum(axis=1) * slots.minutes / 60
    most = start + REACHABLE * entry.charge_efficiency * power * hours
    least = np.minimum(DEPARTURE * capacity, most)
    limit = power[:, None] * there
    full = HIGHEST * capacity
    return _storages(entry, own, owner, limit, power, capacity, start, least, full), capacity


def _storages(
    entry: PopulationEntry,
    dice: Dice,
    owner: Rows,
    limit_kw: Floats,
    power_kw: Floats,
    capacity_kwh: Floats,
    start_kwh: Floats,
    end_min_kwh: Floats,
    end_max_kwh: Floats,
) -> Storages:
    what = "vehicle wear" if limit_kw.ndim == 2 else "battery wear"
    dear = dice.lognormal(what, 1.0, entry.cost_spread)
    return Storages(
        owner=owner,
        charge_kw=limit_kw,
        discharge_kw=limit_kw,
        energy_min_kwh=LOWEST * capacity_kwh,
        energy_max_kwh=HIGHEST * capacity_kwh,
        energy_start_kwh=start_kwh,
        energy_end_min_kwh=end_min_kwh,
        energy_end_max_kwh=end_max_kwh,
        charge_efficiency=np.full(owner.size, entry.charge_efficiency),
        discharge_efficiency=np.full(owner.size, entry.discharge_efficiency),
        wear_per_kwh=entry.wear_per_kwh * dear,
        wear_quadratic=entry.full_power_wear_per_kwh * dear / power_kw,
    )


def join(batteries: Storages, vehicles: Storages, slots: int) -> Storages:
    """Both together, batteries first; one table of limits serves charging and discharging."""
    if vehicles.owner.size == 0:
        return batteries
    limit = np.empty((batteries.owner.size + vehicles.owner.size, slots))
    limit[: batteries.owner.size] = batteries.charge_kw[:, None]
    limit[batteries.owner.size :] = vehicles.charge_kw
    names = [name for name in Storages.__dataclass_fields__ if name != "inflow_kwh"]
    joined = {
        name: np.concatenate([getattr(batteries, name), getattr(vehicles, name)])
        for name in names
        if name not in ("charge_kw", "discharge_kw")
    }
    return Storages(charge_kw=limit, discharge_kw=limit, **joined)


def shiftable_fraction(entry: PopulationEntry, dice: Dice) -> Floats:
    """(n,) part of each building's consumption that can shift; 0 for most."""
    fraction = np.zeros(dice.numbers.size)
    owner = dice.chosen("shiftable", entry.shiftable_share)
    drawn = dice.of(owner).lognormal(
        "shiftable fraction", entry.shiftable_fraction, entry.size_spread
    )
    fraction[owner] = np.minimum(drawn, LARGEST_FRACTION)
    return fraction


def draw_shiftables(
    entry: PopulationEntry, dice: Dice, kind: Rows, daily_kwh: Floats, slots: Clock
) -> tuple[Shiftables, Floats]:
    """Shiftable loads that are due within the horizon, and their largest power [kW].

    A load uses its daily energy in its preferred time, and of a preferred time that lies partly
    beyond the horizon the part that lies within.
    """
    owner = np.flatnonzero(daily_kwh > 0)
    own = dice.of(owner)
    begin = minutes_of([each.preferred_from for each in entry.kinds])
    length = (minutes_of([each.preferred_until for each in entry.kinds]) - begin) % DAY
    length[length == 0] = DAY
    begin, length = begin[kind[owner]], length[kind[owner]]
    begin += own.around("shiftable time", 60 * entry.time_spread_hours)
    power = daily_kwh[owner] / (length / 60)
    liked = slots.share_within(begin % DAY, length)
    liked_hours = liked.sum(axis=1) * slots.minutes / 60
    due = liked_hours > 0
    if not due.all():
        owner, liked, liked_hours = owner[due], liked[due], liked_hours[due]
        begin, length, power, own = begin[due], length[due], power[due], dice.of(owner)
    room = own.lognormal("shiftable headroom", entry.shiftable_headroom - 1, entry.size_spread)
    limit = power * (1 + room)
    before = 120 * entry.shiftable_slack_hours * own.uniform("shiftable before")
    after = 120 * entry.shiftable_slack_hours * own.uniform("shiftable after")
    window = slots.share_within((begin - before) % DAY, np.minimum(length + before + after, DAY))
    window *= limit[:, None]
    liked *= power[:, None]
    # Where both end in the same slot, rounding must not put the wish above the limit.
    np.minimum(liked, window, out=liked)
    discomfort = own.lognormal("discomfort", entry.discomfort_per_kwh, entry.cost_spread) / limit
    return Shiftables(owner, window, liked, power * liked_hours, discomfort), limit
