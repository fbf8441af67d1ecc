"""pandapower networks: read back, they have the voltages and losses of pandapower's power flow."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.power_flow import ac_power_flow

pandapower = pytest.importorskip("pandapower", reason="the extra `pandapower` is not installed")
networks = pytest.importorskip("pandapower.networks")


def stored(net: Any, folder: Path) -> Path:
    file = folder / "net.json"
    pandapower.to_json(net, str(file))
    return file


def without_shunts(net: Any) -> Any:
    """What a feeder leaves out; the voltage at its root is 1 pu."""
    net.line["c_nf_per_km"] = 0.0
    net.trafo["pfe_kw"] = 0.0
    net.trafo["i0_percent"] = 0.0
    net.ext_grid["vm_pu"] = 1.0
    return net


@pytest.mark.parametrize(
    "name",
    [
        "case33bw",
        "create_kerber_dorfnetz",  # transformer and cables
        "create_cigre_network_lv",  # three transformers, behind switches between buses
        "create_cigre_network_mv",  # open switches at lines
        "simple_four_bus_system",  # static generators
    ],
)
def test_voltages_and_losses_are_those_of_pandapower(name: str, tmp_path: Path) -> None:
    net = without_shunts(getattr(networks, name)())
    feeder = read_feeder(stored(net, tmp_path))
    pandapower.runpp(net, tolerance_mva=1e-10, calculate_voltage_angles=False)
    flow = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    expected = net.res_bus["vm_pu"].loc[feeder.buses]
    np.testing.assert_allclose(flow.voltage_pu[0], expected, rtol=0, atol=1e-7)
    losses_kw = 1e3 * (net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum())
    assert flow.losses_kw[0] == pytest.approx(losses_kw, rel=1e-5)
    assert feeder.base_kv == net.bus["vn_kv"].at[feeder.root_bus]


def test_33_buses_have_their_published_losses_and_ties(tmp_path: Path) -> None:
    feeder = read_feeder(stored(networks.case33bw(), tmp_path))
    flow = ac_power_flow(feeder, [feeder.load_kw], [feeder.load_kvar])
    assert flow.losses_kw[0] == pytest.approx(202.677, abs=5e-4)
    assert (feeder.name, len(feeder.ties), feeder.root_bus) == ("net", 5, 0)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    # Two cables of 0.5 km with 210 nF/km at 400 V: 2 pi 50 * 2 * 105e-9 * 400^2 = 10.6 var.
    feeder = read_feeder(stored(networks.simple_four_bus_system(), tmp_path))
    assert "left out: 0.0106 kvar of line charging, 0.6 kW of no-load losses" in feeder.source


def test_line_and_transformer_limits(tmp_path: Path) -> None:
    net = networks.simple_four_bus_system()
    feeder = read_feeder(stored(net, tmp_path))
    amperes = 1e3 * net.line["max_i_ka"].iloc[0]
    assert feeder.limit_kva.tolist()[0] == pytest.approx(1e3 * net.trafo["sn_mva"].iloc[0])
    assert feeder.limit_kva.tolist()[1] == pytest.approx(np.sqrt(3) * 0.4 * amperes)


def with_shunt(net: Any) -> None:
    pandapower.create_shunt(net, 1, 0.1)


def with_tap(net: Any) -> None:
    net.trafo["tap_pos"] = net.trafo["tap_neutral"] + 1


def with_ratio(net: Any) -> None:
    net.trafo["vn_lv_kv"] = 0.42


def with_two_grids(net: Any) -> None:
    pandapower.create_ext_grid(net, 2)


def with_impedance(net: Any) -> None:
    pandapower.create_bus(net, 0.4)
    pandapower.create_switch(net, 3, 4, "b", z_ohm=0.1)


def unconnected(net: Any) -> None:
    net.line.loc[1, "in_service"] = False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_shunt, "a shunt in service cannot be part of a feeder"),
        (with_tap, "transformer 0 has another ratio than its buses, 10 to 0.4 kV"),
        (with_ratio, "transformer 0 has another ratio than its buses, 10 to 0.4 kV"),
        (with_two_grids, "2 external grids in service; a feeder has one root"),
        (with_impedance, "switch 0 has an impedance"),
        (unconnected, "bus 3"),
    ],
)
def test_what_a_feeder_cannot_hold_is_named(change: Any, message: str, tmp_path: Path) -> None:
    net = networks.simple_four_bus_system()
    change(net)
    with pytest.raises(ValueError, match=message):
        read_feeder(stored(net, tmp_path))


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    with pytest.raises(ValueError, match=r"net\.json: no such file"):
        read_feeder(file)
    file.write_text('{"buses": 3}')
    with pytest.raises(ValueError, match=r"net\.json: not a pandapower network"):
        read_feeder(file)
    file.write_text("no network")
    with pytest.raises(ValueError, match=r"net\.json: not a pandapower network"):
        read_feeder(file)
