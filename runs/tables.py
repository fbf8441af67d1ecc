"""From a finished model to tidy tables."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from nashgrid.agents.counterparty import Counterparty
from nashgrid.agents.prosumer import Prosumer
from nashgrid.agents.standard_buildings import StandardBuildings
from nashgrid.market.message_network import Transmission
from nashgrid.market.messages import FIELDS, Floats
from nashgrid.runs import population_tables
from nashgrid.runs.inputs import slot_starts
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.stacking import repeated, stack
from nashgrid.runs.wires import Wires

DECISIONS = (
    "consumption_kw",
    "curtailed_kw",
    "charge_kw",
    "discharge_kw",
    "energy_kwh",
    "shiftable_kw",
    "generation_kw",
    "unserved_kw",
)


class Traded(Protocol):
    """A community that has traded: a finished model, or one of two feeders of a tied one."""

    @property
    def study(self) -> Scenario: ...
    @property
    def wires(self) -> Wires: ...
    @property
    def roster(self) -> pd.DataFrame: ...
    @property
    def prosumers(self) -> Sequence[Prosumer]: ...
    @property
    def population(self) -> StandardBuildings | None: ...
    @property
    def counterparty(self) -> Counterparty: ...
    def trade_kw(self, topic: str) -> Floats: ...


def prices_table(model: Traded, cases: Sequence[str]) -> pd.DataFrame:
    """case, slot, start, bus, price_per_kwh."""
    starts, places = slot_starts(model.study.horizon), model.wires.places
    frames = []
    for case in cases:
        price = model.counterparty.price(case)
        slot, place = np.indices(price.shape).reshape(2, -1)
        frames.append(
            pd.DataFrame(
                {
                    "case": case,
                    "slot": slot,
                    "start": [starts[s] for s in slot],
                    "bus": np.array(places)[place],
                    "price_per_kwh": price.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def trades_table(model: Traded, cases: Sequence[str]) -> pd.DataFrame:
    """case, agent, kind, community, bus, slot, trade_kw."""
    places, slots = model.wires.places, model.study.horizon.slots
    name = model.wires.counterparty
    last = pd.DataFrame({"agent": name, "kind": name, "community": "", "bus": places})
    everybody = stack([model.roster[list(last)], last])
    rows = everybody.loc[np.repeat(everybody.index, slots)].reset_index(drop=True)
    rows["slot"] = np.tile(np.arange(slots), len(everybody))
    frames = []
    for case in cases:
        sold = -model.counterparty.demand_kw[case].T
        frame = rows.assign(trade_kw=np.concatenate([model.trade_kw(case), sold]).ravel())
        frame.insert(0, "case", case if model.population is None else repeated(case, len(rows)))
        frames.append(frame)
    return stack(frames)


def population_trades(trades: pd.DataFrame, scenario: Scenario, wires: Wires) -> Floats:
    """(n, T) trades of the population's buildings among the rows of a case."""
    slots, stated = scenario.horizon.slots, len(scenario.agents)
    values = trades["trade_kw"].to_numpy(dtype=float).reshape(-1, slots)
    return np.asarray(values[stated : len(values) - len(wires.places)])


def schedules_table(model: Traded, cases: Sequence[str]) -> pd.DataFrame:
    """case, agent, device, slot and the decisions of every device.

    Of a population's buildings only the devices that decide anything.
    """
    frames = []
    for case in cases:
        frames += [
            schedule_rows(case, agent.name, agent.schedule(case)) for agent in model.prosumers
        ]
        if model.population is not None and model.wires.population is not None:
            answers = model.population.answers[case]
            frames.append(
                population_tables.schedule_rows(case, model.wires.population, answers.schedules)
            )
    return schedules_of(frames)


def schedule_rows(
    case: str, agent: str, schedule: Mapping[str, Mapping[str, Floats]]
) -> pd.DataFrame:
    """The rows of one agent; columns are the quantities that its devices have."""
    frames = []
    for device, quantities in schedule.items():
        slots = np.arange(len(quantities["consumption_kw"]))
        columns: dict[str, Any] = {"case": case, "agent": agent, "device": device, "slot": slots}
        frames.append(pd.DataFrame(columns | dict(quantities)))
    return pd.concat(frames, ignore_index=True)


