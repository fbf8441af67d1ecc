"""Communities with managers: by hand, against the flat market, and stated level by level."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest

import nashgrid as ng
from nashgrid.agents.local_problem import LocalProblem
from nashgrid.runs import inputs
from nashgrid.runs.assembly import connection
from nashgrid.runs.model import TradingModel
from nashgrid.runs.scenario import Scenario

FEES = {"inside_fee_per_kwh": 0.01, "between_fee_per_kwh": 0.02, "rest_fee_per_kwh": 0.05}
NO_FEES = dict.fromkeys(FEES, 0.0)


def house(name: str, community: str, load_kw: float, pv_kw: float = 0.0) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name,
        "community": community,
        "connection_kw": 10.0,
        "loads": [{"values": [load_kw], "unit": "kw"}],
    }
    if pv_kw:
        entry["pv"] = [{"values": [pv_kw], "unit": "kw", "rating_kw": 10.0}]
    return entry


def one_slot(**more: Any) -> Scenario:
    """Sun has 6 kW, and needs 1 + 1; Shade needs 2."""
    return Scenario.model_validate(
        {
            "name": "one slot",
            "horizon": {"start": "2016-06-23T12:00:00", "slots": 1},
            "utility": {
                "exchange_limit_kw": 50.0,
                "tariff": [
                    {
                        "start": "00:00:00",
                        "retail_price_per_kwh": 0.30,
                        "feed_in_price_per_kwh": 0.10,
                    }
                ],
            },
            "buildings": [
                house("roof", "Sun", 1.0, 6.0),
                house("neighbour", "Sun", 1.0),
                house("other", "Shade", 2.0),
            ],
            "levels": FEES,
        }
        | more
    )


def held(scenario: Scenario, tolerance: float = 1e-4) -> Scenario:
    negotiation = scenario.negotiation.model_copy(update={"tolerance": tolerance})
    return scenario.model_copy(update={"negotiation": negotiation})


@pytest.fixture(scope="module")
def by_hand() -> Any:
    return ng.simulate(held(one_slot(), 1e-6), market="competitive", seed=1)


def test_two_communities_and_one_slot_by_hand(by_hand: Any) -> None:
    # Sun: 5 kW to give, 1 to its neighbour, 2 to Shade, 2 to the utility at .10, the fee of the
    # rest less: .05 at the meter. The neighbour pays two fees inside more, .07; Shade two fees
    # between, .09. A manager's price lies the fee inside from its member's.
    levels = by_hand.levels.set_index("community")
    expected = {"inside_kw": [1, 0], "residual_kw": [-4, 2], "between_kw": [-2, 2]}
    for name, values in (expected | {"rest_kw": [-2, 0]}).items():
        np.testing.assert_allclose(levels.loc[["Sun", "Shade"], name], values, atol=1e-5)
    price = by_hand.community_prices.set_index("community")["price_per_kwh"]
    np.testing.assert_allclose(price[["Sun", "Shade"]], [0.06, 0.08], atol=1e-6)
    np.testing.assert_allclose(levels["premium_per_kwh"], -0.03, atol=1e-6)
    paid = by_hand.accounts.set_index("agent")["payment"]
    agents = ["roof", "neighbour", "other", "manager of Sun", "manager of Shade"]
    np.testing.assert_allclose(paid[agents], [-0.25, 0.07, 0.18, 0.0, 0.0], atol=5e-6)
    # The utility pays for 2 kWh and receives .02 inside, .08 between and .10 of the rest.
    assert paid["utility"] == pytest.approx(0.20 - 0.20, abs=5e-6)
    fees = by_hand.settlement.groupby("item", observed=True)["amount_nano"].sum() / 1e9
    assert fees["fee inside the community"] == pytest.approx(0.08, abs=1e-6)
    assert fees["fee between communities"] == pytest.approx(0.04, abs=1e-6)
    assert fees["fee of the rest"] == pytest.approx(0.08, abs=1e-6)
    assert by_hand.accounts["payment_micro"].sum() == 0


def test_the_outcome_by_hand_is_certified_and_verified(by_hand: Any, tmp_path: Path) -> None:
    assert by_hand.certified
    assert {"trading: managers", "trading: welfare"} <= set(by_hand.certificate["claims"])
    kinds = set(by_hand.messages.select(["kind"]).to_pandas()["kind"])
    assert {"enrolment sums", "left over", "remainder"} <= kinds
    folder = by_hand.save(tmp_path / "run")
    assert ng.verify(folder).failures == ()
    for name, column in (("levels.csv", "between_kw"), ("community_prices.csv", "price_per_kwh")):
        table = pd.read_csv(folder / name)
        table.loc[0, column] += 0.01
        table.to_csv(folder / name, index=False)
        assert len(ng.verify(folder).failures) > 1


def test_trades_by_level_are_those_that_were_agreed(by_hand: Any) -> None:
    table = ng.trades_by_level(by_hand)
    table = table[table["case"] == "trading"].groupby("community")
    between = by_hand.levels.groupby("community")["between_kw"].sum()
    np.testing.assert_allclose(table["between_wh"].sum() / 1000, between, atol=1e-3)
    assert table["fee"].sum().sum() == pytest.approx(0.20, abs=1e-6)


@pytest.mark.parametrize("market", ["nash-bargaining", "utility-only"])
def test_other_markets_with_managers(market: str, tmp_path: Path) -> None:
    outcome = ng.simulate(one_slot(), market=market, seed=1)
    assert outcome.certified
    assert outcome.accounts["payment_micro"].sum() == 0
    assert ng.verify(outcome.save(tmp_path / market)).failures == ()
    if market == "nash-bargaining":
        saving = outcome.accounts.set_index("agent")["saving"]
        # Alone .05 x 5 earned, .35 and .70 paid; together all fees and the utility come to 0.
        np.testing.assert_allclose(saving[["roof", "neighbour", "other"]], 0.8 / 3, atol=1e-5)
        np.testing.assert_allclose(saving[["manager of Sun", "manager of Shade"]], 0, atol=1e-6)


def test_without_fees_it_is_the_flat_market() -> None:
    village = held(ng.form_communities(ng.load_scenario("village"), 3).scenario, 1e-8)
    flat = negotiated(village)
    levels = negotiated(Scenario.model_validate(village.model_dump() | {"levels": NO_FEES}))
    np.testing.assert_allclose(levels.trade_kw("trading"), flat.trade_kw("trading"), atol=2e-6)
    price = flat.counterparty.price("trading")
    np.testing.assert_allclose(levels.counterparty.price("trading"), price, atol=1e-6)
    for manager in levels.managers:
        np.testing.assert_allclose(manager.inside_price("trading")[0], price[:, 0], atol=1e-6)
    assert total_cost(levels) == pytest.approx(total_cost(flat), rel=1e-8)


def negotiated(scenario: Scenario) -> TradingModel:
    model = TradingModel(scenario, ("utility-only", "trading"), 1)
    while model.running:
        model.step()
    assert model.coordinators["trading"].exchange.converged
    return model


def total_cost(model: TradingModel) -> float:
    managers = sum(one.cost("trading") for one in model.managers)
    return float(model.cost("trading").sum()) + managers + model.counterparty.cost("trading")


def test_with_fees_it_is_the_optimum_of_trades_stated_level_by_level() -> None:
    village = held(ng.form_communities(ng.load_scenario("village"), 3).scenario, 1e-6)
    scenario = Scenario.model_validate(village.model_dump() | {"levels": FEES})
    model = negotiated(scenario)
    cost, trades = stated_level_by_level(scenario)
    assert total_cost(model) == pytest.approx(cost, rel=1e-6)
    np.testing.assert_allclose(model.trade_kw("trading"), trades, atol=2e-3)


def stated_level_by_level(scenario: Scenario) -> tuple[float, Any]:
    """Every member has a trade of its own on each level, and pays the fee of each."""
    slots, hours, tariff = scenario.horizon.slots, 1.0, inputs.tariff(scenario)
    inside: dict[str, list[cp.Expression]] = {}
    between, trades, constraints, cost = [], [], [], cp.Constant(0.0)
    rest = cp.Constant(np.zeros(slots))
    for entry in scenario.agents:
        problem = LocalProblem(
            entry.name,
            inputs.devices(entry, scenario),
            inputs.horizon(scenario),
            connection(entry, scenario).limit_kw,
        )
        problem.price.value = np.zeros(slots)
        constraints += problem.statement.constraints
        cost += problem.statement.objective.expr
        trades.append(problem.trade)
        if entry not in scenario.buildings:
            rest += problem.trade
            continue
        levels = [cp.Variable(slots) for _ in range(3)]
        constraints.append(problem.trade == sum(levels))
        cost += sum(fee * cp.norm1(part) for fee, part in zip(FEES.values(), levels, strict=True))
        inside.setdefault(entry.community, []).append(levels[0])
        between.append(levels[1])
        rest += levels[2]
    constraints += [sum(parts) == 0 for parts in (*inside.values(), between)]
    constraints.append(cp.abs(rest) <= scenario.utility.exchange_limit_kw)
    bought, sold = tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh
    cost += hours * cp.sum(cp.maximum(cp.multiply(bought, rest), cp.multiply(sold, rest)))
    whole = cp.Problem(cp.Minimize(cost), constraints)
    whole.solve(solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-10, tol_feas=1e-10)
    return float(whole.value), np.array([trade.value for trade in trades])


def test_locational_prices_and_levels_hold_together_on_a_feeder(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    content = copy.deepcopy(trio) | {"levels": FEES}
    for entry, community in zip(content["buildings"], ("Sun", "Shade"), strict=True):
        entry["community"] = community
    outcome = ng.simulate(ng.load_scenario(write(tmp_path, content)), "competitive", seed=1)
    assert outcome.certified
    assert ng.verify(outcome.save(tmp_path / "run")).failures == ()
    assert_prices_lie_a_fee_apart(outcome)


def assert_prices_lie_a_fee_apart(outcome: Any) -> None:
    """Every community's prices differ from those of its places by one premium, within the fees."""
    prices = outcome.prices[outcome.prices["case"] == "trading"]
    both = outcome.community_prices.merge(prices, on=["bus", "slot"], suffixes=("", "_there"))
    both["premium"] = both["price_per_kwh"] - both["price_per_kwh_there"]
    by_slot = both.groupby(["community", "slot"])["premium"]
    assert (by_slot.max() - by_slot.min()).max() < 1e-3
    assert both["premium"].abs().max() < 0.04 + 1e-3
    levels = outcome.levels.set_index(["community", "slot"])
    bound = levels["rest_kw"].abs() > 0.5
    met = by_slot.mean()[bound] - 0.04 * np.sign(levels.loc[bound, "rest_kw"])
    assert met.abs().max() < 1e-3
    matched = levels[levels["between_kw"].abs() > 0.5]
    assert len(matched) > 0
    apart = by_slot.mean()[matched.index] - matched["premium_per_kwh"]
    assert (apart - 0.01 * np.sign(matched["between_kw"])).abs().max() < 1e-3


