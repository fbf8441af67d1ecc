"""The standard building in numbers: plain arrays, one row per building or device."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def _require(good: Any, name: str, values: Any, bound: str, owner: Rows | None = None) -> None:
    """Raise ValueError naming the first row whose value breaks the bound."""
    bad = np.argwhere(~np.asarray(good))
    if not bad.size:
        return
    where = tuple(bad[0])
    row = int(where[0]) if owner is None else int(owner[where[0]])
    slot = f", slot {int(where[1])}" if len(where) > 1 else ""
    value = np.broadcast_to(values, np.shape(good))[where]
    raise ValueError(f"building {row}{slot}: {name} is {value:g}, but must be {bound}")


def _table(values: ArrayLike, name: str, shape: tuple[int, ...]) -> Floats:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, but must have {shape}")
    return array


@dataclass(frozen=True)
class Storages:
    """Batteries and electric vehicles, S of them.

    e_t = e_{t-1} + eta_c c_t dt - d_t dt / eta_d + inflow_t,   0 <= c, d <= limits
    cost = sum_t dt [wear (c + d) + wear_quadratic (c^2 + d^2)]

    A vehicle has charge and discharge limits of 0 outside its stay; its initial energy is there
    from the start, and the energy bounds from departure on are what it must have by then (or it
    arrives and leaves through `inflow_kwh`).  Limits may be (S,) for the whole day or (S, T).

    Parameters
    ----------
    owner : (S,) row of the building
    charge_kw, discharge_kw : (S,) or (S, T) largest power [kW]
    energy_min_kwh, energy_max_kwh : (S,) or (S, T) bounds at the end of each slot [kWh]
    energy_start_kwh : (S,) before the first slot [kWh]
    energy_end_min_kwh, energy_end_max_kwh : (S,) bounds at the end of the last slot [kWh]
    charge_efficiency, discharge_efficiency : (S,) in (0, 1]
    wear_per_kwh : (S,) [currency/kWh]
    wear_quadratic : (S,) [currency/kW^2h]
    inflow_kwh : (S, T) or None, energy that arrives with the vehicle in a slot [kWh]
    """

    owner: Rows
    charge_kw: Floats
    discharge_kw: Floats
    energy_min_kwh: Floats
    energy_max_kwh: Floats
    energy_start_kwh: Floats
    energy_end_min_kwh: Floats
    energy_end_max_kwh: Floats
    charge_efficiency: Floats
    discharge_efficiency: Floats
    wear_per_kwh: Floats
    wear_quadratic: Floats
    inflow_kwh: Floats | None = None

    def check(self, buildings: int, slots: int) -> Storages:
        """The same with every array checked and contiguous."""
        owner = _owners(self.owner, buildings)
        profiles = {"charge_kw", "discharge_kw", "energy_min_kwh", "energy_max_kwh"}
        made: dict[str, Any] = {"owner": owner}
        for entry in fields(self)[1:]:
            value = getattr(self, entry.name)
            if entry.name == "inflow_kwh":
                made[entry.name] = (
                    None if value is None else _table(value, entry.name, (owner.size, slots))
                )
                continue
            wide = entry.name in profiles and np.ndim(value) == 2
            shape = (owner.size, slots) if wide else (owner.size,)
            made[entry.name] = _table(value, f"storages.{entry.name}", shape)
        checked = Storages(**made)
        for entry in fields(checked)[1:]:
            value = getattr(checked, entry.name)
            if value is not None:
                _require(np.isfinite(value), entry.name, value, "finite", owner)
        for name in ("charge_kw", "discharge_kw", "wear_per_kwh", "wear_quadratic"):
            value = getattr(checked, name)
            _require(value >= 0, name, value, "at least 0", owner)
        for name in ("charge_efficiency", "discharge_efficiency"):
            value = getattr(checked, name)
            _require((value > 0) & (value <= 1), name, value, "above 0 and at most 1", owner)
        return checked

    def take(self, which: Rows) -> Storages:
        """Some of them."""
        chosen: dict[str, Any] = {
            entry.name: None if value is None else value[which]
            for entry in fields(self)
            for value in [getattr(self, entry.name)]
        }
        return Storages(**chosen)

    @property
    def profiled(self) -> NDArray[np.bool_]:
        """(S,) whether a storage's limits differ from slot to slot."""
        wide = self.inflow_kwh is not None or any(
            value.ndim == 2
            for value in (
                self.charge_kw,
                self.discharge_kw,
                self.energy_min_kwh,
                self.energy_max_kwh,
            )
        )
        if not wide:
            return np.zeros(self.owner.size, dtype=bool)
        differs = np.zeros(self.owner.size, dtype=bool)
        for value in (self.charge_kw, self.discharge_kw, self.energy_min_kwh, self.energy_max_kwh):
            if value.ndim == 2:
                differs |= (value != value[:, :1]).any(axis=1)
        if self.inflow_kwh is not None:
            differs |= (self.inflow_kwh != 0).any(axis=1)
        return differs


