"""A mediated exchange of money: weights follow from statements, bounds of gains are kept."""

from collections.abc import Mapping

import mesa
import networkx as nx
import numpy as np
import pytest

from nashgrid.agents.bargainer import Bargainer
from nashgrid.agents.bench import Members
from nashgrid.agents.mediator import Mediator, Weigh
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.links import links_of
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post

RULES = ExchangeRules(step=1.0, tolerance=1e-10, maximum_rounds=300)


def mediate(
    savings: list[float],
    statements: list[Mapping[str, float]],
    weigh: Weigh,
    jitter_s: float = 0.0,
) -> tuple[np.ndarray, list[str]]:
    """Gains after payments, and the kinds of messages in the order in which they were sent."""
    model = mesa.Model(rng=1)
    agents = [TradingAgent(model, f"agent {number}") for number in range(len(savings))]
    addresses = np.array([agent.unique_id for agent in agents])
    groups = [addresses[:-1], addresses[-1:]]
    mediator = Mediator(
        model,
        "money by word",
        members=[
            Members(own, np.zeros((1, 1), dtype=np.int64), np.zeros_like(own)) for own in groups
        ],
        rules=RULES,
        opening_price=np.zeros(1),
        weigh=weigh,
    )
    links = nx.Graph()
    for agent in agents:
        links.add_edge(
            mediator.unique_id, agent.unique_id, latency_s=0.01, jitter_s=jitter_s, loss=0.0
        )
    network = MessageNetwork(links_of(links), 1)
    players = [
        Bargainer(
            agent,
            np.array([saving]),
            np.array([1.0]),
            RULES,
            "money by word",
            {name: np.array([[value]]) for name, value in told.items()},
        )
        for agent, saving, told in zip(agents, savings, statements, strict=True)
    ]
    everybody = {one.unique_id: one for one in (*agents, mediator)}
    talk = Negotiation(mediator, players, None, Post(network, everybody))
    if talk.open():
        while not mediator.exchange.finished:
            talk.round()
        talk.close()
        assert mediator.exchange.converged
    money = np.array([agent.seats["money by word"].quantity[0, 0] for agent in agents])
    return np.array(savings) + money, [sent.messages.kind for _, sent in network.log]


def test_gains_follow_the_weights_that_statements_lead_to() -> None:
    def weigh(said: Mapping[str, np.ndarray]) -> np.ndarray:
        # In the order of addresses; the last one states nothing.
        assert said["agreed_kw"][:, 0].tolist() == [2.0, 6.0, 0.0]
        assert said["saving"][:, 0].tolist() == [5.0, 1.0, -2.0]
        return said["agreed_kw"][:, 0] ** 2

    # With jitter, an award still comes before the first quote.
    gains, kinds = mediate(
        [5.0, 1.0, -2.0], [{"agreed_kw": 2.0}, {"agreed_kw": 6.0}, {}], weigh, jitter_s=1.0
    )
    np.testing.assert_allclose(gains, [0.4, 3.6, 0.0], atol=1e-7)
    assert kinds.index("award") < kinds.index("quote")


def test_gains_stay_within_the_bounds_that_were_stated() -> None:
    """Weights 1, 1, 1 and S = 3: the first can have .25 at most, the last needs 2 at least."""
    bounds = [(0.0, 0.25), (0.0, 5.0), (2.0, 5.0)]
    told = [{"least_gain": low, "most_gain": high} for low, high in bounds]
    gains, _ = mediate([4.0, -2.0, 1.0], told, lambda said: np.ones(3))
    np.testing.assert_allclose(gains, [0.25, 0.75, 2.0], atol=1e-7)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, 1.0]])
def test_nothing_is_awarded_without_a_surplus_or_a_weight(weights: list[float]) -> None:
    savings = [1.0, -1.5] if weights[0] else [3.0, -1.5]
    gains, kinds = mediate(savings, [{}, {}], lambda said: np.array(weights))
    assert gains.tolist() == [0.0, 0.0]
    assert "quote" not in kinds