def test_a_feeder_with_four_communities_is_certified() -> None:
    campus = ng.load_scenario("campus33-export")
    coarse = campus.horizon.model_copy(update={"slots": 12, "slot_minutes": 120})
    changed = campus.model_dump() | {"levels": FEES, "horizon": coarse.model_dump()}
    outcome = ng.simulate(Scenario.model_validate(changed), "competitive", seed=1)
    assert outcome.certified
    assert_prices_lie_a_fee_apart(outcome)
    assert len(outcome.levels) == 4 * 12


def test_what_levels_refuse() -> None:
    with pytest.raises(ValueError, match="must not fall from level to level"):
        one_slot(levels={"inside_fee_per_kwh": 0.1})
    with pytest.raises(ValueError, match="no agent may be named 'manager of Sun'"):
        one_slot(buildings=[house("manager of Sun", "Sun", 1.0)])
    battery = {"name": "Shed", "capacity_kwh": 4.0, "power_kw": 1.5}
    with pytest.raises(ValueError, match="communities are of buildings"):
        one_slot(buildings=[], community_batteries=[battery])
    with pytest.raises(ValueError, match=r"market two-part: its rule knows no communities"):
        ng.simulate(one_slot(), market="two-part")
    with pytest.raises(ValueError, match="its rule knows no communities"):
        ng.play(one_slot(), "cournot")
    with pytest.raises(ValueError, match="knows no communities"):
        ng.stackelberg(one_slot())
    district = ng.load_scenario("district").model_dump()
    with pytest.raises(ValueError, match="are stated, not a population"):
        Scenario.model_validate(district | {"levels": FEES})
