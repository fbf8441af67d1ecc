"""From the entries of a scenario to numbers per slot, and to devices."""

from datetime import datetime, time, timedelta

import numpy as np

from nashgrid.agents.devices.battery import Battery, ElectricVehicle
from nashgrid.agents.devices.device import Device, Horizon
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable, photovoltaic_power_kw, wind_power_kw
from nashgrid.agents.devices.shiftable_load import ShiftableLoad
from nashgrid.agents.local_problem import Tariff
from nashgrid.market.messages import Floats
from nashgrid.runs.profiles import built_in_profile, resample
from nashgrid.runs.scenario import (
    AgentEntry,
    BuildingEntry,
    CommunityBatteryEntry,
    GeneratorEntry,
    HorizonEntry,
    Scenario,
)
from nashgrid.runs.scenario_devices import (
    BatteryEntry,
    LoadEntry,
    PhotovoltaicEntry,
    ShiftableEntry,
    Source,
    VehicleEntry,
    WindEntry,
)
from nashgrid.runs.user_profiles import read_profiles, unit_of


def slot_starts(horizon: HorizonEntry) -> list[datetime]:
    """Start of every slot."""
    length = timedelta(minutes=horizon.slot_minutes)
    return [horizon.start + slot * length for slot in range(horizon.slots)]


def tariff(scenario: Scenario) -> Tariff:
    """Prices of the utility in every slot; before the first period of a day the last one holds."""
    periods = scenario.utility.tariff
    rows = [
        next((p for p in reversed(periods) if p.start <= start.time()), periods[-1])
        for start in slot_starts(scenario.horizon)
    ]
    if not any(row.retail_price_per_kwh for row in rows):
        raise ValueError(
            "utility: tariff: retail_price_per_kwh = 0 currency/kWh in every slot; it must differ "
            "from 0 in some slot, for the price step follows from it"
        )
    return Tariff(
        np.array([row.retail_price_per_kwh for row in rows]),
        np.array([row.feed_in_price_per_kwh for row in rows]),
    )


def with_values(scenario: Scenario) -> Scenario:
    """The same scenario with all that it refers to written into it: it stands by itself.

    That is the values of user's files, and the communities that are to be formed.
    """
    # Who belongs together follows from the numbers that this module gives.
    from nashgrid.runs.community_forming import with_communities

    buildings = []
    for building in scenario.buildings:
        changed = {}
        for group in ("loads", "pv", "wind"):
            entries = getattr(building, group)
            changed[group] = tuple(_inline(entry, building.name, scenario) for entry in entries)
        buildings.append(building.model_copy(update=changed))
    return with_communities(scenario.model_copy(update={"buildings": tuple(buildings)}))


def devices(entry: AgentEntry, scenario: Scenario) -> list[Device]:
    """The devices of an agent.

    Raises
    ------
    ValueError
        If a time series does not fit; names the agent, the series, the value and the bound.
    """
    if isinstance(entry, BuildingEntry):
        return _building_devices(entry, scenario)
    if isinstance(entry, CommunityBatteryEntry):
        return [_battery("battery", entry)]
    if isinstance(entry, GeneratorEntry):
        return [
            Generator(
                name="generator",
                quadratic_cost=entry.quadratic_cost_per_kw2h,
                linear_cost=entry.linear_cost_per_kwh,
                minimum_kw=entry.minimum_kw,
                maximum_kw=entry.maximum_kw,
                ramp_kw_per_hour=entry.ramp_kw_per_hour,
            )
        ]
    raise ValueError(f"{entry.name}: an agent of type {type(entry).__name__} has no devices")


def inelastic_load_kw(entry: AgentEntry, scenario: Scenario) -> Floats:
    """(T,) inelastic load of an agent [kW]."""
    loads = entry.loads if isinstance(entry, BuildingEntry) else ()
    zero = np.zeros(scenario.horizon.slots)
    return sum((load_kw(load, entry.name, scenario) for load in loads), start=zero)


def generation_kw(entry: AgentEntry) -> float:
    """Rated power of an agent's PV, wind and generator [kW]."""
    if isinstance(entry, GeneratorEntry):
        return entry.maximum_kw
    if isinstance(entry, BuildingEntry):
        generation = sum(plant.rating_kw for plant in entry.pv)
        return generation + sum(turbine.rating_kw for turbine in entry.wind)
    return 0.0