@dataclass(frozen=True)
class Shiftables:
    """Shiftable loads, L of them.

    0 <= l_t <= limit_t,   sum_t l_t dt = energy,   cost = dt discomfort sum (l - preferred)^2

    Parameters
    ----------
    owner : (L,) row of the building
    limit_kw : (L, T) largest power, 0 outside the window [kW]
    preferred_kw : (L, T) [kW]
    energy_kwh : (L,) [kWh]
    discomfort : (L,) [currency/kW^2h]
    """

    owner: Rows
    limit_kw: Floats
    preferred_kw: Floats
    energy_kwh: Floats
    discomfort: Floats

    def check(self, buildings: int, slots: int) -> Shiftables:
        """The same with every array checked and contiguous."""
        owner = _owners(self.owner, buildings)
        wide, narrow = (owner.size, slots), (owner.size,)
        checked = Shiftables(
            owner,
            _table(self.limit_kw, "shiftables.limit_kw", wide),
            _table(self.preferred_kw, "shiftables.preferred_kw", wide),
            _table(self.energy_kwh, "shiftables.energy_kwh", narrow),
            _table(self.discomfort, "shiftables.discomfort", narrow),
        )
        for entry in fields(checked)[1:]:
            value = getattr(checked, entry.name)
            _require(np.isfinite(value), entry.name, value, "finite", owner)
            if entry.name != "preferred_kw":
                _require(value >= 0, entry.name, value, "at least 0", owner)
        return checked

    def take(self, which: Rows) -> Shiftables:
        """Some of them."""
        return Shiftables(*(getattr(self, entry.name)[which] for entry in fields(self)))


def place_in_building(owner: Rows) -> Rows:
    """(D,) which of its building's devices each device is, in the order given: 0, 1, ..."""
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner) if owner.size else np.zeros(0, dtype=np.int64)
    place = np.empty(owner.size, dtype=np.int64)
    place[order] = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


def _owners(owner: ArrayLike, buildings: int) -> Rows:
    rows = np.asarray(owner, dtype=np.int64)
    if rows.ndim != 1:
        raise ValueError(f"owner has shape {rows.shape}, but must be one row number per device")
    if rows.size and not (rows.min() >= 0 and rows.max() < buildings):
        raise ValueError(
            f"owner names rows {rows.min()} to {rows.max()}, but there are {buildings} buildings"
        )
    return rows


def no_storages() -> Storages:
    """No batteries at all."""
    none = np.empty(0)
    return Storages(np.empty(0, np.int64), *[none] * 11)


def no_shiftables(slots: int) -> Shiftables:
    """No shiftable loads at all."""
    none, wide = np.empty(0), np.empty((0, slots))
    return Shiftables(np.empty(0, np.int64), wide, wide, none, none)


@dataclass(frozen=True)
class BuildingArrays:
    """Many standard buildings.  Building i answers price lambda and target z with the trade p of

        min sum_t dt [device costs + lambda_t p_t + rho / 2 (p_t - z_t)^2 / size]
        p = load + sum l + sum (c - d) - (available - v),   0 <= v <= available,
        |p| <= connection

    Parameters
    ----------
    slot_hours : dt [h]
    price_level : typical price, sets the scale of guards and proximal terms [currency/kWh]
    load_kw : (n, T) fixed load [kW]
    available_kw : (n, T) PV and wind before curtailment [kW]
    connection_kw : (n,) largest trade either way [kW]
    size_kw : (n,) the participant's size in the exchange [kW]
    storages, shiftables : the devices, each with the row of its building

    Raises
    ------
    ValueError
        At an array of the wrong shape or a value out of bounds, naming the building.
    """

    slot_hours: float
    price_level: float
    load_kw: Floats
    available_kw: Floats
    connection_kw: Floats
    size_kw: Floats
    storages: Storages = field(default_factory=no_storages)
    shiftables: Shiftables | None = None

    def __post_init__(self) -> None:
        for name in ("slot_hours", "price_level"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value:g}, but must be above 0")
        load = np.ascontiguousarray(self.load_kw, dtype=np.float64)
        if load.ndim != 2 or load.size == 0:
            raise ValueError(f"load_kw has shape {load.shape}, but must be (buildings, slots)")
        count, slots = load.shape
        made = {
            "load_kw": load,
            "available_kw": _table(self.available_kw, "available_kw", load.shape),
            "connection_kw": _table(self.connection_kw, "connection_kw", (count,)),
            "size_kw": _table(self.size_kw, "size_kw", (count,)),
        }
        for name, value in made.items():
            _require(np.isfinite(value), name, value, "finite")
            if name == "size_kw":
                _require(value > 0, name, value, "above 0")
            elif name != "load_kw":
                _require(value >= 0, name, value, "at least 0")
            object.__setattr__(self, name, value)
        loads = self.shiftables if self.shiftables is not None else no_shiftables(slots)
        object.__setattr__(self, "storages", self.storages.check(count, slots))
        object.__setattr__(self, "shiftables", loads.check(count, slots))

    @property
    def loads(self) -> Shiftables:
        """The shiftable loads, of which there may be none."""
        return self.shiftables if self.shiftables is not None else no_shiftables(self.slots)

    @property
    def count(self) -> int:
        """Number of buildings, n."""
        return int(self.load_kw.shape[0])

    @property
    def slots(self) -> int:
        """Number of slots, T."""
        return int(self.load_kw.shape[1])
