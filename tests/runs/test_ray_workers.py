"""Workers on Ray: the same answer as in one process, though workers die on the way."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nashgrid.market.topics import MONEY, TRADING, UTILITY_ONLY
from nashgrid.runs.command_line import app
from nashgrid.runs.inputs import with_values
from nashgrid.runs.model import exchange_rules
from nashgrid.runs.population_size import with_population
from nashgrid.runs.ray_workers import MOST_RESTARTS, RayCrew, RayWorker
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.shard_office import ShardTask
from nashgrid.runs.shard_workers import LocalCrew
from nashgrid.runs.sharded_model import ShardedModel

ray = pytest.importorskip("ray")
TOPICS = (UTILITY_ONLY, TRADING, MONEY)


@pytest.fixture(scope="module")
def crew() -> Iterator[RayCrew]:
    with RayCrew(2) as both:
        yield both


def negotiated(model: ShardedModel) -> ShardedModel:
    while model.running:
        model.step()
    return model


def kill(worker: RayWorker) -> None:
    """End a worker, and wait until it has ended: Ray may let it answer for a moment more."""
    ray.kill(worker.actor)
    try:
        while True:
            ray.get(worker.actor.__ray_ready__.remote())
    except ray.exceptions.RayActorError:
        return


def test_workers_that_die_are_replaced_and_nothing_changes(crew: RayCrew) -> None:
    scenario = with_values(with_population(load_scenario("district33"), 80))
    alone = negotiated(ShardedModel(scenario, TOPICS, 1, LocalCrew(2)))
    model = ShardedModel(scenario, TOPICS, 1, crew)
    first, second = (shard.worker for shard in model.shards)
    assert isinstance(first, RayWorker)
    assert isinstance(second, RayWorker)
    for _ in range(40):
        model.step()
    kill(first)
    negotiated(model)
    for case in TOPICS[:2]:
        np.testing.assert_array_equal(
            model.counterparty.price(case), alone.counterparty.price(case)
        )
        np.testing.assert_array_equal(model.trade_kw(case), alone.trade_kw(case))
        np.testing.assert_array_equal(model.cost(case), alone.cost(case))
    assert (first.restarts, second.restarts) == (1, 0)
    kill(second)  # between the questions too
    np.testing.assert_array_equal(model.bargained(), alone.bargained())
    assert model.post.network.traffic == alone.post.network.traffic
    assert (first.restarts, second.restarts) == (1, 1)
    # What a shard refuses is said as in one process.
    price = np.zeros((1, 24 * len(model.outlines[0].places)))
    with pytest.raises(ValueError, match="message kind 'gossip'"):
        first.ask("hear", "gossip", TRADING, {"price": price}, 0.0).get()
    first.restarts = MOST_RESTARTS
    kill(first)
    with pytest.raises(RuntimeError, match="the worker of buildings 1 to 40 died 6 times"):
        first.ask("outline").get()


def test_what_keeps_a_shard_from_being_made_is_said(crew: RayCrew) -> None:
    crew.dismiss()
    scenario = load_scenario("duet")
    task = ShardTask(scenario, 1, exchange_rules(scenario), (0, 1), 1, {})
    with pytest.raises(ValueError, match="a shard needs a scenario with a population"):
        crew.start(task).ask("outline").get()
    crew.dismiss()


def test_the_command_line_runs_with_workers(crew: RayCrew, tmp_path: Path) -> None:
    crew.dismiss()
    words = ["run", "--population", "60", "--workers", "ray", "--worker-count", "2"]
    words += ["--market", "competitive", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0
    assert "certified: all" in found.output
    summary = json.loads((tmp_path / "run" / "outcome.json").read_text())["summary"]
    assert summary["workers"] == 2
    assert summary["messages"]["trading/enrolment"]["messages"] == 61


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--workers", "dask"), "workers = 'dask' is not known; there is: ray"),
        (("--worker-count", "2"), "--worker-count needs --workers ray"),
    ],
)
def test_bad_workers_are_named(words: tuple[str, ...], message: str) -> None:
    found = CliRunner().invoke(app, ["run", "--population", "60", *words])
    assert isinstance(found.exception, ValueError)
    assert message in str(found.exception)


def test_a_crew_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="worker count = 0 must be at least 1"):
        RayCrew(0)
