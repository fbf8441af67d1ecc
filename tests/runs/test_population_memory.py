"""The memory that a run of a population is said to need, and what happens where it is too much."""

import re
from pathlib import Path

import pytest

from nashgrid.agents.population import Population
from nashgrid.market.message_network import LONG
from nashgrid.runs import memory
from nashgrid.runs.memory import available_bytes
from nashgrid.runs.population_draw import draw
from nashgrid.runs.population_memory import (
    memory_parts,
    memory_statement,
    roster_bytes,
    table_bytes,
)
from nashgrid.runs.population_size import with_population
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


@pytest.fixture
def district() -> Scenario:
    return with_population(load_scenario("district"), 20_000)


def test_what_is_said_of_the_numbers_and_the_kernel_is_what_they_take(district: Scenario) -> None:
    assert district.population is not None
    parts = memory_parts(district.population, district)
    drawn = draw(district.population, district)
    data = table_bytes(drawn.buildings) + roster_bytes(drawn.roster)
    assert parts["data"] == pytest.approx(data, rel=0.1)
    kernel = Population(drawn.buildings, threads=1)
    assert parts["kernel"] == pytest.approx(kernel.state_bytes, rel=0.1)


def test_messages_count_where_they_are_logged(district: Scenario) -> None:
    few = with_population(load_scenario("district"), LONG)
    assert few.population is not None
    assert district.population is not None
    assert memory_parts(few.population, few)["messages"] > 10**8
    assert memory_parts(district.population, district)["messages"] == 0


def test_it_is_said_before_the_run(district: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    assert district.population is not None
    monkeypatch.setattr("nashgrid.runs.population_memory.available_bytes", lambda: 12 * 10**9)
    words = memory_statement(district.population, district)
    assert re.match(
        r"20,000 buildings, 24 slots: about 9\d\d MB of memory \(program 420 MB, data", words
    )
    assert words.endswith("available: 12 GB")
    monkeypatch.setattr("nashgrid.runs.population_memory.available_bytes", lambda: None)
    assert memory_statement(district.population, district).endswith("available: unknown")


def test_too_many_are_refused(district: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = with_population(district, 9_000_000).population
    assert entry is not None
    monkeypatch.setattr("nashgrid.runs.population_memory.available_bytes", lambda: 12 * 10**9)
    with pytest.raises(ValueError, match=r"count = 9000000 is too many here: .*available: 12 GB"):
        memory_statement(entry, district)


def test_the_container_limits_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_MEMORY_INFO", info)
    monkeypatch.setattr(memory, "_GROUP_LIMIT", limit)
    # Elsewhere than on Linux: all there is, or nothing known.
    everything = available_bytes()
    assert everything is None or everything > 10**8
    info.write_text("MemTotal:       9000 kB\nMemAvailable:    8000 kB\n")
    assert available_bytes() == 8_192_000
    limit.write_text("max\n")
    assert available_bytes() == 8_192_000
    limit.write_text("5000000\n")
    assert available_bytes() == 5_000_000


def test_a_run_that_cannot_fit_is_refused_before_anything_is_drawn(
    district: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the model was built")

    monkeypatch.setattr("nashgrid.runs.population_memory.available_bytes", lambda: 10**8)
    monkeypatch.setattr("nashgrid.runs.simulate.TradingModel", never)
    with pytest.raises(ValueError, match=r"population: count = 20000 is too many here"):
        simulate(district)
