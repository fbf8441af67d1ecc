"""Charges travel as messages: what who hears, what faults change, and what an audit finds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nashgrid.agents.charge_cloud import ChargeCloud
from nashgrid.agents.charging_operator import ChargingOperator
from nashgrid.market.disclosure import DISCLOSED
from nashgrid.market.messages import FIELDS, Floats
from nashgrid.runs.charge_comparison import ChargeComparison
from nashgrid.runs.charges import charges
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario

RULES = ("uniform", "price-difference", "dual-ascent")
AGENTS, OPERATOR = (1, 2, 3), 4
BUS = {1: 2, 2: 3, 3: 3}
"""Of every agent, by address: two are together."""


@pytest.fixture(scope="module")
def scenario(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Scenario:
    return load_scenario(write(tmp_path_factory.mktemp("trio"), trio))


@pytest.fixture(scope="module")
def comparison(scenario: Scenario) -> ChargeComparison:
    return charges(scenario, RULES)


def said(comparison: ChargeComparison) -> list[dict[str, Any]]:
    return comparison.messages.to_pylist()


def test_everybody_speaks_with_clouds_alone_and_says_what_is_declared(
    comparison: ChargeComparison,
) -> None:
    kinds = set()
    for message in said(comparison):
        ends = message["sender"], message["receiver"]
        assert sum(end > OPERATOR for end in ends) == 1
        fields = {name for name in FIELDS[message["kind"]] if message[name]}
        if message["sender"] > OPERATOR:
            role = "counterparty" if message["receiver"] == OPERATOR else "prosumer"
            assert fields <= set(DISCLOSED[message["kind"]][role])
        kinds.add((message["kind"], message["sender"] > OPERATOR, OPERATOR in ends))
    assert kinds == {
        ("enrolment", False, False),
        ("enrolment sums", True, True),
        ("announcement", False, True),
        ("quote", True, False),
        ("offer", False, False),
        ("offer sums", True, True),
        ("closing", False, True),
        ("closing", True, True),
        ("closing", True, False),
        ("commitment", False, False),
        ("remainder", True, True),
    }


def test_agents_hear_the_price_of_their_own_bus_and_the_operator_hears_sums(
    comparison: ChargeComparison,
) -> None:
    slots, places = comparison.scenario.horizon.slots, comparison.places
    announced: Mapping[int, Floats] = {}
    offers: dict[int, Floats] = {}
    heard = 0
    for message in said(comparison):
        if message["kind"] == "announcement":
            price = np.array(message["price"]).reshape(len(places), slots)
            announced = dict(zip(places, price, strict=True))
        elif message["kind"] == "quote":
            own = announced[BUS[message["receiver"]]]
            np.testing.assert_array_equal(message["price"], own)
        elif message["kind"] == "offer":
            offers[message["sender"]] = np.array(message["quantity"])
        elif message["kind"] == "offer sums":
            at_bus = {bus: sum(offers[a] for a in AGENTS if BUS[a] == bus) for bus in places}
            sums = np.concatenate([at_bus[bus] for bus in places])
            np.testing.assert_allclose(message["quantity"], sums, atol=1e-12)
            heard += 1
    assert heard == sum(one.iterations for one in comparison.outcomes)


def test_loss_and_latency_move_the_clock_and_nothing_else(
    scenario: Scenario, comparison: ChargeComparison
) -> None:
    faults = {"loss": 0.3, "jitter_s": 0.05, "latency_s": 0.2}
    entry = scenario.messages.model_copy(update=faults)
    faulty = charges(scenario.model_copy(update={"messages": entry}), RULES, seed=3)
    for one, other in zip(comparison.outcomes, faulty.outcomes, strict=True):
        assert one.iterations == other.iterations
        np.testing.assert_array_equal(one.price_per_kwh, other.price_per_kwh)
        np.testing.assert_array_equal(one.trade_kw, other.trade_kw)
    usual, lossy = comparison.table, faulty.table
    assert (usual["messages"] == lossy["messages"]).all()
    assert (lossy["transmissions"] > 1.3 * lossy["messages"]).all()
    assert (usual["transmissions"] == usual["messages"]).all()
    assert (lossy["bytes"] > usual["bytes"]).all()
    assert faulty.summary["simulated_seconds"] > 10 * comparison.summary["simulated_seconds"]
    assert faulty.certified


def holds(comparison: ChargeComparison, claim: str) -> bool:
    return bool(comparison.certificate["claims"][claim]["holds"])


def test_nobody_was_told_too_much(comparison: ChargeComparison) -> None:
    assert holds(comparison, "messages: operator")
    assert holds(comparison, "messages: prosumers")
    assert comparison.certificate["message_audit"]["alone_at_bus"] == {"2": "Sunny house"}


def test_a_power_in_place_of_a_sum_is_found(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leak(cloud: ChargeCloud, name: str) -> Floats:
        total = np.asarray(ChargeCloud.__mro__[1]._sum(cloud, name))
        if name == "quantity":
            total = total.copy()
            total[-scenario.horizon.slots :] = cloud._agents[0].heard[name][-1]
        return total

    monkeypatch.setattr(ChargeCloud, "_sum", leak)
    found = charges(scenario, ["dual-ascent"], maximum_iterations=3)
    assert not holds(found, "messages: operator")
    told = found.certificate["message_audit"]["told_too_much"]
    assert "charges dual-ascent: round 1: the offer sums are not those of the offers" in told


def test_a_price_that_is_not_the_operators_is_found(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ChargeCloud._announce

    def hint(cloud: ChargeCloud, kind: str, *rest: Any, by_commodity: Any, **more: Any) -> None:
        price = by_commodity["price"] + 1e-6 * (kind == "quote")
        usual(cloud, kind, *rest, by_commodity={**by_commodity, "price": price}, **more)

    monkeypatch.setattr(ChargeCloud, "_announce", hint)
    found = charges(scenario, ["uniform"], maximum_iterations=3)
    assert holds(found, "messages: operator")
    assert not holds(found, "messages: prosumers")


def test_a_price_that_does_not_follow_from_the_rule_is_found(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ChargingOperator._announced

    def greedy(operator: ChargingOperator, topic: str) -> tuple[str, dict[str, Floats]]:
        kind, fields = usual(operator, topic)
        return kind, {**fields, "price": fields["price"] + 1e-3}

    monkeypatch.setattr(ChargingOperator, "_announced", greedy)
    found = charges(scenario, ["uniform"], maximum_iterations=3)
    assert not holds(found, "uniform: prices")
