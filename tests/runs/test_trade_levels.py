"""Trades split by level: inside communities, between them, and the rest."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import nashgrid as ng
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.trade_levels import LevelFees, matched_wh


def test_four_agents_in_two_communities_by_hand() -> None:
    """East buys 6 and 2 and sells nothing but 4; West sells 5 and buys 1."""
    energy = np.array([[6], [2], [-4], [-5], [1]])
    inside, between = matched_wh(energy, np.array([0, 0, 0, 1, 1]))
    # East: 4 of 8 bought inside, half of each purchase. West: 1 of 5.
    assert inside.ravel().tolist() == [3, 1, -4, -1, 1]
    # East lacks 3 and 1, West has 4 over: all of it passes between them.
    assert between.ravel().tolist() == [3, 1, 0, -4, 0]


def test_two_buyers_in_each_of_two_communities_share_what_is_scarce() -> None:
    """East: 10 and 5 bought. West: 4 sold, 1 bought. 3 pass between, two thirds to the first."""
    energy = np.array([[10], [5], [-4], [1]])
    inside, between = matched_wh(energy, np.array([0, 0, 1, 1]))
    assert inside.ravel().tolist() == [0, 0, -1, 1]
    assert between.ravel().tolist() == [2, 1, -3, 0]
    assert (energy - inside - between).ravel().tolist() == [8, 4, 0, 0]


def test_an_odd_watt_hour_goes_to_the_largest_remainder() -> None:
    inside, _ = matched_wh(np.array([[3], [3], [1], [-5]]), np.zeros(4, dtype=int))
    # 15/7, 15/7 and 5/7: the last remainder is the largest.
    assert inside.ravel().tolist() == [2, 2, 1, -5]


ENERGIES = st.lists(
    st.tuples(st.integers(-(10**10), 10**10), st.integers(-20, 20), st.integers(0, 3)),
    min_size=1,
    max_size=9,
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(agents=ENERGIES)
def test_levels_balance_never_exceed_the_trade_and_leave_nothing_to_match(
    agents: list[tuple[int, int, int]],
) -> None:
    energy = np.array([agent[:2] for agent in agents])
    community = np.array([agent[2] for agent in agents])
    inside, between = matched_wh(energy, community)
    rest = energy - inside - between
    for level in (inside, between, rest):
        # Nobody buys on one level to sell on another.
        assert (level * np.sign(energy) >= 0).all()
    assert (between.sum(axis=0) == 0).all()
    for group in range(4):
        left = (energy - inside)[community == group]
        assert (inside[community == group].sum(axis=0) == 0).all()
        assert not ((left > 0).any(axis=0) & (left < 0).any(axis=0)).any()
    assert not ((rest > 0).any(axis=0) & (rest < 0).any(axis=0)).any()


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    energy=st.lists(st.integers(-20, 20), min_size=2, max_size=6),
    groups=st.lists(st.integers(0, 1), min_size=6, max_size=6),
)
def test_with_rising_fees_no_other_split_costs_less(energy: list[int], groups: list[int]) -> None:
    """The transport problem: who sells to whom, each level at its fee, the rest upstream."""
    power, community = np.array(energy), np.array(groups[: len(energy)])
    inside, between = matched_wh(power[:, None], community)
    rest = power - inside.ravel() - between.ravel()
    cost = np.abs(inside).sum() + 2 * np.abs(between).sum() + 5 * np.abs(rest).sum()
    sellers, buyers = np.flatnonzero(power < 0), np.flatnonzero(power > 0)
    pairs = [(sold, bought) for sold in sellers for bought in buyers]
    # What a kWh between two saves both of them, against the rest.
    saved = [2 * (1 - 5) if community[s] == community[b] else 2 * (2 - 5) for s, b in pairs]
    least = 5.0 * np.abs(power).sum()
    if pairs:
        uses = np.array([[one in pair for pair in pairs] for one in range(len(power))], dtype=float)
        least += linprog(saved, A_ub=uses, b_ub=np.abs(power)).fun
    assert cost == pytest.approx(least)


def test_the_levels_of_an_outcome(trio: dict[str, Any]) -> None:
    scenario = Scenario.model_validate({k: v for k, v in trio.items() if k != "feeder"} | _apart())
    outcome = ng.simulate(scenario, market="competitive", seed=1)
    table = ng.trades_by_level(outcome, LevelFees(inside=0.01, between=0.02, rest=0.05))
    levels = table[["inside_wh", "between_wh", "rest_wh"]]
    assert (levels.sum(axis=1) == table["energy_wh"]).all()
    own = outcome.trades[outcome.trades["community"] != ""]
    wanted = own.set_index(["case", "agent", "slot"])["trade_kw"]
    hours = scenario.horizon.slot_hours
    found = table.set_index(["case", "agent", "slot"])["energy_wh"] / 1000 / hours
    assert (found - wanted).abs().max() < 1e-3 / hours
    alone = table[table["case"] == "utility-only"]
    assert (alone["rest_wh"] == alone["energy_wh"]).all()
    shed = table[table["agent"] == "Shed"]
    assert (shed["rest_wh"] == shed["energy_wh"]).all()
    houses = table[(table["case"] == "trading") & (table["agent"] != "Shed")]
    assert houses["inside_wh"].eq(0).all()
    assert houses["between_wh"].gt(0).any()
    fee = 0.01 * levels["inside_wh"].abs() + 0.02 * levels["between_wh"].abs()
    fee += 0.05 * levels["rest_wh"].abs()
    fee[table["agent"] == "Shed"] = 0.0  # It is outside of communities.
    assert table["fee"].to_numpy() == pytest.approx(fee.to_numpy() / 1000)
    assert (ng.trades_by_level(outcome)["fee"] == 0).all()


def test_fees_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must not fall .* inside = 0.03"):
        LevelFees(inside=0.03, between=0.02, rest=0.05)


def test_sums_over_buildings_have_no_levels() -> None:
    village = load_scenario("district")
    population = village.population.model_copy(update={"count": 4})
    trades = pd.DataFrame(
        {
            "case": "trading",
            "agent": "household (4)",
            "community": "community",
            "slot": range(village.horizon.slots),
            "trade_kw": 1.0,
        }
    )
    scenario = village.model_copy(update={"population": population})
    with pytest.raises(ValueError, match=r"household \(4\): the trades of this run are sums"):
        ng.trades_by_level(SimpleNamespace(scenario=scenario, trades=trades))
    one = trades.assign(agent="household 0000001")
    levels = ng.trades_by_level(SimpleNamespace(scenario=scenario, trades=one))
    assert (levels["rest_wh"] == 1000).all()


def _apart() -> dict[str, Any]:
    """Two houses in communities of their own, and a battery; no wires."""
    from importlib.resources import files
    from tomllib import loads

    text = (files("nashgrid.runs.scenarios") / "duet.toml").read_text(encoding="utf-8")
    houses = loads(text)["buildings"]
    return {
        "buildings": [
            {**house, "community": name}
            for house, name in zip(houses, ("East", "West"), strict=True)
        ],
        "community_batteries": [{"name": "Shed", "capacity_kwh": 4.0, "power_kw": 1.5}],
    }