def schedules_of(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all agents as one table."""
    return stack(frames).reindex(columns=["case", "agent", "device", "slot", *DECISIONS])


def price_at_places(prices: pd.DataFrame, case: str, wires: Wires) -> Floats:
    """(T, B) price at each place [currency/kWh]."""
    rows = prices[prices["case"] == case]
    table = rows.pivot(index="slot", columns="bus", values="price_per_kwh")
    return np.asarray(table[list(wires.places)].to_numpy(dtype=float))


def trade_kw(trades: pd.DataFrame, case: str, agents: int) -> Floats:
    """(n, T) trades of the agents in a case; the counterparty's rows are left out."""
    own = trades[(trades["case"] == case) & (trades["community"] != "")]
    return np.asarray(own["trade_kw"].to_numpy(float).reshape(agents, -1))


def demand_kw(trades: pd.DataFrame, case: str, wires: Wires) -> Floats:
    """(T, B) what the counterparty delivers at each place."""
    rows = trades[(trades["case"] == case) & (trades["community"] == "")]
    table = rows.pivot(index="slot", columns="bus", values="trade_kw")
    return -np.asarray(table[list(wires.places)].to_numpy(dtype=float))


def bus_power_kw(trades: pd.DataFrame, case: str, wires: Wires) -> Floats:
    """(T, n) power taken at every bus of the feeder: where it is, wherever it is reported."""
    if not wires.reported_at or wires.feeder is None:
        return wires.bus_power_kw(demand_kw(trades, case, wires))
    own = trades[(trades["case"] == case) & (trades["community"] != "")]
    sums = own.groupby(["slot", "bus"], observed=True)["trade_kw"].sum().unstack("bus")
    power = np.zeros_like(wires.reactive_kvar)
    power[:, wires.feeder.bus_positions(sums.columns)] = sums.to_numpy(dtype=float)
    # What a neighbour takes over a tie is no agent's.
    nobodys = ~np.isin(wires.places, sums.columns)
    ends = wires.feeder.bus_positions(np.array(wires.places)[nobodys])
    power[:, ends] = demand_kw(trades, case, wires)[:, nobodys]
    return power


def messages_table(log: Sequence[tuple[int, Transmission]]) -> pa.Table:
    """One row per message: step of the run, topic, kind, who, whom, times, attempts, fields.

    A row that stands for a long column has a `count` above one, all its attempts, and no fields.
    """
    columns = [transmission.messages for _, transmission in log]
    count = [len(column) for column in columns]

    def spread(values: Sequence[object]) -> pa.Array:
        return pa.array(np.repeat(np.array(values), count))

    def joined(parts: Sequence[np.ndarray]) -> pa.Array:
        return pa.array(np.concatenate(parts))

    table = {
        "model_step": spread([step for step, _ in log]),
        "topic": spread([column.topic for column in columns]).dictionary_encode(),
        "kind": spread([column.kind for column in columns]).dictionary_encode(),
        "sender": joined([column.senders for column in columns]),
        "receiver": joined([column.receivers for column in columns]),
        "sent_s": joined([column.sent_s for column in columns]),
        "arrived_s": joined([transmission.arrives_s for _, transmission in log]),
        "attempts": joined([transmission.attempts for _, transmission in log]),
        "bytes": spread([transmission.bytes_each for _, transmission in log]),
        "count": spread([transmission.count for _, transmission in log]),
    }
    for name in dict.fromkeys(name for kind in FIELDS.values() for name in kind):
        table[name] = _lists([column.fields.get(name) for column in columns], count)
    return pa.table(table)


def _lists(values: Sequence[Floats | None], count: Sequence[int]) -> pa.Array:
    """One list of numbers per message; empty where the message has no such field."""
    widths = [0 if one is None else one.shape[1] for one in values]
    offsets = np.concatenate([[0], np.cumsum(np.repeat(widths, count))]).astype(np.int32)
    flat = [one.ravel() for one in values if one is not None]
    return pa.ListArray.from_arrays(offsets, np.concatenate(flat) if flat else np.zeros(0))
