"""Agents who answer sharing prices: fixed points, cycles, step control."""

import cvxpy as cp
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from nashgrid.market.pricing import mid_market_rate
from nashgrid.runs.central import local_problem
from nashgrid.runs.command_line import app
from nashgrid.runs.inputs import with_values
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.shifting import PRICINGS, Shifting, shift
from nashgrid.runs.shifting_table import show_shifting
from nashgrid.runs.simulate import simulate
from nashgrid.runs.wire_laying import lay_wires


@pytest.fixture(scope="module")
def village() -> Scenario:
    return load_scenario("village")


@pytest.fixture(scope="module")
def cycling(village: Scenario) -> Shifting:
    return shift(village, "mid-market-rate", control=False)


@pytest.fixture(scope="module")
def settled(village: Scenario) -> Shifting:
    return shift(village, "mid-market-rate")


@pytest.mark.parametrize("market", list(PRICINGS))
def test_the_duet_settles(market: str) -> None:
    found = shift(load_scenario("duet"), market)
    assert found.ending == "converged"
    # 0.10 and 2.40 EUR with the utility alone, by hand.
    assert found.cost_alone == pytest.approx([0.10, 2.40], abs=1e-6)
    # Weak duality: at the end nobody could gain more than the tolerance.
    assert found.gains[-1].min() > -1e-7
    assert found.gains[-1].sum() < 1e-6 * max(1.0, np.abs(found.cost).sum())
    # No schedules cost the community less than the best.
    assert found.cost.sum() >= 1.74 - 1e-6


def test_full_steps_run_after_prices_and_cycle(cycling: Shifting) -> None:
    assert cycling.ending == "cycle"
    assert cycling.period == 2
    np.testing.assert_allclose(cycling.path_kw[-1], cycling.path_kw[-3], atol=1e-3)
    assert np.abs(cycling.path_kw[-1] - cycling.path_kw[-2]).max() > 0.1
    assert (cycling.steps == 1.0).all()
    # At either point somebody would rather be elsewhere.
    assert cycling.gains[-1].sum() > 0.1


def test_step_control_makes_it_settle(settled: Shifting) -> None:
    assert settled.ending == "converged"
    assert settled.steps[-1] < 1.0
    assert (np.diff(settled.steps) <= 0).all()


def test_at_the_end_everybody_answers_its_prices(village: Scenario, settled: Shifting) -> None:
    """Each problem anew in CVXPY, at the prices of the last trades."""
    scenario = with_values(village)
    wires, hours = lay_wires(scenario), scenario.horizon.slot_hours
    energy = hours * settled.path_kw[-1]
    buy, sell = mid_market_rate(
        -energy.clip(max=0).sum(axis=0),
        energy.clip(min=0).sum(axis=0),
        wires.tariff.retail_price_per_kwh,
        wires.tariff.feed_in_price_per_kwh,
    )
    np.testing.assert_allclose(buy, settled.buy_prices_per_kwh[-1], rtol=1e-12)
    np.testing.assert_allclose(sell, settled.sell_prices_per_kwh[-1], rtol=1e-12)
    for index in range(len(scenario.agents)):
        problem = local_problem(index, scenario, wires, "trading")
        paid = hours * ((buy - sell) @ cp.pos(problem.trade) + sell @ problem.trade)
        problem.price.value = np.zeros(scenario.horizon.slots)
        best = cp.Problem(
            cp.Minimize(problem.cost + paid),
            [problem.trade == problem.consumption, *problem.constraints],
        ).solve(solver=cp.CLARABEL)
        assert best <= settled.cost[index] + 1e-6
        assert best == pytest.approx(settled.cost[index] - settled.gains[-1, index], abs=1e-5)


def test_the_first_point_is_the_utility_alone(settled: Shifting) -> None:
    alone = simulate(load_scenario("village"), "utility-only").accounts
    np.testing.assert_allclose(
        settled.cost_alone, alone["cost_after"][: len(settled.agents)], atol=2e-3
    )


def test_few_rounds_do_not_finish(village: Scenario) -> None:
    found = shift(village, "mid-market-rate", rounds=2)
    assert (found.ending, found.rounds) == ("unfinished", 2)
    assert found.path_kw.shape[0] == found.gains.shape[0] == 3


def test_the_last_round_allowed_may_be_the_one_that_settles() -> None:
    duet = load_scenario("duet")
    needed = shift(duet, "mid-market-rate").rounds
    found = shift(duet, "mid-market-rate", rounds=needed)
    assert (found.ending, found.rounds) == ("converged", needed)


def test_what_has_no_meaning_is_refused(village: Scenario) -> None:
    with pytest.raises(ValueError, match="market 'bill-sharing' has no sharing price"):
        shift(village, "bill-sharing")
    with pytest.raises(ValueError, match="campus33: agents answer sharing prices where"):
        shift(load_scenario("campus33"))
    for wrong in ({"step": 0.0}, {"step": 1.5}, {"rounds": 0}, {"tolerance": 0.0}):
        with pytest.raises(ValueError, match=r"step must lie in \(0, 1\]"):
            shift(village, **wrong)


def test_the_ending_is_named(cycling: Shifting, settled: Shifting) -> None:
    for found, words in (
        (cycling, "the same 2 points come back"),
        (cycling, "10 agents gain, 1 lose, the most 1.00 EUR\n"),
        (settled, "converged"),
        (settled, "10 agents gain, 0 lose\n"),
    ):
        console = Console(width=120, record=True, quiet=False)
        with console.capture() as capture:
            show_shifting(console, found, "EUR")
        assert words in capture.get()


def test_the_command_ends_with_1_where_it_cycles() -> None:
    ran = CliRunner().invoke(app, ["shift", "duet", "--market", "supply-demand-ratio"])
    assert ran.exit_code == 0
    assert "converged" in ran.output
    ran = CliRunner().invoke(app, ["shift", "village", "--no-control", "--rounds", "3"])
    assert ran.exit_code == 1
    assert "unfinished" in ran.output
