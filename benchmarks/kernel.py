"""The population kernel against loops over general solvers, and against its own floor.

    python benchmarks/kernel.py [--buildings 100000] [--sample 1000] [--repeats 15]

Every building has a battery, a shiftable load, PV that it may curtail, and a connection; T = 24.
The peers solve the same problems one by one, a sample of them, extrapolated to all; their loops and
ours run in the same process, one after the other.  Of repeated runs the least time counts, since
the machine may be shared; "processor" is processor time over the number of threads.

Needs `piqp` beside nashgrid's own dependencies.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import clarabel
import numba
import numpy as np
import piqp
from scipy import sparse

from nashgrid.agents.population import BuildingArrays, Population, Shiftables, Storages
from nashgrid.agents.population.intrinsics import call_pass
from nashgrid.agents.population.tables import make_scratch

SLOTS = 24
PRICE_LEVEL = 0.3
RHO = 0.15  # half the price level
MOVE_KW = 0.02


def draw_homes(count: int, seed: int) -> BuildingArrays:
    """Homes with battery, shiftable load and PV; wear in proportion to price over rating."""
    rng = np.random.default_rng(seed)
    hours = np.arange(SLOTS)
    wave = 1 + 0.5 * np.sin((hours - 9) / 24 * 4 * np.pi)
    load = rng.uniform(0.3, 1.5, (count, 1)) * wave + rng.uniform(0, 0.5, (count, SLOTS))
    rating = rng.uniform(1, 8, (count, 1))
    sun = np.maximum(0, np.sin((hours - 6) / 12 * np.pi))
    available = rating * sun * rng.uniform(0.4, 1, (count, SLOTS))
    power = rng.uniform(1, 5, count)
    capacity = power * rng.uniform(2, 4, count)
    start = 0.5 * capacity
    everyone = np.arange(count)
    storages = Storages(
        everyone, power, power, 0.1 * capacity, 0.9 * capacity, start, start, start,
        rng.uniform(0.93, 0.97, count), rng.uniform(0.93, 0.97, count),
        rng.uniform(0.005, 0.03, count), PRICE_LEVEL / power * rng.uniform(0.005, 0.02, count),
    )  # fmt: skip
    first = rng.integers(0, 14, (count, 1))
    window = (hours >= first) & (hours < first + rng.integers(4, 10, (count, 1)))
    limit = window * rng.uniform(0.5, 3, (count, 1))
    shiftables = Shiftables(
        everyone, limit, limit * rng.uniform(0, 0.5, limit.shape),
        limit.sum(axis=1) * rng.uniform(0.1, 0.5, count), rng.uniform(0.005, 0.05, count),
    )  # fmt: skip
    return BuildingArrays(
        1.0, PRICE_LEVEL, load, available, rng.uniform(10, 20, count),
        np.maximum(load.max(axis=1), rating[:, 0]) + power, storages, shiftables,
    )  # fmt: skip


@dataclass
class Clock:
    """Least wall time and processor time per thread of several runs."""

    wall: float
    processor: float


def measure(work: Callable[[int], object], repeats: int, threads: int) -> Clock:
    """Run `work(repeat)` several times."""
    walls, processors = [], []
    for repeat in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work(repeat)
        walls.append(time.perf_counter() - wall)
        processors.append((time.process_time() - processor) / threads)
    return Clock(min(walls), min(processors))


def state_problem(homes: BuildingArrays, row: int) -> tuple[sparse.csc_matrix, ...]:
    """P, A, b, low, high and the linear cost of the devices of one home.

    Variables: trade, curtailment, charge, discharge, energy, shiftable load, each over the slots.
    """
    storages, loads, one = homes.storages, homes.shiftables, sparse.identity(SLOTS)
    none = np.zeros(SLOTS)
    before = sparse.eye(SLOTS, k=-1)
    balance = sparse.hstack([one, -one, -one, one, 0 * one, -one])
    gain, loss = storages.charge_efficiency[row], 1 / storages.discharge_efficiency[row]
    stored = sparse.hstack([0 * one, 0 * one, -gain * one, loss * one, one - before, 0 * one])
    total = sparse.hstack([sparse.csr_matrix((1, 5 * SLOTS)), np.ones((1, SLOTS))])
    start = none.copy()
    start[0] = storages.energy_start_kwh[row]
    right = [homes.load_kw[row] - homes.available_kw[row], start, loads.energy_kwh[[row]]]
    wear = np.full(SLOTS, 2 * storages.wear_quadratic[row])
    curvature = np.concatenate(
        [np.full(SLOTS, RHO / homes.size_kw[row]), none, wear, wear, none,
         np.full(SLOTS, 2 * loads.discomfort[row])]
    )  # fmt: skip
    per_kwh = np.full(SLOTS, storages.wear_per_kwh[row])
    wish = -2 * loads.discomfort[row] * loads.preferred_kw[row]
    power = np.full(SLOTS, storages.charge_kw[row])
    low_energy = np.full(SLOTS, storages.energy_min_kwh[row])
    high_energy = np.full(SLOTS, storages.energy_max_kwh[row])
    low_energy[-1] = high_energy[-1] = storages.energy_start_kwh[row]
    connection = np.full(SLOTS, homes.connection_kw[row])
    return (
        sparse.diags(curvature, format="csc"),
        sparse.csc_matrix(sparse.vstack([balance, stored, total])),
        np.concatenate(right),
        np.concatenate([-connection, none, none, none, low_energy, none]),
        np.concatenate(
            [connection, homes.available_kw[row], power, power, high_energy, loads.limit_kw[row]]
        ),
        np.concatenate([none, none, per_kwh, per_kwh, none, wish]),
    )


def linear_cost(
    fixed: np.ndarray, homes: BuildingArrays, row: int, price: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """The linear cost under a quote."""
    cost = fixed.copy()
    cost[:SLOTS] = price - RHO / homes.size_kw[row] * target
    return cost


def time_clarabel(
    homes: BuildingArrays, sample: int, price: np.ndarray, target: np.ndarray, moved: np.ndarray
) -> tuple[float, float, np.ndarray]:
    """Seconds per home for a new solver and for a data update, and the trades after the update."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.presolve_enable = False
    settings.max_threads = 1
    cold = warm = 0.0
    trades = np.empty((sample, SLOTS))
    for row in range(sample):
        matrix, equal, right, low, high, fixed = state_problem(homes, row)
        box = sparse.identity(fixed.size)
        constraints = sparse.csc_matrix(sparse.vstack([equal, box, -box]))
        bound = np.concatenate([right, high, -low])
        cones = [clarabel.ZeroConeT(right.size), clarabel.NonnegativeConeT(2 * fixed.size)]
        first = linear_cost(fixed, homes, row, price, target[row])
        second = linear_cost(fixed, homes, row, price, moved[row])
        begin = time.process_time()
        solver = clarabel.DefaultSolver(matrix, first, constraints, bound, cones, settings)
        solver.solve()
        cold += time.process_time() - begin
        begin = time.process_time()
        solver.update(q=second)
        solution = solver.solve()
        warm += time.process_time() - begin
        trades[row] = solution.x[:SLOTS]
    return cold / sample, warm / sample, trades


