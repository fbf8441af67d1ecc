"""Markets of populations against their central problem, their growth, and the message network.

    python benchmarks/market.py [--largest 100000] [--cap 120]

A market is the trading exchange of the built-in district (T = 24) to a tolerance of 1e-4: every
building enrols, answers quotes over the message network, and commits; then every building's
epsilon is proved. Its time is that of model, negotiation and proof, all that comes after import.
The peers solve the central problem of the same community, stated once in CVXPY; only the solver's
own time counts. Compiled code is on disk before anything is timed. "processor" is processor time of
all threads together, for machines that are shared: the ratio in brackets is that of processor
times, and leaves out that ours has two threads.

Needs `piqp` beside nashgrid's own dependencies.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import cvxpy as cp
import numpy as np

from nashgrid.market.links import Links
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Messages
from nashgrid.runs.central import central_problem
from nashgrid.runs.model import TradingModel
from nashgrid.runs.population_proof import prove_population
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario

TRADING = "trading"
SOLVERS = {"Clarabel": cp.CLARABEL, "PIQP": cp.PIQP}


@dataclass(frozen=True)
class Negotiated:
    """A market that was negotiated and proved."""

    model: TradingModel
    seconds: float
    processor: float
    round_seconds: float
    cost: float
    relative_epsilon: float
    state_bytes: float

    @property
    def rounds(self) -> int:
        return len(self.model.coordinators[TRADING].exchange.records)


def study(name: str, count: int, tolerance: float = 1e-4) -> Scenario:
    """The built-in scenario with so many buildings."""
    drawn = with_population(load_scenario(name), count)
    negotiation = drawn.negotiation.model_copy(update={"tolerance": tolerance})
    return drawn.model_copy(update={"negotiation": negotiation})


def negotiate(scenario: Scenario) -> Negotiated:
    """Model, negotiation and proof, timed."""
    wall, processor = time.perf_counter(), time.process_time()
    model = TradingModel(scenario, (TRADING,), seed=1)
    times = []
    while model.running:
        start = time.perf_counter()
        model.step()
        times.append(time.perf_counter() - start)
    population, drawn = model.population, model.wires.population
    if population is None or drawn is None:
        raise ValueError(f"{scenario.name} has no population")
    price = model.counterparty.price(TRADING).T[model.place]
    kernel = drawn.kernel.anew()
    position = prove_population(kernel, population.answers[TRADING].schedules, price, None)
    cost = float(model.cost(TRADING).sum() + model.counterparty.cost(TRADING))
    return Negotiated(
        model,
        time.perf_counter() - wall,
        time.process_time() - processor,
        statistics.median(times),
        cost,
        float(position.relative_epsilon.max()),
        kernel.state_bytes / drawn.buildings.count,
    )


def _solve(scenario: Scenario, solver: str, sender: Connection) -> None:
    wires = TradingModel(scenario, (TRADING,), seed=1).wires
    problem = central_problem(scenario, wires, TRADING).problem
    data, chain, inverse = problem.get_problem_data(
        SOLVERS[solver], ignore_dpp=True, solver_opts={}
    )
    sender.send("stated")
    start, processor = time.perf_counter(), time.process_time()
    raw = chain.solve_via_data(problem, data, solver_opts={})
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    problem.unpack_results(raw, chain, inverse)
    sender.send((seconds, processor, float(problem.value)))


def central(scenario: Scenario, solver: str, cap_s: float) -> tuple[float, float, float | None]:
    """Seconds, of the processor too, and cost of a central solver, in a process of its own.

    (cap, cap, None) if it is late.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_solve, args=(scenario, solver, sender), daemon=True)
    process.start()
    sender.close()  # so that a process that fails ends the waiting
    receiver.recv()
    answer = receiver.recv() if receiver.poll(cap_s) else (cap_s, cap_s, None)
    process.terminate()
    process.join()
    return answer


