"""What generators earn, taking prices as given or knowing what their output does to them."""

import pytest

from nashgrid.market.topics import TRADING
from nashgrid.runs.generator_profits import generator_profits
from nashgrid.runs.report.generator_table import generator_table
from nashgrid.runs.scenario import GeneratorEntry, InfluenceEntry, Scenario
from nashgrid.runs.scenario_devices import LoadEntry
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.strategic_generators import strategic_generators, with_strategists

DEMAND_KW = 6.0


def single_seller() -> Scenario:
    """A house that takes 6 kW whatever it costs, and a generator that sells it what it can."""
    duet = load_scenario("duet")
    load = LoadEntry(values=(DEMAND_KW,) * 4, unit="kw")
    house = duet.buildings[0].model_copy(
        update={"loads": (load,), "pv": (), "batteries": (), "shiftable_loads": ()}
    )
    engine = GeneratorEntry(
        name="Engine", maximum_kw=20.0, linear_cost_per_kwh=0.05, quadratic_cost_per_kw2h=0.004
    )
    return duet.model_copy(
        update={
            "buildings": (house,),
            "generators": (engine,),
            "influence": InfluenceEntry(full_price_power_kw=10.0),
            "negotiation": duet.negotiation.model_copy(update={"tolerance": 1e-6}),
        }
    )


def test_a_single_seller_restricts_its_output_as_a_monopolist_does() -> None:
    """p = a + b (D - g): taking it as given g = (a + b D - beta) / (b + 2 alpha), otherwise with
    2 b in the denominator (Tirole 1988, chapter 1)."""
    study = single_seller()
    retail, feed_in = (
        getattr(study.utility.tariff[0], name)
        for name in ("retail_price_per_kwh", "feed_in_price_per_kwh")
    )
    slope, middle = (retail - feed_in) / 2 / 10.0, (retail + feed_in) / 2
    margin = middle + slope * DEMAND_KW - 0.05
    taking, knowing = margin / (slope + 0.008), margin / (2 * slope + 0.008)
    hours = study.horizon.slots * study.horizon.slot_hours

    def profit(output: float) -> float:
        price = middle + slope * (DEMAND_KW - output)
        return hours * ((price - 0.05) * output - 0.004 * output**2)

    found = strategic_generators(study).iloc[0]
    assert found["energy_kwh_taking"] == pytest.approx(hours * taking, rel=1e-5)
    assert found["energy_kwh_anticipating"] == pytest.approx(hours * knowing, rel=1e-5)
    # Settlement counts whole watt-hours and micro-units.
    assert found["profit_taking"] == pytest.approx(profit(taking), abs=2e-3)
    assert found["profit_anticipating"] == pytest.approx(profit(knowing), abs=2e-3)
    assert found["gain"] > 0


def test_revenue_is_what_the_clearing_price_pays() -> None:
    study = single_seller()
    outcome = simulate(study, "competitive")
    profits = generator_profits(study, outcome.accounts, outcome.schedules).set_index("agent")
    row = profits.loc["Engine"]
    trades = outcome.trades
    sold = -trades[(trades["case"] == TRADING) & (trades["agent"] == "Engine")]["trade_kw"]
    price = outcome.prices[outcome.prices["case"] == TRADING]["price_per_kwh"]
    paid = float((sold.to_numpy() * price.to_numpy()).sum()) * study.horizon.slot_hours
    assert row["revenue_market"] == pytest.approx(paid, abs=2e-3)
    saving = outcome.accounts.set_index("agent").loc["Engine", "saving"]
    assert row["profit_market"] - row["profit_alone"] == pytest.approx(saving, abs=1e-12)
    assert outcome.summary["generators"]["Engine"] == row.to_dict()
    assert "Engine" in generator_table(outcome)


def test_why_a_generator_runs_at_a_loss_is_told() -> None:
    study = single_seller()
    (engine,) = study.generators
    forced = engine.model_copy(update={"minimum_kw": 0.5, "linear_cost_per_kwh": 1.0})
    outcome = simulate(study.model_copy(update={"generators": (forced,)}), "competitive")
    assert "even at a loss" in generator_table(outcome)
    assert "even at a loss" not in generator_table(simulate(study, "competitive"))


def test_without_generators_nothing_is_said() -> None:
    outcome = simulate(load_scenario("duet"), "competitive")
    assert "generators" not in outcome.summary
    assert generator_table(outcome) == ""
    with pytest.raises(ValueError, match="there are no generators"):
        strategic_generators(load_scenario("duet"))


def test_who_anticipates_is_named() -> None:
    study = with_strategists(single_seller(), ["Engine"])
    assert [agent.anticipates for agent in study.agents] == [False, True]
    with pytest.raises(ValueError, match="there is no agent 'Nobody'"):
        with_strategists(study, ["Nobody"])


@pytest.mark.parametrize("market", ["cournot", "energy-sharing"])
def test_the_certificate_holds_each_to_what_it_knows(market: str) -> None:
    outcome = simulate(with_strategists(single_seller(), ["Engine"]), market)
    assert outcome.certified
