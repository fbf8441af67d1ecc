"""Markets whose agents anticipate prices, against textbooks and against deviations by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from nashgrid.market.games import CournotGame
from nashgrid.market.topics import COURNOT, ENERGY_SHARING
from nashgrid.runs.central import central_optimum
from nashgrid.runs.influence import anticipations, bid_slope, price_curve
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires


def sellers(count: int, **generator: Any) -> Scenario:
    """Generators who sell at .5 + .05 X (X < 0), one slot of an hour."""
    usual = {"maximum_kw": 30.0, "linear_cost_per_kwh": 0.2, "quadratic_cost_per_kw2h": 1e-6}
    content = {
        "name": "sellers",
        "horizon": {"start": "2016-06-23T10:00:00", "slots": 1},
        "utility": {
            "exchange_limit_kw": 10.0,
            "tariff": [
                {
                    "start": "00:00:00",
                    "retail_price_per_kwh": 1.0,
                    "feed_in_price_per_kwh": 0.0,
                }
            ],
        },
        "negotiation": {"tolerance": 1e-6},
        "generators": [{"name": f"G{i}", **usual, **generator} for i in range(count)],
    }
    text = tomli_w.dumps(content)
    for quoted in ("2016-06-23T10:00:00", "00:00:00"):
        text = text.replace(f'"{quoted}"', quoted)
    return parse_scenario(text, "sellers.toml", Path())


def trades_kw(outcome: Outcome, case: str) -> np.ndarray:
    rows = outcome.trades[(outcome.trades["case"] == case) & (outcome.trades["community"] != "")]
    return rows.pivot(index="agent", columns="slot", values="trade_kw").to_numpy()


@pytest.mark.parametrize("firms", [1, 2, 4])
def test_the_cournot_market_is_the_textbooks_oligopoly(firms: int) -> None:
    """q = (a - c) / (b (n + 1)), welfare 1 - 1 / (n + 1)^2 of the best; Cournot 1838."""
    outcome = simulate(sellers(firms), "cournot")
    assert outcome.certified
    sold = (0.5 - 0.2) / (0.05 * (firms + 1))
    np.testing.assert_allclose(-trades_kw(outcome, COURNOT), sold, rtol=1e-4)
    welfare = outcome.certificate["welfare"][COURNOT]
    assert welfare["total_cost"] / welfare["central_cost"] == pytest.approx(
        1 - 1 / (firms + 1) ** 2, rel=1e-4
    )
    # Everybody is paid the price that the community's power makes.
    price = 0.5 - 0.05 * firms * sold
    settled = outcome.settlement[outcome.settlement["payer"] == "G0"]
    assert settled["price_micro_per_kwh"].tolist() == pytest.approx([1e6 * price], rel=1e-4)


def test_a_limit_that_binds_is_priced_the_same_for_all() -> None:
    """Four would sell 4.8 kW; no more than 3 may leave: .75 kW each, at a charge."""
    scenario = sellers(4)
    utility = scenario.utility.model_copy(update={"exchange_limit_kw": 3.0})
    influence = scenario.influence.model_copy(update={"full_price_power_kw": 10.0})
    outcome = simulate(
        scenario.model_copy(update={"utility": utility, "influence": influence}), "cournot"
    )
    assert outcome.certified
    np.testing.assert_allclose(-trades_kw(outcome, COURNOT), 0.75, rtol=1e-4)
    # c = p - b q: the price left after the charge of .5 - .15 - p.
    price = outcome.prices[outcome.prices["case"] == COURNOT]["price_per_kwh"].to_numpy()
    assert price == pytest.approx([0.2 + 0.05 * 0.75], rel=1e-4)


def different_slopes() -> Scenario:
    scenario = sellers(2)
    first, second = scenario.generators
    steep = second.model_copy(update={"price_slope_factor": 20.0, "linear_cost_per_kwh": -3.0})
    return scenario.model_copy(update={"generators": (first, steep)})


def test_different_slopes_meet_the_weighted_potential() -> None:
    scenario = different_slopes()
    wires = lay_wires(scenario)
    curve = price_curve(scenario, wires.tariff)
    slopes = curve.slope_per_kw2h * np.array([[1.0], [20.0]])
    bend = np.full((2, 1), 2e-6)
    game = CournotGame(bend, [[-0.2], [3.0]], curve.price_per_kwh, slopes, -30, 0)
    with pytest.raises(ValueError, match="not monotone"):
        game.game.variational_equilibrium()
    expected = game.equilibrium()
    assert np.abs(expected.certificate.epsilon).max() <= 1e-9
    outcome = simulate(scenario, "cournot")
    assert outcome.certified
    found = trades_kw(outcome, COURNOT)[:, 0]
    np.testing.assert_allclose(found, expected.x, atol=1e-4)
    # The minimum of the potential, found centrally, is the same point at the same price.
    known = anticipations(scenario, wires.tariff, COURNOT)
    central = central_optimum(scenario, wires, COURNOT, known)
    price = curve.at(np.array([expected.x.sum()]))
    np.testing.assert_allclose(central.price_per_kwh[:, 0], price, atol=1e-7)
    # Each pays a price of its own, and none could gain.
    settled = outcome.settlement.set_index("payer")["price_micro_per_kwh"] / 1e6
    assert settled["G0"] == pytest.approx(float(price[0]), abs=1e-4)
    assert settled["G1"] == pytest.approx(float(0.5 + 20 * (price[0] - 0.5)), abs=1e-4)
    epsilon = outcome.certificate["epsilon"][COURNOT]
    assert max(abs(epsilon[name]["epsilon"]) for name in ("G0", "G1")) <= 1e-9


def test_no_other_bid_would_have_paid() -> None:
    """Energy sharing by its definition: bids, the price that balances them, deviations."""
    scenario = sellers(3)
    costs = (0.2, 0.35, 0.5)
    generators = tuple(
        one.model_copy(update={"linear_cost_per_kwh": c, "quadratic_cost_per_kw2h": 0.01})
        for one, c in zip(scenario.generators, costs, strict=True)
    )
    entry = scenario.utility.tariff[0]
    utility = scenario.utility.model_copy(
        update={"tariff": (entry.model_copy(update={"feed_in_price_per_kwh": 0.6}),)}
    )
    scenario = scenario.model_copy(update={"generators": generators, "utility": utility})
    outcome = simulate(scenario, "energy-sharing")
    assert outcome.certified
    bought = trades_kw(outcome, ENERGY_SHARING)[:, 0]
    rows = outcome.prices[outcome.prices["case"] == ENERGY_SHARING]
    price = rows["price_per_kwh"].to_numpy()[0]
    alpha = bid_slope(scenario, lay_wires(scenario).tariff)
    assert alpha == pytest.approx(30.0)
    # The utility bids too, for what the others sell.
    bids = np.append(bought, -bought.sum()) + alpha * price
    assert bids.sum() / (alpha * 4) == pytest.approx(price)
    for agent, cost in enumerate(costs):
        others = bids.sum() - bids[agent]
        tried = bids[agent] + np.linspace(-20, 20, 4001)
        cleared = (others + tried) / (alpha * 4)
        sold = np.clip(alpha * cleared - tried, 0, 30)
        paid = 0.01 * sold**2 + cost * sold - cleared * sold
        assert paid[2000] <= paid.min() + 1e-9


def test_many_bidders_share_almost_as_well_as_can_be() -> None:
    """Chen, Mei, Zhou, Low 2019: the loss to the optimum vanishes as bidders grow in number."""

    def loss(count: int) -> float:
        rich = sellers(count, quadratic_cost_per_kw2h=0.01)
        entry = rich.utility.tariff[0]
        tariff = (entry.model_copy(update={"feed_in_price_per_kwh": 0.5}),)
        utility = rich.utility.model_copy(update={"tariff": tariff, "exchange_limit_kw": 1e4})
        outcome = simulate(rich.model_copy(update={"utility": utility}), "energy-sharing")
        welfare = outcome.certificate["welfare"][ENERGY_SHARING]
        return 1 - welfare["total_cost"] / welfare["central_cost"]

    # With kappa = 1 / (alpha n) each sells (p - c) / (2 a + kappa), where (p - c) / 2 a is best.
    for count in (1, 4, 16):
        kappa = 1 / (30 * count)
        assert loss(count) == pytest.approx((kappa / (0.02 + kappa)) ** 2, rel=1e-3)


@pytest.mark.parametrize("market", [COURNOT, ENERGY_SHARING])
def test_on_wires(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path], market: str
) -> None:
    trio = trio | {"negotiation": {"tolerance": 1e-6}}
    outcome = simulate(load_scenario(write(tmp_path, trio)), market)
    assert outcome.certified
    assert outcome.certificate["deviation"].startswith("price-anticipating")
    assert outcome.certificate["games"][market]["natural_map_kw"] <= 1e-4
    assert outcome.certificate["games"][market]["price_of_anarchy"] >= 1 - 1e-7
    assert verify(outcome.save(tmp_path / "run")).holds
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "after: trading" in report
    assert "price of anarchy" in report


def test_the_operator_passes_the_sloping_price_on(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    outcome = simulate(load_scenario(write(tmp_path, trio)), "cournot")
    upstream = outcome.settlement[outcome.settlement["item"] == "energy upstream"]
    power = upstream["energy_wh"].to_numpy(float) / 1000
    asked = upstream["price_micro_per_kwh"].to_numpy(float) / 1e6
    np.testing.assert_allclose(asked, 0.2 + 0.1 / 20 * power, atol=1e-6)


@pytest.mark.parametrize("market", [COURNOT, ENERGY_SHARING])
def test_a_population_does_not_play(market: str) -> None:
    with pytest.raises(ValueError, match="buildings of its population take prices as given"):
        simulate(load_scenario("district"), market)
