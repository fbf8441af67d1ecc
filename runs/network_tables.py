"""What a delivery does in the wires: voltages, flows, losses, and the parts of its prices."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nashgrid.grid.feeder import Feeder
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.power_flow import ac_power_flow
from nashgrid.market.messages import Floats
from nashgrid.runs.tables import bus_power_kw, demand_kw, price_at_places
from nashgrid.runs.wires import Wires

PARTS = ("energy", "loss", "congestion", "voltage", "remainder")
_COLUMNS = {
    "voltages": ("slot", "bus", "lindistflow_pu", "ac_pu"),
    "lines": ("slot", "from_bus", "to_bus", "flow_kw", "flow_kvar", "limit_kva", "ac_kva"),
    "losses": ("slot", "lindistflow_kw", "ac_kw"),
    "reactive": ("slot", "bus", "limit_kvar", "set_kvar"),
    "price_parts": ("slot", "bus", *(f"{part}_per_kwh" for part in PARTS), "flow_model"),
}


@dataclass(frozen=True)
class NetworkTables:
    """Tables of all cases, see `Tables`; empty where there is no feeder."""

    voltages: pd.DataFrame
    lines: pd.DataFrame
    losses: pd.DataFrame
    reactive: pd.DataFrame
    price_parts: pd.DataFrame


def network_tables(
    prices: pd.DataFrame,
    trades: pd.DataFrame,
    wires: Wires,
    cases: Sequence[str],
    connection_kw: Floats,
) -> NetworkTables:
    """State of the feeder by LinDistFlow and by AC power flow, and what prices are made of.

    Parameters
    ----------
    connection_kw : (B,) sum of the agents' connection limits at each place

    Raises
    ------
    ValueError
        If the tables lack something, or the wires cannot carry a schedule at all.
    """
    frames: dict[str, list[pd.DataFrame]] = {table: [] for table in _COLUMNS}
    if wires.feeder is not None:
        for case in cases:
            demand, price = demand_kw(trades, case, wires), price_at_places(prices, case, wires)
            power, reactive = bus_power_kw(trades, case, wires), wires.bus_kvar(case, demand)
            found = _state(wires, wires.feeder, power, reactive)
            found["reactive"] = _set_points(wires, wires.feeder, reactive)
            found["price_parts"] = _price_parts(wires, case, demand, price, connection_kw)
            for table, values in found.items():
                frame = pd.DataFrame(dict(zip(_COLUMNS[table], values, strict=True)))
                frame.insert(0, "case", case)
                frames[table].append(frame)
    return NetworkTables(
        **{
            field.name: pd.concat(frames[field.name], ignore_index=True)
            if frames[field.name]
            else pd.DataFrame(columns=["case", *_COLUMNS[field.name]])
            for field in fields(NetworkTables)
        }
    )


_Columns = Sequence[NDArray[np.generic]]


def _state(wires: Wires, feeder: Feeder, power: Floats, reactive: Floats) -> dict[str, _Columns]:
    """Columns of the tables of voltages, lines and losses, from (T, n) taken at the buses."""
    root_voltage, model = wires.root_voltage_pu, LinDistFlow(feeder)
    ac = ac_power_flow(feeder, power, reactive, root_voltage)
    linear = np.sqrt(model.voltage_squared(power, reactive, root_voltage))
    flow, reactive_flow = model.flows(power), model.flows(reactive)
    slot, bus = np.indices(power.shape).reshape(2, -1)
    slot_of_line, line = np.indices(flow.shape).reshape(2, -1)
    return {
        "voltages": (slot, feeder.buses[bus], linear.ravel(), ac.voltage_pu.ravel()),
        "lines": (
            slot_of_line,
            feeder.from_bus[line],
            feeder.to_bus[line],
            flow.ravel(),
            reactive_flow.ravel(),
            feeder.limit_kva[line],
            ac.line_kva.ravel(),
        ),
        "losses": (np.arange(len(power)), model.losses_kw(power, reactive), ac.losses_kw),
    }


def _set_points(wires: Wires, feeder: Feeder, reactive: Floats) -> _Columns:
    """Columns of the table of inverters: those at each bus together."""
    at = np.flatnonzero(wires.inverter_kvar)
    slot, bus = np.indices((len(reactive), len(at))).reshape(2, -1)
    taken = (reactive - wires.reactive_kvar)[:, at]
    return slot, feeder.buses[at][bus], wires.inverter_kvar[at][bus], taken.ravel()


def _price_parts(
    wires: Wires, case: str, demand: Floats, price: Floats, connection_kw: Floats
) -> _Columns:
    parts = wires.operator(case, connection_kw).price_parts(demand, price)
    slot, place = np.indices(price.shape).reshape(2, -1)
    values = [getattr(parts, name).ravel() for name in PARTS]
    return slot, np.array(wires.places)[place], *values, np.array(parts.notes)[slot]
