"""Radial feeders from pandapower networks, read by pandapower (the extra `pandapower`)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nashgrid.grid.feeder import Feeder, make_feeder
from nashgrid.grid.line import Line

# What one bus takes from the wires, and the sign with which its table counts.
_LOADS = (("load", 1.0), ("sgen", -1.0), ("storage", 1.0))
_HELD = {"bus", "line", "trafo", "switch", "ext_grid", "measurement", *dict(_LOADS)}
_SWITCH_OHM = 1e-6  # a closed switch, for a feeder has no line without impedance


def read_pandapower_network(path: str | Path) -> Feeder:
    """Read a radial pandapower network (`.json`) as a feeder; its buses keep their index.

    Impedances are per unit on `sn_mva` and the voltage of the bus, transformers at their nominal
    ratio. Loads are those of `load`, `storage` and, negative, `sgen`. Lines and transformers out
    of service or behind an open switch become ties; a closed switch between buses is a line of
    1e-6 ohm. The root is the bus of `ext_grid`. Line charging and the transformers' no-load
    losses are left out; `source` says how much they are.

    Raises
    ------
    ValueError
        If the file is missing or no network, has several external grids, holds what a feeder
        cannot (shunts, voltage-controlling generators, three windings, tap positions ...), or is
        not radial.
    ImportError
        If pandapower is not installed: `pip install nashgrid[pandapower]`.
    """
    import pandapower  # An extra: only who reads such a file needs it.

    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{file}: no such file")
    try:
        net: Any = pandapower.from_json_string(file.read_text(encoding="utf-8"), convert=False)
    except ValueError as error:
        raise ValueError(f"{file}: not a pandapower network ({error})") from None
    if not isinstance(net, pandapower.pandapowerNet):
        raise ValueError(f"{file}: not a pandapower network")
    pandapower.convert_format(net)  # of an older version
    for element in sorted(pandapower.toolbox.pp_elements() - _HELD):
        if len(net[element]) and net[element]["in_service"].any():
            raise ValueError(f"{file}: a {element} in service cannot be part of a feeder")
    bus = net.bus[net.bus["in_service"].astype(bool)]
    roots = _in_service(net.ext_grid)["bus"].tolist()
    if len(roots) != 1:
        raise ValueError(f"{file}: {len(roots)} external grids in service; a feeder has one root")
    lines = [*_lines(net), *_transformers(net, file), *_switches(net, file)]
    left_out = (
        f"left out: {_charging_kvar(net):.3g} kvar of line charging, "
        f"{_in_service(net.trafo)['pfe_kw'].sum():.3g} kW of no-load losses"
    )
    load_kw, load_kvar = _loads(net, bus.index)
    return make_feeder(
        name=file.stem,
        source=f"pandapower network {file.name}; {left_out}",
        base_kv=float(bus["vn_kv"].at[roots[0]]),
        base_mva=float(net.sn_mva),
        root_bus=int(roots[0]),
        buses=bus.index,
        load_kw=load_kw,
        load_kvar=load_kvar,
        lines=[line for line in lines if {line.from_bus, line.to_bus} <= set(bus.index)],
    )


def _in_service(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["in_service"].astype(bool)]


def _loads(net: Any, buses: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """(n,) active [kW] and reactive power [kvar] that every bus takes."""
    total = pd.DataFrame(0.0, index=buses, columns=["p_mw", "q_mvar"])
    for name, sign in _LOADS:
        table = _in_service(net[name])
        power = table[["p_mw", "q_mvar"]].mul(sign * table["scaling"], axis=0)
        total = total.add(power.groupby(table["bus"]).sum().reindex(buses, fill_value=0.0))
    both = 1e3 * total.to_numpy(dtype=np.float64)
    return both[:, 0], both[:, 1]


def _open_behind_switch(net: Any, kind: str) -> set[int]:
    """Indices of the lines ('l') or transformers ('t') with an open switch at an end."""
    switch = net.switch
    return set(switch["element"][(switch["et"] == kind) & ~switch["closed"].astype(bool)])


def _lines(net: Any) -> Iterator[Line]:
    behind = _open_behind_switch(net, "l")
    for at, row in net.line.iterrows():
        kv = float(net.bus["vn_kv"].at[row["from_bus"]])
        per_ohm = row["length_km"] / row["parallel"] * net.sn_mva / kv**2
        amperes = row["max_i_ka"] * row["df"] * row["parallel"]
        yield Line(
            int(row["from_bus"]),
            int(row["to_bus"]),
            float(row["r_ohm_per_km"] * per_ohm),
            float(row["x_ohm_per_km"] * per_ohm),
            math.inf if np.isnan(amperes) else float(1e3 * math.sqrt(3) * kv * amperes),
            bool(row["in_service"]) and at not in behind,
        )


def _transformers(net: Any, file: Path) -> Iterator[Line]:
    """Short-circuit impedance vk, vkr [%] on the rated power and the low-voltage side."""
    behind = _open_behind_switch(net, "t")
    for at, row in net.trafo.iterrows():
        hv_kv, lv_kv = (float(net.bus["vn_kv"].at[row[end]]) for end in ("hv_bus", "lv_bus"))
        taps = row[["tap_pos", "tap_neutral"]].dropna()  # blank: there is none
        if taps.nunique() > 1 or not math.isclose(row["vn_hv_kv"] / row["vn_lv_kv"], hv_kv / lv_kv):
            raise ValueError(
                f"{file}: transformer {at} has another ratio than its buses, {hv_kv:g} to "
                f"{lv_kv:g} kV with the tap in neutral position, which cannot be part of a feeder"
            )
        rated_mva = float(row["sn_mva"] * row["parallel"])
        to_pu = (row["vn_lv_kv"] / lv_kv) ** 2 * net.sn_mva / rated_mva / 100
        yield Line(
            int(row["hv_bus"]),
            int(row["lv_bus"]),
            float(row["vkr_percent"] * to_pu),
            float(math.sqrt(row["vk_percent"] ** 2 - row["vkr_percent"] ** 2) * to_pu),
            1e3 * rated_mva * float(row["df"]),
            bool(row["in_service"]) and at not in behind,
        )


def _switches(net: Any, file: Path) -> Iterator[Line]:
    for at, row in net.switch[net.switch["et"] == "b"].iterrows():
        if row["z_ohm"] > 0:
            raise ValueError(f"{file}: switch {at} has an impedance; make a line of it")
        resistance_pu = _SWITCH_OHM * net.sn_mva / net.bus["vn_kv"].at[row["bus"]] ** 2
        ends = int(row["bus"]), int(row["element"])
        yield Line(*ends, float(resistance_pu), 0.0, closed=bool(row["closed"]))


def _charging_kvar(net: Any) -> float:
    """Reactive power of the lines' capacitance at nominal voltage, 2 pi f C V^2 [kvar]."""
    line = _in_service(net.line)
    kv = net.bus["vn_kv"].loc[line["from_bus"]].to_numpy()
    farad = 1e-9 * line["c_nf_per_km"] * line["length_km"] * line["parallel"]
    return float((2e3 * math.pi * net.f_hz * farad * kv**2).sum())