def time_piqp(
    homes: BuildingArrays, sample: int, price: np.ndarray, target: np.ndarray, moved: np.ndarray
) -> tuple[float, np.ndarray]:
    """Seconds per home for a data update of PIQP, and the trades."""
    warm = 0.0
    trades = np.empty((sample, SLOTS))
    for row in range(sample):
        matrix, equal, right, low, high, fixed = state_problem(homes, row)
        solver = piqp.SparseSolver()
        first = linear_cost(fixed, homes, row, price, target[row])
        second = linear_cost(fixed, homes, row, price, moved[row])
        solver.setup(matrix, first, equal, right, x_l=low, x_u=high)
        solver.solve()
        begin = time.process_time()
        solver.update(c=second)
        solver.solve()
        warm += time.process_time() - begin
        trades[row] = solver.result.x[:SLOTS]
    return warm / sample, trades


@numba.njit(nogil=True)
def repeat_pass(address, blocks, scratch, times, slots):  # type: ignore[no-untyped-def]
    """One pass again and again over one block, which stays in the nearest cache."""
    for _ in range(times):
        call_pass(
            address, blocks.data[0], blocks.multipliers[0], blocks.answer[0], blocks.flat[0],
            blocks.flat_strides[1], blocks.bounds, blocks.patterns[0], scratch.work,
            scratch.control, slots,
        )  # fmt: skip


