"""The exchange of money: every gain the same multiple of its weight, whatever the savings."""

import mesa
import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nashgrid.agents.bargainer import Bargainer
from nashgrid.agents.bench import Members
from nashgrid.agents.money_exchange import MoneyCloud
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.links import links_of
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.negotiation import Negotiation
from nashgrid.market.post import Post
from nashgrid.market.topics import MONEY

RULES = ExchangeRules(step=1.0, tolerance=1e-10, maximum_rounds=200)


def share(savings: list[float], weights: list[float]) -> tuple[np.ndarray, int]:
    """Gains after payments, and the rounds it took."""
    model = mesa.Model(rng=1)
    agents = [TradingAgent(model, f"agent {number}") for number in range(len(savings))]
    addresses = np.array([agent.unique_id for agent in agents])
    coordinator = MoneyCloud(
        model,
        MONEY,
        members=[Members(addresses, np.zeros((1, 1), dtype=np.int64), np.zeros_like(addresses))],
        rules=RULES,
        opening_price=np.zeros(1),
    )
    links = nx.Graph()
    for agent in agents:
        links.add_edge(
            coordinator.unique_id, agent.unique_id, latency_s=0.01, jitter_s=0.0, loss=0.0
        )
    everybody = {one.unique_id: one for one in (*agents, coordinator)}
    players = [
        Bargainer(agent, np.array([saving]), np.array([weight]), RULES)
        for agent, saving, weight in zip(agents, savings, weights, strict=True)
    ]
    talk = Negotiation(
        coordinator, players, None, Post(MessageNetwork(links_of(links), 1), everybody)
    )
    if not talk.open():
        money = np.array([agent.seats[MONEY].quantity[0, 0] for agent in agents])
        return np.array(savings) + money, 0
    while not coordinator.exchange.finished:
        talk.round()
    talk.close()
    assert coordinator.exchange.converged
    money = np.array([agent.seats[MONEY].quantity[0, 0] for agent in agents])
    assert abs(money.sum()) < 1e-7 * sum(savings)
    return np.array(savings) + money, len(coordinator.exchange.records)


@st.composite
def games(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    count = draw(st.integers(2, 6))
    scale = draw(st.sampled_from([1e-3, 1.0, 1e5]))
    savings = draw(st.lists(st.floats(-5, 10), min_size=count, max_size=count))
    short = max(0.0, 1.0 - sum(savings))
    savings[0] += short
    weights = draw(st.lists(st.floats(0.2, 5.0), min_size=count, max_size=count))
    if count > 2 and draw(st.booleans()):
        weights[-1] = 0.0
    return [scale * saving for saving in savings], weights


@given(game=games())
@settings(deadline=None, derandomize=True, max_examples=25)
def test_gains_are_proportional_to_weights(game: tuple[list[float], list[float]]) -> None:
    savings, weights = game
    surplus, weight = sum(savings), np.array(weights)
    # Residuals are relative to the money that changes hands; there has to be some.
    assume(np.abs(weight * surplus / weight.sum() - savings).max() > 0.1 * surplus)
    gains, rounds = share(savings, weights)
    np.testing.assert_allclose(gains, weight * surplus / weight.sum(), atol=1e-6 * surplus)
    # The step knows the scale of money: no more rounds for large sums than for small ones.
    assert rounds <= 60


def test_one_that_bargains_with_no_weight_comes_out_even() -> None:
    gains, _ = share([4.0, 3.0, -2.5], [1.0, 2.0, 0.0])
    np.testing.assert_allclose(gains, [1.5, 3.0, 0.0], atol=1e-7)


@pytest.mark.parametrize("tiny", [1e-3, 1e-7, 1e-12])
def test_a_weight_of_next_to_nothing_holds_nobody_up(tiny: float) -> None:
    """Far from its own saving to next to nothing: at the size of its weight it would creep."""
    gains, rounds = share([4.0, 3.0, -2.5], [1.0, 1.0, tiny])
    np.testing.assert_allclose(gains, [2.25, 2.25, 2.25 * tiny], atol=2.25 * tiny + 1e-8)
    assert gains[2] == pytest.approx(2.25 * tiny, rel=1e-3)
    assert rounds <= 60


def test_rounds_do_not_depend_on_the_scale_of_money() -> None:
    savings = np.array([4.0, -1.0, 2.0])
    counts = [
        share(list(scale * savings), [1.0, 1.0, 1.0])[1] for scale in (2.0**-14, 1.0, 2.0**20)
    ]
    # Rounding may decide whether the last round was needed.
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("savings", [[1.0, -1.5], [0.0, 0.0], [2.5e-9, -2.4e-9]])
def test_without_a_surplus_everybody_comes_out_even(savings: list[float]) -> None:
    gains, rounds = share(savings, [1.0, 1.0])
    assert rounds == 0
    np.testing.assert_array_equal(gains, [0.0, 0.0])