def compare(name: str, count: int, solvers: tuple[str, ...], cap_s: float) -> list[str]:
    """Rows: the market, and how many times faster it is than each solver."""
    runs = [negotiate(study(name, count)) for _ in range(5)]
    best = min(runs, key=lambda run: run.processor)
    rows = [
        f"| market of {count:,} on {name}: {best.rounds} rounds, relative epsilon at most "
        f"{best.relative_epsilon:.1e} | - | {best.seconds:.2f} s "
        f"(processor {best.processor:.2f} s) | - |"
    ]
    for solver in solvers:
        seconds, processor, cost = central(study(name, count), solver, cap_s)
        times, ratio = f"{seconds:.1f} s", f"{seconds / best.seconds:.0f} x"
        if cost is None:
            rows.append(f"| the same | central {solver}: {times} | > {ratio} | not finished |")
            continue
        times += f" (processor {processor:.1f} s)"
        ratio += f" ({processor / best.processor:.0f} x)"
        gap = f"cost {(best.cost - cost) / abs(cost):+.1e}"
        rows.append(f"| the same | central {solver}: {times} | {ratio} | {gap} |")
    return rows


def growth(counts: tuple[int, ...]) -> list[str]:
    """Rows: time per round and rounds by size, and the exponent of growth."""
    runs = [negotiate(study("district", count)) for count in counts]
    rounds = ", ".join(f"{count:,}: {run.rounds}" for count, run in zip(counts, runs, strict=True))
    times = ", ".join(
        f"{count:,}: {1e3 * run.round_seconds:.1f} ms"
        for count, run in zip(counts, runs, strict=True)
    )
    exponent = np.polyfit(np.log(counts), np.log([run.round_seconds for run in runs]), 1)[0]
    last = runs[-1]
    kernel = last.state_bytes
    memory = last.model.rules.memory
    with_memory = 24 * (8 + 2 * 4 * memory)  # a target in double, two memories in single precision
    return [
        f"| time per round | {times} | exponent {exponent:.2f} | - |",
        f"| rounds | {rounds} | - | - |",
        f"| market of {counts[-1]:,}, end to end after import | - | {last.seconds:.1f} s "
        f"(processor {last.processor:.1f} s) | relative epsilon {last.relative_epsilon:.1e} |",
        f"| kernel and market state of a building | {kernel + 24 * 8:.0f} bytes without "
        f"acceleration | {kernel + with_memory:.0f} bytes with {memory} rounds kept | - |",
    ]


def messages(count: int = 100_000, columns: int = 20) -> str:
    """Row: messages delivered per second over links with latency, jitter and loss."""
    addresses = np.arange(1, count + 1)
    full = np.full(count, 0.05)
    network = MessageNetwork(Links(np.zeros_like(addresses), addresses, full, full, full), seed=1)
    fields = {"quantity": np.zeros((count, 24))}
    start = time.perf_counter()
    for _ in range(columns):
        network.send(Messages("offer", TRADING, addresses, np.zeros_like(addresses), fields, full))
        network.deliver()
    rate = count * columns / (time.perf_counter() - start)
    return (
        f"| messages delivered, latency, jitter and loss of 5 % on | - | {rate:,.0f} a second | - |"
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--largest", type=int, default=100_000)
    options.add_argument("--cap", type=float, default=120.0, help="of a central solver [s]")
    chosen = options.parse_args()
    negotiate(study("district", 100))
    print("| work | against | measured | note |\n|---|---|---|---|")
    for name, count, solvers in (
        ("district", 1_000, ("Clarabel", "PIQP")),
        ("district33", 1_000, ("Clarabel",)),
        ("district", 10_000, ("PIQP",)),
    ):
        for row in compare(name, count, solvers, chosen.cap):
            print(row, flush=True)
    counts = tuple(count for count in (1_000, 3_000, 10_000, 30_000) if count < chosen.largest)
    for row in growth((*counts, chosen.largest)):
        print(row, flush=True)
    print(messages(), flush=True)


if __name__ == "__main__":
    main()
