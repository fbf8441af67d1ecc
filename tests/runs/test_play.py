"""Markets played by best responses: they end where the negotiation does, or show why not."""

from pathlib import Path

import numpy as np
import pytest
import tomli_w
from typer.testing import CliRunner

from nashgrid.market.topics import COURNOT, ENERGY_SHARING, GAMES
from nashgrid.runs.command_line import app
from nashgrid.runs.play import MarketPlay, play
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario, scenario_toml
from nashgrid.runs.simulate import simulate

EVERY_WAY = [
    {"how": "gauss-seidel"},
    {"how": "jacobi"},
    {"how": "jacobi", "relaxation": 0.5},
    {"how": "random", "seed": 3},
    {"how": "gauss-seidel", "movers": 2},
    {"how": "gauss-seidel", "proximal": 0.01},
]


def sellers(count: int, limit_kw: float = 100.0) -> Scenario:
    """Generators who sell at .5 + .05 X (X < 0) and have next to no cost beyond .2 per kWh."""
    content = {
        "name": "sellers",
        "horizon": {"start": "START", "slots": 1},
        "utility": {
            "exchange_limit_kw": limit_kw,
            "tariff": [
                {"start": "MIDNIGHT", "retail_price_per_kwh": 1.0, "feed_in_price_per_kwh": 0.0}
            ],
        },
        "influence": {"full_price_power_kw": 10.0},
        "generators": [
            {
                "name": f"G{i}",
                "maximum_kw": 4.0,
                "linear_cost_per_kwh": 0.2,
                "quadratic_cost_per_kw2h": 1e-9,
            }
            for i in range(count)
        ],
    }
    text = tomli_w.dumps(content).replace('"START"', "2016-06-23T10:00:00")
    return parse_scenario(text.replace('"MIDNIGHT"', "00:00:00"), "sellers.toml", Path())


@pytest.mark.parametrize("market", GAMES)
@pytest.mark.parametrize("way", EVERY_WAY, ids=str)
def test_the_duet_ends_where_it_negotiates_to(market: str, way: dict[str, object]) -> None:
    scenario = load_scenario("duet")
    found = play(scenario, market, **way, rounds=500)
    if market == ENERGY_SHARING and way == {"how": "jacobi"}:
        # All bids at once overshoot, and never come back to where they were.
        assert (found.ending, found.gains) == ("unfinished", None)
        assert found.distances_kw[-100:].min() > 0.5
        return
    assert found.ending == "converged"
    outcome = simulate(
        scenario.model_copy(
            update={"negotiation": scenario.negotiation.model_copy(update={"tolerance": 1e-6})}
        ),
        market,
    )
    rows = outcome.trades[(outcome.trades["case"] == market) & (outcome.trades["community"] != "")]
    negotiated = rows["trade_kw"].to_numpy().reshape(found.trade_kw.shape)
    np.testing.assert_allclose(found.trade_kw, negotiated, atol=1e-3)
    price = outcome.prices[outcome.prices["case"] == market]["price_per_kwh"].to_numpy()
    np.testing.assert_allclose(found.prices_per_kwh[-1], price, atol=1e-4)
    assert found.gains is not None
    assert np.abs(found.gains).max() <= 1e-5


def test_players_meet_the_textbooks_oligopoly() -> None:
    """Three firms: q = (.5 - .2) / (.05 x 4) = 1.5."""
    found = play(sellers(3))
    assert found.ending == "converged"
    np.testing.assert_allclose(-found.trade_kw, 1.5, atol=1e-5)
    assert found.limit_charge_per_kwh == pytest.approx([0.0])


def test_a_shared_limit_ends_with_one_charge_for_all() -> None:
    """Four would sell 4.8 kW, but 3 may leave: .75 each; p = .2 + .05 x .75 after the charge."""
    found = play(sellers(4, limit_kw=3.0), rounds=2000)
    assert found.ending == "converged"
    np.testing.assert_allclose(-found.trade_kw, 0.75, atol=1e-5)
    assert found.prices_per_kwh[-1] == pytest.approx([0.2375], abs=1e-6)
    # Without it the price were .5 - .05 x 3.
    assert found.limit_charge_per_kwh == pytest.approx([0.2375 - 0.35], abs=1e-6)


