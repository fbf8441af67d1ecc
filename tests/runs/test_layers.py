"""Managers and storage for rent together, on communities drawn at random."""

from typing import Any

import numpy as np
import pytest

import nashgrid as ng
from nashgrid.runs.scenario import Scenario

SLOTS = 6
TARIFF = [
    {"start": "00:00:00", "retail_price_per_kwh": 0.20, "feed_in_price_per_kwh": 0.05},
    {"start": "13:00:00", "retail_price_per_kwh": 0.35, "feed_in_price_per_kwh": 0.08},
]


def drawn(seed: int) -> Scenario:
    """Six houses in three communities at most; whose battery can be for rent is."""
    draw = np.random.default_rng(seed)
    houses: list[dict[str, Any]] = []
    for number in range(6):
        load = draw.uniform(0, 8, SLOTS).round(2).tolist()
        house = {
            "name": f"House {number}",
            "community": f"Community {draw.integers(3)}",
            "connection_kw": 25.0,
            "loads": [{"values": load, "unit": "kw"}],
        }
        if draw.random() < 0.6:
            sun = draw.uniform(0, 15, SLOTS).round(2).tolist()
            house["pv"] = [{"values": sun, "unit": "kw", "rating_kw": 15.0}]
        if draw.random() < 0.4:
            house["batteries"] = [{"capacity_kwh": draw.uniform(3, 12), "power_kw": 4.0}]
        houses.append(house)
    letting: set[str] = set()
    for house in houses:
        others = [one["community"] for one in houses if one is not house]
        where = house["community"]
        if "batteries" in house and where in others and where not in letting:
            house["batteries"][0]["rents_to"] = "community"
            letting.add(where)
    fees = np.sort(draw.uniform(0, 0.06, 3)).round(4).tolist()
    names = ("inside_fee_per_kwh", "between_fee_per_kwh", "rest_fee_per_kwh")
    return Scenario.model_validate(
        {
            "name": "drawn",
            "horizon": {"start": "2016-06-23T10:00:00", "slots": SLOTS},
            "utility": {"exchange_limit_kw": 200.0, "tariff": TARIFF},
            "buildings": houses,
            "levels": dict(zip(names, fees, strict=True)),
        }
    )


@pytest.mark.parametrize("seed", [0, 4])
def test_whoever_is_drawn_agrees_and_nobody_loses(seed: int) -> None:
    outcome = ng.simulate(drawn(seed), market="nash-bargaining", seed=1)
    failed = [name for name, held in outcome.certificate["claims"].items() if not held["holds"]]
    assert failed == []
    assert len(outcome.rentals) > 0
    assert outcome.accounts["payment_micro"].sum() == 0
    players = outcome.accounts[outcome.accounts["weight"] > 0]
    assert players["saving"].min() >= -1e-6
    # What is matched between communities sums to nothing, and levels add up.
    levels = outcome.levels
    assert levels.groupby("slot")["between_kw"].sum().abs().max() < 1e-9
    parts = levels["between_kw"] + levels["rest_kw"]
    np.testing.assert_allclose(parts, levels["residual_kw"], atol=1e-9)