def size_kw(entry: AgentEntry, scenario: Scenario) -> float:
    """Rated power: the larger of load peak and generation peak, plus battery power [kW]."""
    if isinstance(entry, CommunityBatteryEntry):
        return entry.power_kw
    if isinstance(entry, GeneratorEntry):
        return entry.maximum_kw
    if not isinstance(entry, BuildingEntry):
        raise ValueError(f"{entry.name}: an agent of type {type(entry).__name__} has no size")
    load = float(inelastic_load_kw(entry, scenario).max())
    load += sum(shiftable.limit_kw for shiftable in entry.shiftable_loads)
    storage = sum(battery.power_kw for battery in (*entry.batteries, *entry.vehicles))
    return max(load, generation_kw(entry)) + storage


def load_kw(entry: LoadEntry, owner: str, scenario: Scenario) -> Floats:
    """(T,) power of an inelastic load [kW]."""
    values, unit = _series(entry, f"{owner}: load", scenario)
    if unit == "pu":
        if entry.peak_kw is None:
            raise ValueError(f"{owner}: load: peak_kw is needed for a profile per unit")
        values = entry.peak_kw * values
    elif unit != "kw" or entry.peak_kw is not None:
        raise ValueError(
            f"{owner}: load: values in {unit} with peak_kw = {entry.peak_kw}; a load is given "
            "in kW, or per unit with peak_kw"
        )
    return _not_negative(values, f"{owner}: load", "kW")


def photovoltaic_kw(entry: PhotovoltaicEntry, owner: str, scenario: Scenario) -> Floats:
    """(T,) available power of a PV plant [kW]."""
    values, unit = _series(entry, f"{owner}: pv", scenario)
    _not_negative(values, f"{owner}: pv", unit)
    if unit == "kw_per_m2":
        return photovoltaic_power_kw(values, entry.rating_kw)
    if unit == "pu":
        return entry.rating_kw * np.minimum(values, 1.0)
    if unit == "kw":
        return np.minimum(values, entry.rating_kw)
    raise ValueError(f"{owner}: pv: a series in {unit} does not give PV power")


def wind_kw(entry: WindEntry, owner: str, scenario: Scenario) -> Floats:
    """(T,) available power of a wind turbine [kW]."""
    values, unit = _series(entry, f"{owner}: wind", scenario)
    _not_negative(values, f"{owner}: wind", unit)
    if unit == "m_per_s":
        return wind_power_kw(
            values,
            entry.rating_kw,
            entry.cut_in_m_per_s,
            entry.rated_m_per_s,
            entry.cut_out_m_per_s,
        )
    if unit == "pu":
        return entry.rating_kw * np.minimum(values, 1.0)
    if unit == "kw":
        return np.minimum(values, entry.rating_kw)
    raise ValueError(f"{owner}: wind: a series in {unit} does not give wind power")


def within(moments: list[datetime], earliest: time, latest: time) -> np.ndarray:
    """Which moments lie in a daily window; it may pass midnight, and equal ends mean all day."""
    clock = [moment.time() for moment in moments]
    if earliest == latest:
        return np.ones(len(clock), dtype=bool)
    if earliest < latest:
        return np.array([earliest <= now < latest for now in clock])
    return np.array([now >= earliest or now < latest for now in clock])


def wholly_within(horizon: HorizonEntry, earliest: time, latest: time) -> np.ndarray:
    """Which slots lie from start to end in one daily window, which may pass midnight.

    Equal ends mean that it never closes; a slot longer than the window lies in none.
    """
    if earliest == latest:
        return np.ones(horizon.slots, dtype=bool)
    day, length = timedelta(days=1), timedelta(minutes=horizon.slot_minutes)
    opening = datetime.combine(horizon.start.date(), earliest)
    open_for = (datetime.combine(opening, latest) - opening) % day
    # Time since the window opened last.
    since = [(start - opening) % day for start in slot_starts(horizon)]
    return np.array([passed + length <= open_for for passed in since])


def _building_devices(entry: BuildingEntry, scenario: Scenario) -> list[Device]:
    owner = entry.name
    found: list[Device] = []
    for number, load in enumerate(entry.loads, start=1):
        found.append(
            Load(
                f"load {number}",
                load_kw(load, owner, scenario),
                scenario.unserved_load_price_per_kwh,
            )
        )
    for number, plant in enumerate(entry.pv, start=1):
        found.append(Renewable(f"pv {number}", photovoltaic_kw(plant, owner, scenario)))
    for number, turbine in enumerate(entry.wind, start=1):
        found.append(Renewable(f"wind {number}", wind_kw(turbine, owner, scenario)))
    for number, battery in enumerate(entry.batteries, start=1):
        found.append(_battery(f"battery {number}", battery))
    for number, shiftable in enumerate(entry.shiftable_loads, start=1):
        found.append(_shiftable(f"shiftable load {number}", shiftable, owner, scenario))
    for number, vehicle in enumerate(entry.vehicles, start=1):
        found.append(_vehicle(f"vehicle {number}", vehicle, owner, scenario))
    return found