def arithmetic_floor(population: Population, threads: int) -> float:
    """Seconds of the passes that the last answer made, if nothing else cost anything."""
    (blocks,) = population._with_addresses(two_prices=False)
    quote = population._quote(np.zeros(SLOTS), population.trade, 1 / RHO)
    scratch = make_scratch(blocks, quote, 1)
    scratch.control[2] = 0.0  # stay where we are
    seconds = []
    for address in (blocks.forward, blocks.backward):
        repeat_pass(address, blocks, scratch, 1, SLOTS)
        clock = measure(lambda _: repeat_pass(address, blocks, scratch, 500, SLOTS), 30, 1)  # noqa: B023
        seconds.append(clock.processor / 500)
    width = blocks.rows.shape[1]
    evaluations = population.evaluations[blocks.rows]
    eager = np.minimum(evaluations, 4)
    alone = (evaluations - eager).sum() / width
    forward = eager.max(axis=1).sum() + alone
    backward = forward - len(evaluations)
    return (forward * seconds[0] + backward * seconds[1]) / threads


def memory_floor(population: Population, target: np.ndarray, threads: int) -> float:
    """Seconds to read everything that an answer reads and write all that it writes, once."""
    (blocks,) = population._classes
    homes = population.buildings
    read = [blocks.data, blocks.bounds, target, homes.load_kw, homes.available_kw]
    read += [homes.loads.limit_kw, homes.loads.preferred_kw]
    changed = [blocks.multipliers, blocks.answer, population.trade]
    if blocks.flat_strides[0]:
        changed.append(blocks.flat)
    parts = [
        [np.array_split(table.reshape(-1), threads)[part] for table in read + changed]
        for part in range(threads)
    ]

    def touch(part: int) -> None:
        for number, table in enumerate(parts[part]):
            if number < len(read):
                np.add.reduce(table)
            else:
                np.multiply(table, 1.0, out=table)

    with ThreadPoolExecutor(threads) as pool:
        return measure(lambda _: list(pool.map(touch, range(threads))), 20, threads).processor


@dataclass(frozen=True)
class Quotes:
    """A price, and targets that move by a little and back."""

    price: np.ndarray
    target: np.ndarray
    moved: np.ndarray


@dataclass(frozen=True)
class Answered:
    """What the kernel needed, and what it did."""

    cold: Clock
    settled: Clock
    warm: Clock
    proof: Clock
    cold_evaluations: np.ndarray
    evaluations: np.ndarray
    stragglers: int


def draw_quotes(count: int) -> Quotes:
    """The quotes of so many homes."""
    price = 0.25 + 0.1 * np.sin((np.arange(SLOTS) - 10) / 24 * 4 * np.pi)
    target = np.zeros((count, SLOTS))
    move = np.random.default_rng(2).standard_normal(target.shape)
    return Quotes(price, target, target + MOVE_KW * move)


def best(clocks: list[Clock]) -> Clock:
    """The least of both times."""
    return Clock(min(c.wall for c in clocks), min(c.processor for c in clocks))


def measure_kernel(population: Population, quotes: Quotes, repeats: int, threads: int) -> Answered:
    """Cold, settled and warm answers, and their proof."""
    price, both = quotes.price, (quotes.moved, quotes.target)

    def cold_answer() -> Clock:
        population.forget()
        return measure(lambda _: population.answer(price, quotes.target, RHO), 1, threads)

    def settle(_: int) -> None:
        population.settle(price, quotes.target, RHO, 1e-6)

    def warm_answer(repeat: int) -> None:
        population.answer(price, both[repeat % 2], RHO)

    def prove(_: int) -> None:
        population.cost(), population.dual_bound(price)

    population.answer(price, quotes.target, RHO)
    cold = best([cold_answer() for _ in range(3)])
    cold_evaluations = population.evaluations
    population.forget()
    settled = measure(settle, 1, threads)
    warm = measure(warm_answer, repeats, threads)
    evaluations, stragglers = population.evaluations, population.stragglers
    proof = measure(prove, 3, threads)
    return Answered(cold, settled, warm, proof, cold_evaluations, evaluations, stragglers)


