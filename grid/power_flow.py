"""AC power flow of a schedule by power-grid-model: the independent check of every linear model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from power_grid_model import ComponentType, LoadGenType, PowerGridModel, initialize_array
from power_grid_model.errors import PowerGridBatchError

from nashgrid.grid.feeder import Feeder, FloatArray

# Short-circuit power of the upstream source, VA: large enough that the root is an ideal slack (a
# drop below 1e-12 pu at 10 MVA), small enough for the admittance matrix.
_SOURCE_VA = 1e20
_VOLTAGE_TOLERANCE_PU = 1e-10


@dataclass(frozen=True, eq=False)
class ACPowerFlow:
    """Result of `ac_power_flow` for S slots.

    Attributes
    ----------
    voltage_pu : (S, n) array
        Magnitudes, buses as in the feeder.
    line_kva : (S, L) array
        Apparent power at the sending end, the one where active power enters the line.
    losses_kw : (S,) array
    """

    voltage_pu: FloatArray
    line_kva: FloatArray
    losses_kw: FloatArray


def ac_power_flow(
    feeder: Feeder,
    power_kw: ArrayLike,
    reactive_kvar: ArrayLike,
    root_voltage_pu: float = 1.0,
) -> ACPowerFlow:
    """Solve the balanced AC power flow of every slot by Newton-Raphson.

    Parameters
    ----------
    feeder : Feeder
        Lines are series impedances; there is no line charging.
    power_kw, reactive_kvar : (S, n)
        Constant power taken at each bus (negative: delivered to the grid).
    root_voltage_pu : float
        Voltage held at the root.

    Raises
    ------
    ValueError
        If a shape or value is wrong, or the power flow of a slot does not converge: the slot is
        named; the feeder cannot carry that schedule.
    """
    shape = np.shape(power_kw)
    if len(shape) != 2 or shape[1] != feeder.bus_count or np.shape(reactive_kvar) != shape:
        raise ValueError(
            f"power_kw {shape} and reactive_kvar {np.shape(reactive_kvar)} must both have one row "
            f"per slot and one column for each of the {feeder.bus_count} buses of {feeder.name}"
        )
    if not 0 < root_voltage_pu < np.inf:
        raise ValueError(f"root_voltage_pu {root_voltage_pu} must be positive and finite")
    loads = initialize_array("update", "sym_load", shape)
    loads["id"] = _load_ids(feeder)
    loads["p_specified"] = 1e3 * _finite(feeder, "power_kw", power_kw)
    loads["q_specified"] = 1e3 * _finite(feeder, "reactive_kvar", reactive_kvar)
    model = PowerGridModel(_network(feeder, root_voltage_pu))
    try:
        result = model.calculate_power_flow(
            update_data={ComponentType.sym_load: loads},
            output_component_types={
                ComponentType.node: ["u_pu"],
                ComponentType.line: ["p_from", "p_to", "s_from", "s_to"],
            },
            error_tolerance=_VOLTAGE_TOLERANCE_PU,
        )
    except PowerGridBatchError as error:
        failed = [str(slot) for slot in error.failed_scenarios]
        slots = f"slot{'s' if len(failed) > 1 else ''} {', '.join(failed)}"
        raise ValueError(
            f"the AC power flow of feeder {feeder.name} does not converge in {slots}: "
            "the wires cannot carry that schedule"
        ) from error
    line = result[ComponentType.line]
    outwards = line["p_from"] >= 0.0
    return ACPowerFlow(
        voltage_pu=np.asarray(result[ComponentType.node]["u_pu"]),
        line_kva=np.where(outwards, line["s_from"], line["s_to"]) / 1e3,
        losses_kw=(line["p_from"] + line["p_to"]).sum(axis=1) / 1e3,
    )


def _finite(feeder: Feeder, name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(array))
    if wrong.size:
        slot, bus = wrong[0]
        raise ValueError(f"{name} at bus {feeder.buses[bus]} in slot {slot} is {array[slot, bus]}")
    return array


def _load_ids(feeder: Feeder) -> range:
    # power-grid-model numbers all components together: buses, then lines, loads, the source.
    first = feeder.bus_count + feeder.line_count
    return range(first, first + feeder.bus_count)


def _network(feeder: Feeder, root_voltage_pu: float) -> dict[ComponentType, NDArray[np.void]]:
    volts = 1e3 * feeder.base_kv
    base_ohm = feeder.base_kv**2 / feeder.base_mva
    node = initialize_array("input", "node", feeder.bus_count)
    node["id"] = range(feeder.bus_count)
    node["u_rated"] = volts

    line = initialize_array("input", "line", feeder.line_count)
    line["id"] = range(feeder.bus_count, feeder.bus_count + feeder.line_count)
    line["from_node"] = feeder.bus_positions(feeder.from_bus)
    line["to_node"] = feeder.bus_positions(feeder.to_bus)
    line["from_status"] = line["to_status"] = 1
    line["r1"] = feeder.resistance_pu * base_ohm
    line["x1"] = feeder.reactance_pu * base_ohm
    line["c1"] = line["tan1"] = 0.0

    load = initialize_array("input", "sym_load", feeder.bus_count)
    load["id"] = _load_ids(feeder)
    load["node"] = node["id"]
    load["status"] = 1
    load["type"] = LoadGenType.const_power
    load["p_specified"] = load["q_specified"] = 0.0

    source = initialize_array("input", "source", 1)
    source["id"] = _load_ids(feeder).stop
    source["node"] = feeder.bus_positions(feeder.root_bus)
    source["status"] = 1
    source["u_ref"] = root_voltage_pu
    source["sk"] = _SOURCE_VA
    return {
        ComponentType.node: node,
        ComponentType.line: line,
        ComponentType.sym_load: load,
        ComponentType.source: source,
    }
