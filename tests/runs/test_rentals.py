"""Batteries for rent: by hand, against the market without rent, and against a statement in full."""

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
from nashgrid.runs.report.rental_section import rental_section
from nashgrid.runs.scenario import Scenario

FEES = {"inside_fee_per_kwh": 0.01, "between_fee_per_kwh": 0.02, "rest_fee_per_kwh": 0.05}


def two_slots(**more: Any) -> Scenario:
    """Cheap, then dear; a battery of 4 kWh that loses a tenth each way."""
    tariff = [
        {"start": "12:00:00", "retail_price_per_kwh": 0.10, "feed_in_price_per_kwh": 0.05},
        {"start": "13:00:00", "retail_price_per_kwh": 0.30, "feed_in_price_per_kwh": 0.05},
    ]
    houses = [
        {
            "name": name,
            "connection_kw": 20.0,
            "loads": [{"values": [load_kw, load_kw], "unit": "kw"}],
        }
        for name, load_kw in (("first", 5.0), ("second", 6.0))
    ]
    battery = {
        "name": "Shed",
        "capacity_kwh": 5.0,
        "power_kw": 10.0,
        "minimum_soc": 0.1,
        "maximum_soc": 0.9,
        "initial_soc": 0.1,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.9,
        "wear_per_kwh": 0.01,
        "full_power_wear_per_kwh": 0.0,
        "rents_to": "community",
    }
    return Scenario.model_validate(
        {
            "name": "two slots",
            "horizon": {"start": "2016-06-23T12:00:00", "slots": 2},
            "utility": {"exchange_limit_kw": 50.0, "tariff": tariff},
            "negotiation": {"tolerance": 1e-6},
            "buildings": houses,
            "community_batteries": [battery],
        }
        | more
    )


@pytest.fixture(scope="module")
def by_hand() -> Any:
    return ng.simulate(two_slots(), market="competitive", seed=1)


def test_rent_is_what_the_last_kilowatt_hour_earns(by_hand: Any, tmp_path: Path) -> None:
    assert by_hand.certified
    # To store a kWh 1/.9 is bought at .10 and wears .01 each; .9 of it is sold at .30, less wear.
    rent = 0.9 * (0.30 - 0.01) - (0.10 + 0.01) / 0.9
    rentals = by_hand.rentals.set_index("agent")
    np.testing.assert_allclose(rentals["rent_per_kwh"], rent, atol=1e-5)
    assert rentals["capacity_kwh"].sum() == pytest.approx(0.0, abs=1e-4)
    assert rentals.loc["Shed", "capacity_kwh"] <= 0
    charging = by_hand.rented_charging
    np.testing.assert_allclose(charging["price_per_kwh"], [0.10, 0.30] * 3, atol=1e-5)
    tenants = charging[charging["agent"] != "Shed"].pivot(index="agent", columns="slot")
    capacity = rentals.loc[tenants.index, "capacity_kwh"]
    np.testing.assert_allclose(tenants["charging_kw"][0], capacity / 0.9, atol=1e-3)
    np.testing.assert_allclose(tenants["charging_kw"][1], -0.9 * capacity, atol=1e-3)
    # Everybody is as well off as if the owner had used it all: 4 kWh earn the rent.
    saving = by_hand.accounts.set_index("agent")["saving"]
    assert saving["Shed"] == pytest.approx(4 * rent, abs=5e-4)
    np.testing.assert_allclose(saving[["first", "second"]], 0.0, atol=5e-4)
    assert by_hand.accounts["payment_micro"].sum() == 0
    folder = by_hand.save(tmp_path / "run")
    assert ng.verify(folder).failures == ()
    for name, column in (("rentals.csv", "capacity_kwh"), ("rented_charging.csv", "charging_kw")):
        table = pd.read_csv(folder / name)
        table.loc[0, column] += 0.01
        table.to_csv(folder / name, index=False)
        assert len(ng.verify(folder).failures) > 1


def village(levels: bool, tolerance: float = 1e-6) -> Scenario:
    content = ng.load_scenario("village").model_dump()
    content["negotiation"]["tolerance"] = tolerance
    # A building's battery instead of the community's.
    battery = content["buildings"][4]["batteries"][0]
    battery.update(rents_to="community", full_power_wear_per_kwh=0.0)
    return Scenario.model_validate(content | ({"levels": FEES} if levels else {}))


def negotiated(scenario: Scenario) -> tuple[TradingModel, float]:
    model = TradingModel(scenario, ("utility-only", "trading"), 1)
    while model.running:
        model.step()
    assert model.coordinators["trading"].exchange.converged
    managers = sum(one.cost("trading") for one in model.managers)
    own = float(model.cost("trading").sum())
    return model, own + managers + model.counterparty.cost("trading")


def test_without_fees_rent_moves_money_and_no_power() -> None:
    scenario = village(levels=False)
    content = scenario.model_dump()
    del content["buildings"][4]["batteries"][0]["rents_to"]
    alone, cost_alone = negotiated(Scenario.model_validate(content))
    model, cost = negotiated(scenario)
    assert cost == pytest.approx(cost_alone, rel=1e-6)
    price = alone.counterparty.price("trading")
    np.testing.assert_allclose(model.counterparty.price("trading"), price, atol=2e-4)