def first_use(price: np.ndarray) -> float:
    """Seconds to compile the kernel for one set of devices, or to fetch it from disk."""
    begin = time.perf_counter()
    few = Population(draw_homes(8, 3), 1)
    for _ in range(2):
        few.answer(price, np.zeros((8, SLOTS)), RHO)
    return time.perf_counter() - begin


def machine(threads: int) -> str:
    """What the figures belong to."""
    names = ("nashgrid", "numba", "numpy", "clarabel", "piqp")
    words = [platform.processor() or platform.machine(), f"Python {platform.python_version()}"]
    words += [f"{name} {version(name)}" for name in names]
    lines, cpu = [", ".join(words)], Path("/proc/cpuinfo")
    if cpu.exists():
        models = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
        lines.append(f"{models[0].split(':')[1].strip()} x {len(models)}, threads {threads}")
    return "\n".join(lines)


def table(rows: list[tuple[str, Clock, str, float]]) -> str:
    """Our work beside that of others, in processor time."""
    lines = [f"| work | wall s | processor s | against, s | ratio |\n|{'---|' * 5}"]
    for work, clock, peer, seconds in rows:
        lines.append(
            f"| {work} | {clock.wall:.4f} | {clock.processor:.4f} | {peer} {seconds:.4f} "
            f"| {seconds / clock.processor:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buildings", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    count, threads = options.buildings, options.threads

    homes, quotes = draw_homes(count, 1), draw_quotes(count)
    begin = time.perf_counter()
    population = Population(homes, threads)
    built = time.perf_counter() - begin
    compiled = first_use(quotes.price)
    ours = measure_kernel(population, quotes, options.repeats, threads)
    arithmetic = arithmetic_floor(population, threads)
    memory = memory_floor(population, quotes.target, threads)

    sample = min(options.sample, count)
    population.settle(quotes.price, quotes.moved, RHO, 1e-9)
    asked = homes, sample, quotes.price, quotes.target, quotes.moved
    clarabel_cold, clarabel_warm, theirs = time_clarabel(*asked)
    error = np.abs(population.trade[:sample] - theirs).max()
    piqp_warm, theirs = time_piqp(*asked)
    piqp_error = np.abs(population.trade[:sample] - theirs).max()

    scale = count / threads
    print(machine(threads))
    print(f"\n{count:,} buildings, T = {SLOTS}; {population.state_bytes / count:.0f} bytes each")
    print(f"built and checked in {built:.2f} s; first compile or cache load {compiled:.1f} s\n")
    rows = [
        (f"warm, quote moved by {MOVE_KW} kW", ours.warm, "Clarabel update", clarabel_warm * scale),
        ("the same", ours.warm, "PIQP update", piqp_warm * scale),
        ("cold, first answer", ours.cold, "new Clarabel", clarabel_cold * scale),
        ("cold, settled to 1e-6 kW", ours.settled, "new Clarabel", clarabel_cold * scale),
        ("warm", ours.warm, "floor", arithmetic + memory),
        ("cost and bound of all", ours.proof, "cold answer", ours.cold.processor),
    ]
    print(table(rows))
    print(f"\nfloor: memory {memory:.4f} s + arithmetic {arithmetic:.4f} s per answer")
    print(
        f"evaluations per building: warm {ours.evaluations.mean():.2f}, cold "
        f"{ours.cold_evaluations.mean():.1f} (most {ours.cold_evaluations.max()}); "
        f"stragglers {ours.stragglers / count:.2%}; failed {population.failed.size}"
    )
    print(
        f"settled trades differ from Clarabel's by at most {error:.1e} kW, "
        f"from PIQP's by {piqp_error:.1e} kW ({sample} buildings)"
    )


if __name__ == "__main__":
    main()
