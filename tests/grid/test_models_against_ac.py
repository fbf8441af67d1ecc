"""LinDistFlow and branch flow against AC power flow on random loadings of 33 and 69 buses."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.generator import Generator
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.optimal_power_flow import optimal_power_flow
from nashgrid.grid.power_flow import ac_power_flow

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "network.py"


def test_the_script_behind_the_tables_of_the_documentation_runs(capsys):
    spec = importlib.util.spec_from_file_location("network_benchmark", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    benchmark.print_errors("ieee33", 2)
    feeder = read_feeder("ieee33")
    problem = OperatorProblem(feeder, **benchmark.operator_terms(feeder, 0.95))
    benchmark.print_times("a day", problem, 1)
    linear, lossy, note, times = capsys.readouterr().out.splitlines()
    assert linear.startswith("| ieee33 | LinDistFlow |")
    assert float(lossy.split("|")[3]) < 1e-8
    assert "branch flow, exact" in note
    # Voltages bind in this day: the count is that of multipliers, and there are some.
    assert int(times.split("|")[4]) > 0


def random_loadings(feeder, count):
    """As in benchmarks/network.py, whose table is in docs/networks.md."""
    rng = np.random.default_rng(0)
    shape = (count, feeder.bus_count)
    factor = rng.uniform(0.0, 1.4, shape)
    sunny = rng.random(shape) < 0.3
    power_kw = feeder.load_kw * (factor - sunny * rng.uniform(0.0, 3.0, shape))
    return power_kw, feeder.load_kvar * factor


@pytest.mark.parametrize(
    ("name", "volts_pu", "flow_share", "loss_share"),
    [("ieee33", 2.3e-3, 0.055, 0.12), ("ieee69", 5.5e-3, 0.081, 0.18)],
)
def test_lindistflow_on_100_random_loadings(name, volts_pu, flow_share, loss_share):
    feeder = read_feeder(name)
    power_kw, reactive_kvar = random_loadings(feeder, 100)
    ac, model = ac_power_flow(feeder, power_kw, reactive_kvar), LinDistFlow(feeder)
    error = np.sqrt(model.voltage_squared(power_kw, reactive_kvar)) - ac.voltage_pu
    assert np.abs(error).max() < volts_pu
    assert np.abs(error).mean() < 6e-4
    # Without losses voltages are too high, flows too small where they are large.
    assert error.min() > -1e-6
    size = np.hypot(model.flows(power_kw), model.flows(reactive_kvar))
    share = np.abs(size - ac.line_kva).max(axis=1) / ac.line_kva.max(axis=1)
    assert share.max() < flow_share
    losses = model.losses_kw(power_kw, reactive_kvar) / ac.losses_kw - 1.0
    assert np.abs(losses).max() < loss_share


@pytest.mark.parametrize("name", ["ieee33", "ieee69"])
def test_branch_flow_on_random_loadings(name):
    feeder = read_feeder(name)
    power_kw, reactive_kvar = random_loadings(feeder, 100)
    ac = ac_power_flow(feeder, power_kw, reactive_kvar)
    upstream = Generator(
        feeder.root_bus, 0.1, 1e5, lowest_kw=-1e5, lowest_kvar=-1e5, highest_kvar=1e5
    )
    for at in range(0, 100, 10):
        flow = optimal_power_flow(
            feeder,
            [upstream],
            model="branch flow",
            load_kw=power_kw[at],
            load_kvar=reactive_kvar[at],
            lowest_voltage_pu=0.8,
            highest_voltage_pu=1.2,
        )
        assert flow.note == "branch flow, exact"
        voltage = np.sqrt(flow.voltage_squared)
        np.testing.assert_allclose(voltage, ac.voltage_pu[at], atol=1e-8)
        assert flow.losses_kw == pytest.approx(ac.losses_kw[at], rel=1e-7)
