"""Prosumers: what they tell on enrolment, answer to quotes, and count as cost."""

import mesa
import numpy as np
import pytest

from nashgrid.agents.devices.device import Horizon
from nashgrid.agents.devices.generator import Generator
from nashgrid.agents.devices.load import Load
from nashgrid.agents.devices.renewable import Renewable
from nashgrid.agents.local_problem import Tariff
from nashgrid.agents.prosumer import Building, Connection
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import one_message
from nashgrid.market.topics import TRADING, UTILITY_ONLY

RULES = ExchangeRules(step=0.5, tolerance=1e-6, over_relaxation=1.5, memory=2)
# A gap of 1e-10 in cost is sqrt(2e-10 / .05) in power, at a curvature of 2 x .05 x .5 h.
ATOL = 1e-4
TARIFF = Tariff(np.full(2, 0.3), np.full(2, 0.1))


def building() -> Building:
    devices = [
        Load("load", np.array([3.0, 1.0])),
        Renewable("pv", np.array([0.0, 4.0])),
        Generator("generator", 0.05, 0.1, 0.0, 2.0),
    ]
    return Building(
        mesa.Model(rng=1),
        "Inn",
        devices=devices,
        connection=Connection(place=4, limit_kw=9.0, size_kw=5.0),
        horizon=Horizon(2, 0.5),
        tariff=TARIFF,
        rules=RULES,
    )


def quote(agent: Building, topic: str, price: list[float]) -> None:
    content = {
        "price": np.array(price),
        "imbalance": np.zeros(2),
        "step": np.array([0.0]),
        "memory_slot": np.array([-1.0]),
        "mixing_weights": np.zeros(2),
    }
    agent.receive(one_message("quote", topic, 9, agent.unique_id, content, 4.0))


def test_enrolment_tells_size_connection_and_range_only() -> None:
    agent = building()
    agent.enrol(TRADING, 9, 1.0)
    (message,) = agent.outbox
    assert (message.kind, message.topic, message.receivers[0]) == ("enrolment", TRADING, 9)
    assert {name: values[0].tolist() for name, values in message.fields.items()} == {
        "size": [5.0, 5.0],
        "connection_kw": [9.0, 9.0],
        "lowest_kw": pytest.approx([1.0, -5.0]),
        "highest_kw": pytest.approx([3.0, 1.0]),
    }


def test_costs_with_the_utility_and_in_a_market() -> None:
    agent = building()
    quote(agent, UTILITY_ONLY, [0.0, 0.0])
    # Against retail the generator runs where 2 x .05 g + .1 = .3: 2 kW; against feed-in at 0.
    np.testing.assert_allclose(agent.trade_kw(UTILITY_ONLY), [1.0, -3.0], atol=ATOL)
    # Half hours: .05 x 4 + .1 x 2, and the bill 1 x .3 - 3 x .1.
    assert agent.device_cost(UTILITY_ONLY) == pytest.approx(0.5 * 0.4, abs=1e-5)
    assert agent.cost(UTILITY_ONLY) == pytest.approx(0.2 + 0.5 * 0.0, abs=1e-5)
    quote(agent, TRADING, [0.2, 0.2])
    # In the market .1 g + .1 = .2: 1 kW in both slots; its cost is the devices' alone.
    np.testing.assert_allclose(agent.trade_kw(TRADING), [2.0, -4.0], atol=ATOL)
    assert agent.cost(TRADING) == pytest.approx(0.5 * 2 * 0.15, abs=1e-5)
    generation = agent.schedule(TRADING)["generator"]["generation_kw"]
    np.testing.assert_allclose(generation, [1.0, 1.0], atol=ATOL)


def test_answers_offers_and_commits_to_its_own_schedule() -> None:
    agent = building()
    quote(agent, TRADING, [0.2, 0.2])
    (offer,) = agent.outbox
    assert (offer.kind, offer.receivers[0], offer.sent_s[0]) == ("offer", 9, 4.0)
    # Over-relaxed from a target of zero: 1.5 x.
    np.testing.assert_allclose(offer.fields["quantity"][0], [3.0, -6.0], atol=2 * ATOL)
    closing = {"price": np.array([0.25, 0.2])}
    agent.receive(one_message("closing", TRADING, 9, agent.unique_id, closing, 5.0))
    commitment = agent.outbox[-1]
    assert commitment.kind == "commitment"
    np.testing.assert_array_equal(commitment.fields["quantity"][0], agent.trade_kw(TRADING))
    assert agent.clearing_price[TRADING].tolist() == [[0.25, 0.2]]


def test_what_it_does_not_understand_it_refuses() -> None:
    agent = building()
    stray = one_message("remainder", TRADING, 9, 1, {"quantity": np.zeros(2)}, 0.0)
    with pytest.raises(ValueError, match="Inn does not understand a message of kind 'remainder'"):
        agent.receive(stray)
