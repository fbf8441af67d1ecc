"""Loss, latency and jitter move the clock and the count of transmissions, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate

# Of the rounds all but the clock, of the messages all but times and attempts.
TABLES = ("prices", "trades", "schedules", "accounts", "settlement")


def run(name: str, seed: int = 1, **messages: float) -> Outcome:
    scenario = load_scenario(name)
    entry = scenario.messages.model_copy(update=messages)
    return simulate(scenario.model_copy(update={"messages": entry}), seed=seed)


@pytest.fixture(scope="module", params=["duet", "village"])
def faultless(request: pytest.FixtureRequest) -> Outcome:
    return run(request.param)


def content(outcome: Outcome) -> list[str]:
    """What the messages said, all digits of it; the order of arrival is the network's."""
    table = outcome.messages.drop_columns(["sent_s", "arrived_s", "attempts"])
    return sorted(repr(row) for row in table.to_pylist())


@pytest.mark.parametrize(
    "faults",
    [
        {"loss": 0.1},
        {"loss": 0.3},
        {"jitter_s": 0.5},
        {"loss": 0.3, "jitter_s": 0.05, "latency_s": 0.2},
    ],
    ids=str,
)
def test_outcome_is_bit_identical(faultless: Outcome, faults: dict[str, float]) -> None:
    outcome = run(faultless.scenario.name, **faults)
    for table in TABLES:
        pd.testing.assert_frame_equal(
            getattr(outcome, table), getattr(faultless, table), check_exact=True
        )
    pd.testing.assert_frame_equal(
        outcome.rounds.drop(columns="clock_s"),
        faultless.rounds.drop(columns="clock_s"),
        check_exact=True,
    )
    assert content(outcome) == content(faultless)
    assert outcome.certificate == faultless.certificate
    # The clock, and with losses the transmissions, did change.
    assert outcome.summary["simulated_seconds"] > faultless.summary["simulated_seconds"]
    attempts = [o.messages.column("attempts").to_numpy() for o in (faultless, outcome)]
    assert attempts[0].max() == 1
    assert (attempts[1].max() > 1) == ("loss" in faults)


def test_another_seed_gives_other_faults_and_the_same_outcome() -> None:
    one, same, other = (run("duet", seed, loss=0.3) for seed in (1, 1, 2))
    assert one.messages.equals(same.messages)
    assert not one.messages.equals(other.messages)
    pd.testing.assert_frame_equal(one.settlement, other.settlement)
    pd.testing.assert_frame_equal(one.rounds, same.rounds)


def test_loss_costs_what_the_geometric_distribution_says() -> None:
    outcome = run("village", loss=0.3)
    attempts = outcome.messages.column("attempts").to_numpy()
    # A resending ends when data and acknowledgement came through: mean 1 / .7^2, within four
    # standard errors.
    success = 0.7**2
    error = np.sqrt((1 - success) / success**2 / len(attempts))
    assert attempts.mean() == pytest.approx(1 / success, abs=4 * error)
