"""The buildings of a population as arrays, read from the long tables of an outcome."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.device_kinds import kind_of_device

BASE_LOAD = "load"


@dataclass(frozen=True)
class Devices:
    """The devices of one name in one case, S of them.

    Parameters
    ----------
    owner : (S,) rows of the buildings
    power_kw : (S, T) what they take; negative: give
    curtailed_kw : (S, T) NaN where there is nothing to curtail
    energy_kwh : (S, T) stored at the end of each slot; NaN where nothing is stored
    """

    owner: Integers
    power_kw: Floats
    curtailed_kw: Floats
    energy_kwh: Floats


@dataclass(frozen=True)
class Crowd:
    """All drawn buildings, n of them, in the order of their addresses.

    Parameters
    ----------
    accounts : their rows of the accounts, numbered from 0
    trade_kw : case -> (n, T)
    devices : case -> name -> the devices of that name
    """

    accounts: pd.DataFrame
    trade_kw: dict[str, Floats]
    devices: dict[str, dict[str, Devices]]

    def __len__(self) -> int:
        return len(self.accounts)

    @cached_property
    def kinds(self) -> dict[str, Integers]:
        """Kind -> rows of its buildings; only kinds that occur."""
        kind = self.accounts["kind"].astype("category").cat
        codes = kind.codes.to_numpy()
        rows = {str(name): np.flatnonzero(codes == k) for k, name in enumerate(kind.categories)}
        return {name: own for name, own in rows.items() if len(own)}

    @cached_property
    def outfits(self) -> dict[str, Integers]:
        """What they own, in words -> rows, the most frequent first."""
        named: dict[str, Integers] = {}
        found = np.zeros(len(self), dtype=np.int64)
        names = list(next(iter(self.devices.values())))
        for place, name in enumerate(names):
            owners = [devices[name].owner for devices in self.devices.values() if name in devices]
            found[np.concatenate(owners)] |= 1 << place
        for code in np.unique(found):
            own = [name for place, name in enumerate(names) if code >> place & 1]
            words = " + ".join(kind_of_device(name).words for name in own) or "none"
            named[words] = np.flatnonzero(found == code)
        return dict(sorted(named.items(), key=lambda item: -len(item[1])))

    def base_load_kw(self, case: str) -> Floats:
        """(n, T) what is traded and not taken or given by a device with decisions."""
        base = self.trade_kw[case].copy()
        for devices in self.devices[case].values():
            np.subtract.at(base, devices.owner, devices.power_kw)
        return base


def crowd_of(outcome: Outcome) -> Crowd | None:
    """The population of an outcome; None where there is none.

    Raises
    ------
    ValueError
        If the tables do not hold the buildings slot by slot.
    """
    entry, slots = outcome.scenario.population, outcome.scenario.horizon.slots
    if entry is None:
        return None
    stated = len(outcome.scenario.agents)
    accounts = outcome.accounts[stated : stated + entry.count].reset_index(drop=True)
    trade, devices = {}, {}
    for case in cases_of(outcome):
        power = rows_of_case(outcome.trades, case)["trade_kw"].to_numpy(dtype=float)
        if len(power) < (stated + entry.count) * slots:
            raise ValueError(f"the trades of case {case!r} lack buildings of the population")
        trade[case] = power.reshape(-1, slots)[stated : stated + entry.count]
        devices[case] = _devices(rows_of_case(outcome.schedules, case), accounts, slots)
    return Crowd(accounts, trade, devices)


def rows_of_case(table: pd.DataFrame, case: str) -> pd.DataFrame:
    """The rows of a case, which stand together: a view, for a copy would double the memory."""
    coded = table["case"].astype("category").cat
    if case not in coded.categories:
        return table[:0]
    own = np.flatnonzero(coded.codes.to_numpy() == coded.categories.get_loc(case))
    return table[own[0] : own[-1] + 1] if len(own) else table[:0]


def _devices(schedules: pd.DataFrame, accounts: pd.DataFrame, slots: int) -> dict[str, Devices]:
    """By name, of the population's buildings alone."""
    agent = schedules["agent"].astype("category").cat
    row_of = pd.Index(accounts["agent"].astype(str)).get_indexer(agent.categories.astype(str))
    owner = row_of[agent.codes.to_numpy()]
    device = schedules["device"].astype("category").cat
    codes = device.codes.to_numpy()
    found = {}
    for code, name in enumerate(device.categories):
        rows = np.flatnonzero((codes == code) & (owner >= 0))
        if not len(rows):
            continue
        owners = owner[rows].reshape(-1, slots if len(rows) % slots == 0 else 1)
        if owners.shape[1] != slots or (owners != owners[:, :1]).any():
            raise ValueError(f"the schedules of {name!r} are not complete, building by building")

        def matrix(column: str, rows: Integers = rows) -> Floats:
            values = schedules[column].to_numpy(dtype=float)[rows]
            return np.asarray(values.reshape(-1, slots))

        found[str(name)] = Devices(
            owners[:, 0], matrix("consumption_kw"), matrix("curtailed_kw"), matrix("energy_kwh")
        )
    return found