def _battery(name: str, entry: BatteryEntry) -> Battery:
    return Battery(name=name, **_storage(entry))


def _storage(entry: BatteryEntry) -> dict[str, float]:
    final_soc = entry.initial_soc if entry.final_soc is None else entry.final_soc
    return {
        "power_kw": entry.power_kw,
        "minimum_kwh": entry.minimum_soc * entry.capacity_kwh,
        "maximum_kwh": entry.maximum_soc * entry.capacity_kwh,
        "initial_kwh": entry.initial_soc * entry.capacity_kwh,
        "final_kwh": final_soc * entry.capacity_kwh,
        "charge_efficiency": entry.charge_efficiency,
        "discharge_efficiency": entry.discharge_efficiency,
        "wear_per_kwh": entry.wear_per_kwh,
        "wear_quadratic": entry.full_power_wear_per_kwh / entry.power_kw,
    }


def _vehicle(name: str, entry: VehicleEntry, owner: str, scenario: Scenario) -> ElectricVehicle:
    # Only slots that lie wholly in the stay: it cannot charge before it is there.
    stay = np.flatnonzero(wholly_within(scenario.horizon, entry.arrival, entry.departure))
    if len(stay) == 0:
        raise ValueError(
            f"{owner}: {name}: no slot lies between arrival = {entry.arrival} and departure = "
            f"{entry.departure}"
        )
    gap = np.flatnonzero(np.diff(stay) > 1)
    last = stay[gap[0]] if len(gap) else stay[-1]
    return ElectricVehicle(
        name=name, **_storage(entry), arrival_slot=int(stay[0]), departure_slot=int(last) + 1
    )


def _shiftable(name: str, entry: ShiftableEntry, owner: str, scenario: Scenario) -> ShiftableLoad:
    starts, hours = slot_starts(scenario.horizon), scenario.horizon.slot_hours
    window = within(starts, entry.earliest, entry.latest)
    liked = window & within(starts, entry.preferred_from, entry.preferred_until)
    most = entry.limit_kw * hours * window.sum()
    if entry.energy_kwh > most:
        raise ValueError(
            f"{owner}: {name}: energy_kwh = {entry.energy_kwh} kWh is more than limit_kw = "
            f"{entry.limit_kw} kW allows in its window: {most:g} kWh"
        )
    if not liked.any():
        raise ValueError(f"{owner}: {name}: its preferred time lies outside its window")
    return ShiftableLoad(
        name=name,
        energy_kwh=entry.energy_kwh,
        limit_kw=entry.limit_kw * window,
        preferred_kw=np.minimum(entry.energy_kwh / (hours * liked.sum()), entry.limit_kw) * liked,
        discomfort=entry.discomfort_per_kwh / entry.limit_kw,
    )


def _series(source: Source, what: str, scenario: Scenario) -> tuple[Floats, str]:
    """(T,) values of a source and their unit."""
    horizon = scenario.horizon
    if source.values is not None and source.unit is not None:
        if len(source.values) != horizon.slots:
            raise ValueError(
                f"{what}: {len(source.values)} values for {horizon.slots} slots; one each is needed"
            )
        return np.array(source.values), source.unit
    try:
        if source.profile is not None:
            series, unit = built_in_profile(source.profile), "pu"
        else:
            path = scenario.folder / str(source.file)
            column = str(source.column)
            series = read_profiles(path, [column], horizon.time_zone)[column]
            unit = unit_of(column).symbol
        start = horizon.start.replace(tzinfo=None)
        return resample(series, start, horizon.slots, horizon.slot_minutes), unit
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def _inline(entry: Source, owner: str, scenario: Scenario) -> Source:
    if entry.file is None:
        return entry
    values, unit = _series(entry, owner, scenario)
    update = {"file": None, "column": None, "values": tuple(values.tolist()), "unit": unit}
    return entry.model_copy(update=update)


def _not_negative(values: Floats, what: str, unit: str) -> Floats:
    if (values < 0).any():
        slot = int(np.argmax(values < 0))
        raise ValueError(f"{what}: {values[slot]:g} {unit} in slot {slot} must be at least 0")
    return values


def horizon(scenario: Scenario) -> Horizon:
    """The slots as the devices see them."""
    return Horizon(scenario.horizon.slots, scenario.horizon.slot_hours)