def test_with_fees_it_is_the_optimum_of_a_statement_in_full() -> None:
    scenario = village(levels=True)
    _, cost = negotiated(scenario)
    least = stated_in_full(scenario)
    assert cost == pytest.approx(least, rel=2e-6)
    content = scenario.model_dump()
    del content["buildings"][4]["batteries"][0]["rents_to"]
    _, without = negotiated(Scenario.model_validate(content))
    # A battery that counts as being at home saves its tenants fees.
    assert without - cost == pytest.approx(0.042, abs=0.001)


def stated_in_full(scenario: Scenario) -> float:
    """One community: everybody's part of the battery as a battery of its own, kWh by kWh."""
    slots, owner = scenario.horizon.slots, scenario.buildings[4]
    whole = next(d for d in inputs.devices(owner, scenario) if d.name == "battery 1")
    usable = whole.maximum_kwh - whole.minimum_kwh
    shares, physical, members, cost, within = [], [], [], cp.Constant(0.0), []
    for entry in scenario.agents:
        devices = inputs.devices(entry, scenario)
        if entry is owner:
            devices = [device for device in devices if device.name != "battery 1"]
        problem = LocalProblem(
            entry.name,
            devices,
            inputs.horizon(scenario),
            1e4 if entry is owner else connection(entry, scenario).limit_kw,
        )
        problem.price.value = np.zeros(slots)
        within += problem.statement.constraints
        cost += problem.statement.objective.expr
        physical.append(problem.trade)
        if entry not in scenario.buildings:
            continue
        share, charge, discharge = cp.Variable(nonneg=True), *(cp.Variable(slots) for _ in "cd")
        energy = cp.Variable(slots)
        first = share * (whole.initial_kwh - whole.minimum_kwh) / usable
        stored = whole.charge_efficiency * charge - discharge / whole.discharge_efficiency
        within += [charge >= 0, discharge >= 0, energy >= 0, energy <= share]
        within += [flow <= share * whole.power_kw / usable for flow in (charge, discharge)]
        within += [energy == cp.hstack([first, energy[:-1]]) + stored, energy[-1] == first]
        cost += whole.wear_per_kwh * cp.sum(charge + discharge)
        cost += scenario.levels.inside_fee_per_kwh * cp.norm1(problem.trade + charge - discharge)
        shares.append(share)
        members.append((problem.trade, charge - discharge, entry is owner))
    within.append(sum(shares) == usable)
    charging = sum(flow for _, flow, _ in members)
    meter = next(trade for trade, _, own in members if own) + charging
    within.append(cp.abs(meter) <= owner.connection_kw)
    residual = sum(trade for trade, _, _ in members) + charging
    rest = sum(physical) + charging
    tariff = inputs.tariff(scenario)
    bought, sold = tariff.retail_price_per_kwh, tariff.feed_in_price_per_kwh
    cost += cp.sum(cp.maximum(cp.multiply(bought, rest), cp.multiply(sold, rest)))
    cost += 0.04 * cp.norm1(residual)
    within.append(cp.abs(rest) <= scenario.utility.exchange_limit_kw)
    whole_problem = cp.Problem(cp.Minimize(cost), within)
    whole_problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-10, tol_feas=1e-10)
    return float(whole_problem.value)


@pytest.mark.parametrize("market", ["nash-bargaining", "utility-only"])
def test_other_markets_with_rent(market: str, tmp_path: Path) -> None:
    outcome = ng.simulate(two_slots(), market=market, seed=1)
    assert outcome.certified
    assert outcome.accounts["payment_micro"].sum() == 0
    assert ng.verify(outcome.save(tmp_path / "run")).failures == ()
    assert outcome.rentals.empty == (market == "utility-only")


def test_the_section_says_who_holds_what(by_hand: Any) -> None:
    section = rental_section(by_hand)
    assert section is not None
    stored = [bar["y"] for bar in section.figures[0].views["Shed"]["data"]]
    # All but the least energy, which nobody may use, is stored after the cheap slot.
    np.testing.assert_allclose(np.sum(stored, axis=0), [4.5, 0.5], atol=0.05)
    assert "0.14 EUR per kWh" in section.body


def test_what_renting_refuses() -> None:
    shed = two_slots().community_batteries[0].model_dump()
    with pytest.raises(ValueError, match="has 2 batteries for rent"):
        two_slots(community_batteries=[shed, shed | {"name": "Other shed"}])
    with pytest.raises(ValueError, match="there is no other building in community 'elsewhere'"):
        two_slots(community_batteries=[shed | {"community": "elsewhere"}])
    with pytest.raises(ValueError, match="its rule knows no batteries for rent"):
        ng.simulate(two_slots(), market="two-part")
    with pytest.raises(ValueError, match=r"knows no batteries for rent; .* which Shed has"):
        ng.stackelberg(two_slots())
