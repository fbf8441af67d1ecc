"""The network models against AC power flow, and how long they take.

    python benchmarks/network.py [--loadings 100] [--repeats 15]

Prints the two tables of docs/networks.md: errors of LinDistFlow and branch flow on random
loadings, and times. Of repeated runs the least time counts, since the machine may be shared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from nashgrid.grid.branch_flow_problem import BranchFlowProblem
from nashgrid.grid.feeder import Feeder, FloatArray
from nashgrid.grid.feeder_files import read_feeder
from nashgrid.grid.generated_feeder import generate_feeder
from nashgrid.grid.generator import Generator
from nashgrid.grid.lindistflow import LinDistFlow
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.operator_terms import OperatorTerms
from nashgrid.grid.optimal_power_flow import optimal_power_flow
from nashgrid.grid.power_flow import ac_power_flow

SLOTS = 24


def random_loadings(feeder: Feeder, count: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Loads of 0 to 1.4 times the published ones; at 30 % of the buses PV of up to 3 times them."""
    rng = np.random.default_rng(seed)
    shape = (count, feeder.bus_count)
    factor = rng.uniform(0.0, 1.4, shape)
    sunny = rng.random(shape) < 0.3
    power_kw = feeder.load_kw * (factor - sunny * rng.uniform(0.0, 3.0, shape))
    return power_kw, feeder.load_kvar * factor


def print_errors(name: str, loadings: int) -> None:
    """One row per model: largest and mean error of voltage, largest of flow and losses."""
    feeder = read_feeder(name)
    power_kw, reactive_kvar = random_loadings(feeder, loadings, seed=0)
    ac = ac_power_flow(feeder, power_kw, reactive_kvar)
    model = LinDistFlow(feeder)
    size = np.hypot(model.flows(power_kw), model.flows(reactive_kvar))
    voltage = np.sqrt(model.voltage_squared(power_kw, reactive_kvar))
    losses = model.losses_kw(power_kw, reactive_kvar)
    _print_row(
        name, "LinDistFlow", voltage - ac.voltage_pu, size, losses, ac.line_kva, ac.losses_kw
    )

    upstream = Generator(
        feeder.root_bus, 0.1, 1e5, lowest_kw=-1e5, lowest_kvar=-1e5, highest_kvar=1e5
    )
    found = [
        optimal_power_flow(
            feeder,
            [upstream],
            model="branch flow",
            load_kw=kw,
            load_kvar=kvar,
            lowest_voltage_pu=0.8,
            highest_voltage_pu=1.2,
        )
        for kw, kvar in zip(power_kw, reactive_kvar)
    ]
    voltage = np.array([np.sqrt(flow.voltage_squared) for flow in found])
    losses = np.array([flow.losses_kw for flow in found])
    # AC names the end where active power enters the line: for reverse flow the far one.
    sent = np.array([flow.flow_kw + 1j * flow.flow_kvar for flow in found])
    impedance = feeder.resistance_pu + 1j * feeder.reactance_pu
    start = feeder.bus_positions(feeder.from_bus)
    current = np.abs(sent / feeder.base_kva) ** 2 / voltage[:, start] ** 2
    received = sent - feeder.base_kva * impedance * current
    size = np.where(sent.real >= 0, np.abs(sent), np.abs(received))
    _print_row(
        name, "branch flow", voltage - ac.voltage_pu, size, losses, ac.line_kva, ac.losses_kw
    )
    notes = sorted({flow.note for flow in found})
    lowest, highest = ac.voltage_pu.min(), ac.voltage_pu.max()
    print(f"  {name}: {', '.join(notes)}; AC {lowest:.3f} to {highest:.3f} pu")


def _print_row(
    name: str,
    model: str,
    voltage_error: FloatArray,
    size: FloatArray,
    losses: FloatArray,
    ac_size: FloatArray,
    ac_losses: FloatArray,
) -> None:
    of_largest = np.abs(size - ac_size).max(axis=1) / ac_size.max(axis=1)
    worst, mean = np.abs(voltage_error).max(), np.abs(voltage_error).mean()
    lost = np.abs(losses / ac_losses - 1).max()
    print(f"| {name} | {model} | {worst:.1e} | {mean:.1e} | {of_largest.max():.1e} | {lost:.1e} |")


