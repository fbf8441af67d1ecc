"""One run: the duet by hand, the same seed twice, a bad network, and runs that cannot end well."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.model import TradingModel
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.run_folder import TABLES
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate

SUNNY, SHADY = "Sunny house", "Shady house"
MONEY = 2e-6  # Payments are whole micro-units.


def accounts(outcome: Outcome) -> pd.DataFrame:
    return outcome.accounts.set_index("agent")


def of(outcome: Outcome, table: str, case: str, agent: str, column: str) -> np.ndarray:
    rows = getattr(outcome, table)
    rows = rows[(rows["case"] == case) & (rows["agent"] == agent)]
    return np.asarray(rows[column].dropna().to_numpy(float))


@pytest.fixture(scope="module")
def duet_runs() -> dict[str, Outcome]:
    """The duet in every market, to the tolerance of studies."""
    scenario = load_scenario("duet")
    strict = scenario.negotiation.model_copy(update={"tolerance": 1e-6})
    scenario = scenario.model_copy(update={"negotiation": strict})
    markets = ("nash-bargaining", "competitive", "two-part", "utility-only")
    return {market: simulate(scenario, market) for market in markets}


def test_everybody_alone(duet_runs: dict[str, Outcome]) -> None:
    """Sunny: loads 1 kW, sun 0, 3, 4, 0 kW: buys 2 kWh at .30, sells 5 kWh at .10: .60 - .50.

    Shady: 7 kWh of load and 1 kWh in its preferred hour, all at .30: 2.40.
    """
    for outcome in duet_runs.values():
        before = accounts(outcome)["cost_before"]
        assert before[SUNNY] == pytest.approx(0.10, abs=1e-6)
        assert before[SHADY] == pytest.approx(2.40, abs=1e-6)
        assert before["utility"] == pytest.approx(-2.50, abs=1e-6)
        alone = of(outcome, "trades", "utility-only", SUNNY, "trade_kw")
        np.testing.assert_allclose(alone, [1, -2, -3, 1], atol=1e-4)
        alone = of(outcome, "trades", "utility-only", SHADY, "trade_kw")
        np.testing.assert_allclose(alone, [2.5, 2.5, 1, 2], atol=1e-4)


@pytest.mark.parametrize("market", ["nash-bargaining", "competitive", "two-part"])
def test_together(duet_runs: dict[str, Outcome], market: str) -> None:
    """Slots 0, 1 and 3 buy from the utility (.30), slot 2 sells to it (.10).

    Moving Shady's hour from slot 0 to slot 2 saves .20 and costs .02 (1 + 1) of discomfort; half
    way the next bit costs .08 a kWh at most, so all of it moves.
    """
    outcome = duet_runs[market]
    price = outcome.prices[outcome.prices["case"] == "trading"]["price_per_kwh"]
    np.testing.assert_allclose(price, [0.3, 0.3, 0.1, 0.3], atol=1e-6)
    sunny = of(outcome, "trades", "trading", SUNNY, "trade_kw")
    shady = of(outcome, "trades", "trading", SHADY, "trade_kw")
    utility = of(outcome, "trades", "trading", "utility", "trade_kw")
    np.testing.assert_allclose(sunny, [1, -2, -3, 1], atol=1e-6)
    np.testing.assert_allclose(shady, [1.5, 2.5, 2, 2], atol=1e-6)
    np.testing.assert_allclose(utility, [-2.5, -0.5, 1, -3], atol=1e-6)
    shifted = of(outcome, "schedules", "trading", SHADY, "shiftable_kw")
    np.testing.assert_allclose(shifted, [0, 0, 1, 0], atol=1e-6)
    curtailed = of(outcome, "schedules", "trading", SUNNY, "curtailed_kw")
    np.testing.assert_allclose(curtailed, 0, atol=1e-6)
    assert accounts(outcome).loc[SHADY, "own_cost"] == pytest.approx(0.04, abs=1e-6)
    # Cost 2.50 before; after: 6 kWh at .30, less 1 kWh at .10, and .04. The surplus is .76.
    welfare = outcome.certificate["welfare"]["trading"]
    assert welfare["total_cost"] == pytest.approx(1.74, abs=1e-6)
    assert welfare["central_cost"] == pytest.approx(1.74, abs=1e-6)
    assert outcome.certified


def test_the_savings_are_shared_equally(duet_runs: dict[str, Outcome]) -> None:
    """Half of .76 each: Sunny pays .10 - .38, Shady 2.40 - .38 less its discomfort of .04."""
    outcome = duet_runs["nash-bargaining"]
    table = accounts(outcome)
    assert table["payment"][SUNNY] == pytest.approx(-0.28, abs=MONEY)
    assert table["payment"][SHADY] == pytest.approx(1.98, abs=MONEY)
    assert table["payment"]["utility"] == pytest.approx(-1.70, abs=MONEY)
    assert table["saving"][[SUNNY, SHADY]].tolist() == pytest.approx([0.38, 0.38], abs=MONEY)
    assert outcome.summary["saving"] == pytest.approx(0.76, abs=MONEY)
    assert outcome.summary["utility_receipts_before"] == pytest.approx(2.50, abs=MONEY)
    assert outcome.summary["utility_receipts_after"] == pytest.approx(1.70, abs=MONEY)


def test_the_clearing_price_alone(duet_runs: dict[str, Outcome]) -> None:
    """Sunny: .30 (1 - 2 + 1) - .10 x 3 = -.30; Shady: .30 (1.5 + 2.5 + 2) + .10 x 2 = 2.00.

    The utility gets the rest, 1.70: its own price for what it delivers.
    """
    table = accounts(duet_runs["competitive"])
    assert table["payment"].tolist() == pytest.approx([-0.30, 2.00, -1.70], abs=MONEY)
    assert table["saving"].tolist()[:2] == pytest.approx([0.40, 0.36], abs=MONEY)


def test_two_parts(duet_runs: dict[str, Outcome]) -> None:
    """Sunny's schedule stays, so its bill stays .10; Shady pays 2.40 - .30 + .10 = 2.20.

    Of the surplus Shady gains 2.40 - 2.20 - .04 = .16, Sunny nothing; .60 is the utility's as
    the counterparty: it collects 2.30 for what is worth 1.70 at its own prices.
    """
    table = accounts(duet_runs["two-part"])
    assert table["payment"].tolist() == pytest.approx([0.10, 2.20, -2.30], abs=MONEY)
    assert table["saving"].tolist()[:2] == pytest.approx([0.0, 0.16], abs=MONEY)


def test_without_a_market_nothing_is_saved(duet_runs: dict[str, Outcome]) -> None:
    outcome = duet_runs["utility-only"]
    table = accounts(outcome)
    assert table["payment"].tolist() == pytest.approx([0.10, 2.40, -2.50], abs=MONEY)
    assert table["saving"].tolist() == pytest.approx([0.0] * 3, abs=MONEY)
    assert set(outcome.trades["case"]) == {"utility-only"}
    assert set(outcome.rounds["topic"]) == {"utility-only"}


def test_weights_share_the_savings(duet: dict[str, Any]) -> None:
    content = copy.deepcopy(duet)
    content["buildings"][0]["bargaining_weight"] = 3.0
    table = accounts(simulate(Scenario.model_validate(content)))
    assert table["saving"].tolist()[:2] == pytest.approx([0.57, 0.19], abs=1e-5)


def test_an_operator_with_a_weight_gets_its_share(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    content = {**trio, "bargaining": {"operator_weight": 1.0}}
    outcome = simulate(load_scenario(write(tmp_path, content)))
    saving = accounts(outcome)["saving"]
    assert outcome.certified
    players = saving[[SUNNY, SHADY, "Shed", "operator"]]
    assert players["operator"] > 0.1
    np.testing.assert_allclose(players[:3], players[:3].mean(), atol=1e-5)
    # The operator's own payments upstream are for whole watt-hours: 4 slots of energy and losses.
    assert players["operator"] == pytest.approx(players[SUNNY], abs=4 * 2 * 0.5e-3 * 0.30)


def written(outcome: Outcome, folder: Path) -> dict[str, bytes]:
    outcome.save(folder)
    names = [*(f"{table}.csv" for table in TABLES), "outcome.json", "scenario.toml"]
    return {name: (folder / name).read_bytes() for name in names}


def test_one_seed_one_outcome_to_the_byte(tmp_path: Path, duet: dict[str, Any]) -> None:
    content = {**duet, "messages": {"loss": 0.2, "jitter_s": 0.05}}
    scenario = Scenario.model_validate(content)
    one, two = (simulate(scenario, seed=3) for _ in range(2))
    assert one.messages.equals(two.messages)
    assert written(one, tmp_path / "one") == written(two, tmp_path / "two")


def test_a_bad_network_and_another_seed_move_nothing_but_clocks_and_attempts(
    duet: dict[str, Any],
) -> None:
    network = {"loss": 0.3, "jitter_s": 0.1}
    runs = [
        simulate(Scenario.model_validate(duet), seed=1),
        simulate(Scenario.model_validate({**duet, "messages": network}), seed=1),
        simulate(Scenario.model_validate({**duet, "messages": network}), seed=2),
    ]
    clocks = [outcome.summary["simulated_seconds"] for outcome in runs]
    assert clocks[0] < min(clocks[1:])
    assert clocks[1] != clocks[2]
    for other in runs[1:]:
        for table in TABLES:
            ours, theirs = getattr(runs[0], table), getattr(other, table)
            if table == "rounds":
                ours, theirs = ours.drop(columns="clock_s"), theirs.drop(columns="clock_s")
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
        assert other.certificate == runs[0].certificate
        # Messages may arrive, and so be answered, in another order; what is said is the same.
        kept = ["model_step", "topic", "kind", "sender", "receiver", "price", "quantity"]
        ours, theirs = (
            outcome.messages.select(kept).to_pandas().sort_values(kept[:5], ignore_index=True)
            for outcome in (runs[0], other)
        )
        pd.testing.assert_frame_equal(ours[kept[:5]], theirs[kept[:5]])
        for name in kept[5:]:
            pairs = zip(ours[name], theirs[name], strict=True)
            assert all(np.array_equal(one, two) for one, two in pairs)


def test_the_log_of_messages_tells_the_step_of_each(duet_runs: dict[str, Outcome]) -> None:
    outcome = duet_runs["nash-bargaining"]
    quotes = outcome.messages.select(["model_step", "topic", "kind", "step"]).to_pandas()
    quotes = quotes[quotes["kind"] == "quote"]
    # Three receivers a round; a step of the model is a round, and rho is a field of the quote.
    told = quotes.groupby("model_step").size()
    assert told.index.tolist() == list(range(1, len(outcome.rounds) + 1))
    assert (told == 3).all()
    assert all(len(rho) == 1 and rho[0] > 0 for rho in quotes["step"])


def test_every_round_is_shown_and_may_be_the_last() -> None:
    seen: list[int] = []

    def interrupt(model: TradingModel) -> None:
        seen.append(model.datacollector.model_vars["round"][-1])
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(load_scenario("duet"), on_round=interrupt)
    assert seen == [1, 2, 3]


def test_a_negotiation_that_does_not_converge_says_so(duet: dict[str, Any]) -> None:
    content = {**duet, "negotiation": {"maximum_rounds": 3}}
    outcome = simulate(Scenario.model_validate(content))
    assert not outcome.certified
    claims = outcome.certificate["claims"]
    assert not claims["converged: trading"]["holds"]
    assert "after 3 rounds" in claims["converged: trading"]["words"]
    # What was agreed so far still balances and sums to zero.
    assert claims["trading: energy balance"]["holds"]
    assert claims["budget"]["holds"]


def test_load_may_go_unserved_at_a_price(duet: dict[str, Any]) -> None:
    content = copy.deepcopy(duet)
    content["buildings"][0]["loads"] = [{"values": [1.0, 1.0, 1.0, 13.0], "unit": "kw"}]
    with pytest.raises(ValueError, match=r"Sunny house.*10 kW in slot 3: at least 3 kW too much"):
        simulate(Scenario.model_validate(content))
    outcome = simulate(Scenario.model_validate({**content, "unserved_load_price_per_kwh": 2.0}))
    assert outcome.certified
    unserved = of(outcome, "schedules", "trading", SUNNY, "unserved_kw")
    np.testing.assert_allclose(unserved, [0, 0, 0, 3], atol=1e-5)
    assert accounts(outcome).loc[SUNNY, "own_cost"] == pytest.approx(6.0, abs=1e-4)


def test_an_unknown_market_is_refused() -> None:
    with pytest.raises(ValueError, match="no market 'fair'; the markets are nash-bargaining"):
        simulate(load_scenario("duet"), "fair")


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_named(seed: int) -> None:
    with pytest.raises(ValueError, match=rf"seed = {seed} must be at least 0 and below 2\^63"):
        simulate(load_scenario("duet"), seed=seed)


def test_the_largest_seed_serves_a_lossy_network() -> None:
    scenario = load_scenario("duet")
    lossy = scenario.messages.model_copy(update={"loss": 0.1})
    assert simulate(scenario.model_copy(update={"messages": lossy}), seed=2**63 - 1).certified