@pytest.mark.parametrize("share", [0.9, 1.0, 1.1])
def test_the_proximal_bound_of_jacobi(share: float) -> None:
    """tau > b (n - 3) / 2, strictly; what runs away is held by the ends of its range."""
    found = play(
        sellers(7), how="jacobi", proximal=share * 0.05 * (7 - 3) / 2, rounds=600, tolerance=1e-5
    )
    if share > 1:
        assert found.ending == "converged"
        np.testing.assert_allclose(-found.trade_kw, 0.3 / 0.05 / 8, atol=1e-3)
    else:
        assert (found.ending, found.period, found.gains) == ("cycle", 2, None)
        assert np.ptp(found.path_kw[-2:], axis=0).min() > 1.0


def test_a_play_of_a_seed_is_always_the_same() -> None:
    ways = {"how": "random", "rounds": 4, "tolerance": 1e-12}
    first, again, other = (
        play(sellers(4), ENERGY_SHARING, **ways, seed=seed) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.path_kw, again.path_kw)
    assert not np.array_equal(first.path_kw, other.path_kw)


def test_a_play_that_runs_out_of_rounds_says_so() -> None:
    found = play(sellers(4), rounds=2, tolerance=1e-12)
    assert isinstance(found, MarketPlay)
    assert (found.ending, found.rounds, found.gains) == ("unfinished", 2, None)
    assert found.path_kw.shape == (3, 4, 1)
    assert found.prices_per_kwh.shape == (3, 1)
    assert found.agents == ("G0", "G1", "G2", "G3")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"market": "two-part"}, "market 'two-part' cannot be played; those that can: cournot"),
        ({"how": "chaos"}, "how must be gauss-seidel, jacobi, random; got 'chaos'"),
        ({"movers": 3}, r"movers must be in 1\.\.2, got 3"),
        ({"how": "jacobi", "movers": 2}, "jacobi moves everybody at once"),
        ({"relaxation": 1.5}, r"relaxation must lie in \(0, 1\], got 1\.5"),
        ({"proximal": -1.0}, "proximal must be a finite weight >= 0 currency/kW2h, got -1"),
        ({"rounds": 0}, "rounds must be >= 1, got 0"),
        ({"tolerance": 0.0}, "tolerance must be positive, got 0"),
    ],
)
def test_refusals(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        play(load_scenario("duet"), **options)


def test_wires_and_populations_are_refused() -> None:
    with pytest.raises(ValueError, match="campus33 has a feeder"):
        play(load_scenario("campus33"), COURNOT)
    with pytest.raises(ValueError, match="population take prices as given"):
        play(load_scenario("district"), COURNOT)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["duet"], 0, ["cournot, 2 players", "converged", "nobody could gain more than"]),
        (["duet", "--market", "energy-sharing", "--how", "jacobi", "--rounds", "14"], 1, ["still"]),
        (["duet", "--market", "energy-sharing", "--how", "jacobi", "--relaxation", ".5"], 0, []),
    ],
)
def test_the_command_shows_the_trace(arguments: list[str], code: int, words: list[str]) -> None:
    shown = CliRunner().invoke(app, ["play", *arguments])
    assert shown.exit_code == code
    for word in words:
        assert word in shown.output


def test_the_command_names_a_cycle(tmp_path: Path) -> None:
    path = tmp_path / "sellers.toml"
    path.write_text(scenario_toml(sellers(7)), encoding="utf-8")
    shown = CliRunner().invoke(app, ["play", str(path), "--how", "jacobi"])
    assert shown.exit_code == 1
    assert "cycle: the same 2 points come back for ever" in shown.output
