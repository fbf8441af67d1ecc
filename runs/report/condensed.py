"""An outcome whose population is summed up, or shown by a few of its buildings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats, Integers
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.crowd import BASE_LOAD, Crowd, rows_of_case
from nashgrid.runs.report.words import count

POPULATION = "population"
_WORDS = ("case", "agent", "kind", "community", "device")


def summed_up(outcome: Outcome, crowd: Crowd) -> Outcome:
    """One agent for all drawn buildings at a bus, and their devices summed by kind.

    What devices take and what they give stand in rows of their own, for a store may charge in one
    building while it discharges in another.
    """
    bus = crowd.accounts["bus"].to_numpy()
    buses, place = np.unique(bus, return_inverse=True)
    sizes = np.bincount(place)
    names = [count(int(size), "building") for size in sizes]
    if outcome.scenario.feeder is not None:
        names = [f"{name} at bus {bus}" for name, bus in zip(names, buses)]
    community = str(crowd.accounts["community"].iloc[0])
    trades, schedules = [], []
    for case in cases_of(outcome):
        sums = np.zeros((len(buses), crowd.trade_kw[case].shape[1]))
        np.add.at(sums, place, crowd.trade_kw[case])
        drawn = [
            _slots(values, case=case, agent=name, kind=POPULATION, community=community, bus=bus)
            for values, name, bus in zip(({"trade_kw": row} for row in sums), names, buses)
        ]
        trades += [*_others(outcome, rows_of_case(outcome.trades, case)), *drawn]
        schedules += [
            _stated(outcome, rows_of_case(outcome.schedules, case)),
            *_sums_of_devices(crowd, case),
        ]
    return replace(
        outcome,
        trades=pd.concat(trades, ignore_index=True),
        schedules=pd.concat(schedules, ignore_index=True),
    )


def only_some(outcome: Outcome, crowd: Crowd, rows: Integers) -> Outcome:
    """The stated agents and some of the drawn buildings, whose base load is a device too."""
    chosen = crowd.accounts.loc[rows]
    trades, schedules = [], []
    for case in cases_of(outcome):
        base = crowd.base_load_kw(case)[rows]
        trades.append(_stated(outcome, rows_of_case(outcome.trades, case)))
        schedules.append(_stated(outcome, rows_of_case(outcome.schedules, case)))
        for number, (row, own) in enumerate(zip(rows, chosen.to_dict("records"))):
            known = {name: own[name] for name in ("agent", "kind", "community", "bus")}
            trade = {"trade_kw": crowd.trade_kw[case][row]}
            trades.append(_slots(trade, case=case, **known))
            named = {"case": case, "agent": own["agent"]}
            load = {"consumption_kw": base[number]}
            schedules.append(_slots(load, device=BASE_LOAD, **named))
            for device, devices in crowd.devices[case].items():
                for each in np.flatnonzero(devices.owner == row):
                    schedules.append(
                        _slots(
                            {
                                "consumption_kw": devices.power_kw[each],
                                "curtailed_kw": devices.curtailed_kw[each],
                                "energy_kwh": devices.energy_kwh[each],
                            },
                            device=device,
                            **named,
                        )
                    )
    accounts = outcome.accounts[: len(outcome.scenario.agents)]
    return replace(
        outcome,
        trades=pd.concat(trades, ignore_index=True),
        schedules=pd.concat(schedules, ignore_index=True),
        accounts=pd.concat([_plain(accounts), _plain(chosen)], ignore_index=True),
    )


def _sums_of_devices(crowd: Crowd, case: str) -> list[pd.DataFrame]:
    base = crowd.base_load_kw(case)
    powers: dict[str, tuple[Floats, Floats | None]] = {BASE_LOAD: (base, None)}
    for name, devices in crowd.devices[case].items():
        powers[name] = (devices.power_kw, devices.curtailed_kw)
    frames = []
    for name, (power, curtailed) in powers.items():
        taken, given = np.maximum(power, 0.0).sum(axis=0), np.minimum(power, 0.0).sum(axis=0)
        lost = np.zeros(len(taken)) if curtailed is None else np.nansum(curtailed, axis=0)
        common = {"case": case, "agent": POPULATION, "device": name}
        frames.append(_slots({"consumption_kw": taken, "curtailed_kw": lost}, **common))
        frames.append(_slots({"consumption_kw": given}, **common))
    return frames


def _slots(values: dict[str, Floats], **same: Any) -> pd.DataFrame:
    """One row per slot."""
    slots = len(next(iter(values.values())))
    return pd.DataFrame({**same, "slot": np.arange(slots), **values})


def _others(outcome: Outcome, trades: pd.DataFrame) -> Sequence[pd.DataFrame]:
    """The rows of the stated agents and of the counterparty."""
    population = outcome.scenario.population
    drawn = 0 if population is None else population.count
    last = len(outcome.scenario.agents) + drawn
    return _stated(outcome, trades), _plain(trades[last * outcome.scenario.horizon.slots :])


def _stated(outcome: Outcome, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the stated agents, which come first."""
    names = [entry.name for entry in outcome.scenario.agents]
    coded = rows["agent"].astype("category").cat
    own = np.isin(coded.codes.to_numpy(), coded.categories.get_indexer(pd.Index(names, dtype=str)))
    return _plain(rows[own])


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Names as text."""
    return rows.astype({name: str for name in _WORDS if name in rows})