def operator_terms(feeder: Feeder, lowest_voltage_pu: float) -> dict[str, object]:
    """A day of an operator with everybody as a buyer, seller or both."""
    rng = np.random.default_rng(1)
    return {
        "trading_buses": feeder.buses[feeder.buses != feeder.root_bus],
        "reactive_kvar": np.tile(0.5 * feeder.load_kvar, (SLOTS, 1)),
        "slot_hours": 1.0,
        "retail_price_per_kwh": rng.uniform(0.2, 0.4, SLOTS),
        "feed_in_price_per_kwh": 0.08,
        "loss_price_per_kwh": 0.25,
        "demand_limit_kw": 8.0 * feeder.load_kw.max(),
        "lowest_voltage_pu": lowest_voltage_pu,
    }


def questions(problem: OperatorTerms) -> tuple[FloatArray, FloatArray]:
    """Linear and quadratic terms: wishes between -1.5 and 1.5 times the published load."""
    feeder = problem.feeder
    load = feeder.load_kw[feeder.bus_positions(problem.trading_buses)]
    curvature = 0.3 / np.maximum(load, load.mean())
    day = 1.5 * np.sin(np.arange(SLOTS) / SLOTS * 2 * np.pi)[:, None]
    rng = np.random.default_rng(2)
    wish = load * day + rng.normal(0.0, 0.5 * load.mean(), problem.shape)
    return -0.25 - curvature * wish, curvature


def print_times(label: str, problem: OperatorProblem, repeats: int) -> None:
    """Cold answer, and the least time of answers to questions that moved a little."""
    linear, curvature = questions(problem)
    start = time.perf_counter()
    answer = problem.answer(linear, curvature)
    cold = time.perf_counter() - start
    rng = np.random.default_rng(3)
    warm = []
    for _ in range(repeats):
        linear = linear + rng.normal(0.0, 1e-3, linear.shape)
        start = time.perf_counter()
        answer = problem.answer(linear, curvature)
        warm.append(time.perf_counter() - start)
    of_voltages = answer.multipliers.rows[:, problem.limits.bus_rows]
    binding = np.count_nonzero(np.abs(of_voltages) > 1e-6)
    print(f"| {label} | {1e3 * min(warm):.2f} ms | {1e3 * cold:.0f} ms | {binding} |")


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--loadings", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    print("| feeder | model | voltage, max (pu) | mean | flow, max of largest | losses, max |")
    print("|---|---|---|---|---|---|")
    for name in ("ieee33", "ieee69"):
        print_errors(name, arguments.loadings)
    print("\n| operator, 24 slots | warm | cold | voltages that bind |\n|---|---|---|---|")
    for name, lowest in (("ieee33", 0.95), ("ieee69", 0.95), ("ieee123", 0.97)):
        feeder = read_feeder(name)
        print_times(
            name, OperatorProblem(feeder, **operator_terms(feeder, lowest)), arguments.repeats
        )
    feeder = generate_feeder(1000, 1)
    problem = OperatorProblem(feeder, **operator_terms(feeder, 0.96))
    print_times("generated, 1,000 buses", problem, 2)
    feeder = read_feeder("ieee33")
    conic = BranchFlowProblem(feeder, **operator_terms(feeder, 0.95))
    conic.answer(*questions(conic))
    print(f"branch flow, ieee33, 24 slots: {timed(lambda: conic.answer(*questions(conic))):.2f} s")
    power_kw, reactive_kvar = random_loadings(feeder, 35_136, seed=4)
    year = timed(lambda: ac_power_flow(feeder, power_kw, reactive_kvar))
    print(f"AC power flow of a year of quarter hours on 33 buses: {year:.2f} s")


if __name__ == "__main__":
    main()
