"""The message network: order, delays, losses, counts; the same seed gives the same fate."""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

from nashgrid.market.links import links_of
from nashgrid.market.message_network import LONG, MessageNetwork
from nashgrid.market.messages import HEADER_BYTES, Messages, one_message


def star(leaves: int, latency_s: float = 0.02, jitter_s: float = 0.0, loss: float = 0.0):
    """Address 0 linked to 1 ... leaves."""
    graph = nx.Graph()
    for leaf in range(1, leaves + 1):
        graph.add_edge(0, leaf, latency_s=latency_s, jitter_s=jitter_s, loss=loss)
    return graph


def to_all(leaves: int, sent_s: float = 0.0) -> Messages:
    receivers = np.arange(1, leaves + 1)
    return Messages(
        "quote",
        "trading",
        np.zeros(leaves, dtype=np.int64),
        receivers,
        {"price": receivers[:, None].astype(float)},
        np.full(leaves, sent_s),
    )


def answers(leaves: int) -> Messages:
    quotes = to_all(leaves)
    prices = {"quantity": quotes.fields["price"]}
    return Messages("offer", "trading", quotes.receivers, quotes.senders, prices, np.zeros(leaves))


def note(sender: int, receiver: int, sent_s: float = 0.0, value: float = 0.0) -> Messages:
    return one_message(
        "commitment", "trading", sender, receiver, {"quantity": np.array([value])}, sent_s
    )


def test_delivery_in_the_order_of_arrival_then_of_sending() -> None:
    graph = star(2, latency_s=1.0)
    graph.edges[0, 2]["latency_s"] = 0.25
    network = MessageNetwork(links_of(graph), seed=1)
    # Due at 1, 0.25, 1 (again), 0.35 and 1 (sent later over the quick link).
    for value, (receiver, sent_s) in enumerate([(1, 0), (2, 0), (1, 0), (2, 0.1), (2, 0.75)]):
        network.send(note(0, receiver, sent_s, value))
    order, times = [], []
    while (column := network.deliver()) is not None:
        order.append(int(column.fields["quantity"][0, 0]))
        times.append(column.sent_s[0])
    assert order == [1, 3, 0, 2, 4]
    np.testing.assert_allclose(times, [0.25, 0.35, 1.0, 1.0, 1.0])
    assert network.clock_s == 1.0
    assert network.deliver() is None


def test_both_directions_of_a_link_carry() -> None:
    network = MessageNetwork(links_of(star(1, latency_s=0.5)), seed=1)
    network.send(note(1, 0, 2.0))
    column = network.deliver()
    assert column is not None
    assert (column.senders[0], column.receivers[0], column.sent_s[0]) == (1, 0, 2.5)


def test_jitter_is_exponential_on_top_of_the_latency() -> None:
    network = MessageNetwork(links_of(star(5000, latency_s=0.1, jitter_s=0.3)), seed=4)
    network.send(to_all(5000, sent_s=10.0))
    column = network.deliver()
    assert column is not None
    extra = column.sent_s - 10.1
    assert extra.min() >= 0
    assert stats.kstest(extra, "expon", args=(0, 0.3)).pvalue > 0.01


@pytest.mark.parametrize("loss", [0.1, 0.5])
def test_attempts_are_geometric(loss: float) -> None:
    leaves, latency_s, jitter_s = LONG, 0.1, 0.02
    network = MessageNetwork(links_of(star(leaves, latency_s, 0.0, loss)), seed=2)
    network.send(to_all(leaves))
    _, transmission = network.log[0]
    # Data and acknowledgement both have to come through: success (1 - p)^2 each time.
    assert _fits_geometric(transmission.attempts, (1 - loss) ** 2)
    # The data alone arrived after k transmissions, k - 1 time-outs of four delays late.
    until_arrival = 1 + (transmission.arrives_s - latency_s) / (4 * latency_s)
    np.testing.assert_allclose(until_arrival, np.rint(until_arrival), atol=1e-9)
    assert _fits_geometric(np.rint(until_arrival), 1 - loss)
    assert (transmission.attempts >= until_arrival - 1e-9).all()
    # A time-out allows for the jitter as well.
    late = MessageNetwork(links_of(star(leaves, latency_s, jitter_s, loss)), seed=2)
    late.send(to_all(leaves))
    delay_s = late.log[0][1].arrives_s - (np.rint(until_arrival) - 1) * 4 * 0.12 - latency_s
    assert stats.kstest(delay_s, "expon", args=(0, jitter_s)).pvalue > 0.01


def _fits_geometric(trials: np.ndarray, success: float) -> bool:
    """Chi-squared test against the geometric distribution, its tail in one cell."""
    cells = np.arange(1, 6)
    seen = np.array([np.sum(trials == k) for k in cells] + [np.sum(trials > 5)])
    expected = np.append(stats.geom.pmf(cells, success), stats.geom.sf(5, success))
    keep = expected * len(trials) >= 5
    chosen = np.append(expected[keep], 1 - expected[keep].sum())
    counted = np.append(seen[keep], len(trials) - seen[keep].sum())
    if chosen[-1] < 1e-12:
        chosen, counted = chosen[:-1], counted[:-1]
    return bool(stats.chisquare(counted, chosen * len(trials)).pvalue > 0.01)


def test_messages_and_bytes_are_counted_by_topic_and_kind() -> None:
    network = MessageNetwork(links_of(star(3)), seed=1)
    network.send(to_all(3))
    network.send(note(1, 0))
    network.send(note(2, 0))
    quotes, notes = network.traffic["trading/quote"], network.traffic["trading/commitment"]
    assert (quotes.messages, quotes.transmissions) == (3, 3)
    # Each: header and one number; and a header to acknowledge it.
    assert quotes.bytes == 3 * (HEADER_BYTES + 8) + 3 * HEADER_BYTES
    assert notes.messages == 2
    assert network.totals() == {"messages": 5, "transmissions": 5, "bytes": 5 * 56}


def test_resendings_are_counted_and_the_log_replays() -> None:
    network = MessageNetwork(links_of(star(200, loss=0.4)), seed=1)
    network.send(to_all(200))
    network.step = 3
    network.send(to_all(200))
    cost = network.traffic["trading/quote"]
    attempts = np.concatenate([transmission.attempts for _, transmission in network.log])
    assert [step for step, _ in network.log] == [0, 3]
    assert cost.messages == 400
    assert cost.transmissions == attempts.sum() > 400
    assert cost.bytes == attempts.sum() * 32 + 400 * HEADER_BYTES


def test_the_same_seed_gives_the_same_fate_and_another_seed_another() -> None:
    def fate(seed: int) -> list[np.ndarray]:
        network = MessageNetwork(links_of(star(50, jitter_s=0.1, loss=0.3)), seed)
        for sent_s in (0.0, 1.0):
            network.send(to_all(50, sent_s))
        return [t.arrives_s for _, t in network.log] + [t.attempts for _, t in network.log]

    first, again, other = fate(5), fate(5), fate(6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    # The second message on a link has a fate of its own.
    assert not np.array_equal(first[0], first[1] - 1.0)


def test_another_agent_does_not_shift_the_draws_of_the_others() -> None:
    few = MessageNetwork(links_of(star(40, jitter_s=0.1, loss=0.3)), seed=5)
    many = MessageNetwork(links_of(star(90, jitter_s=0.1, loss=0.3)), seed=5)
    for network, leaves in ((few, 40), (many, 90)):
        network.send(to_all(leaves))
        network.send(answers(leaves))
    for (_, of_few), (_, of_many) in zip(few.log, many.log, strict=True):
        np.testing.assert_array_equal(of_few.arrives_s, of_many.arrives_s[:40])
        np.testing.assert_array_equal(of_few.attempts, of_many.attempts[:40])


def test_one_column_or_many_the_fate_is_the_same() -> None:
    together = MessageNetwork(links_of(star(30, jitter_s=0.1, loss=0.3)), seed=5)
    together.send(to_all(30))
    apart = MessageNetwork(links_of(star(30, jitter_s=0.1, loss=0.3)), seed=5)
    for leaf in reversed(range(30)):
        apart.send(to_all(30).select(np.arange(30) == leaf))
    arrivals = [t.arrives_s[0] for _, t in reversed(apart.log)]
    np.testing.assert_array_equal(together.log[0][1].arrives_s, arrivals)


def test_messages_on_one_link_in_one_column_have_fates_of_their_own() -> None:
    alone = to_all(2).select(np.array([True, False]))
    twice = Messages(
        "quote",
        "trading",
        np.zeros(3, dtype=np.int64),
        np.array([1, 2, 1]),
        {"price": np.zeros((3, 1))},
        np.zeros(3),
    )
    network = MessageNetwork(links_of(star(2, jitter_s=0.1)), seed=5)
    network.send(twice)
    apart = MessageNetwork(links_of(star(2, jitter_s=0.1)), seed=5)
    apart.send(alone)
    apart.send(alone)
    arrivals = [t.arrives_s[0] for _, t in apart.log]
    np.testing.assert_array_equal(network.log[0][1].arrives_s[[0, 2]], arrivals)
    assert arrivals[0] != arrivals[1]


@pytest.mark.parametrize(("sender", "receiver"), [(1, 2), (0, 3), (0, 9), (4, 0)])
def test_no_link_no_message(sender: int, receiver: int) -> None:
    # Counted row by row over 0 ... 2, (0, 3) would be the place of the link (1, 0).
    network = MessageNetwork(links_of(star(2)), seed=1)
    with pytest.raises(ValueError, match=f"no link from {sender} to {receiver} .*'commitment'"):
        network.send(note(sender, receiver))
    assert network.totals()["messages"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latency_s": -0.1}, "latency_s and jitter_s"),
        ({"jitter_s": -0.1}, "latency_s and jitter_s"),
        ({"loss": 1.0}, r"loss of a link must lie in \[0, 1\)"),
        ({"loss": -0.1}, r"loss of a link must lie in \[0, 1\)"),
    ],
)
def test_impossible_links_are_refused(change: dict[str, float], message: str) -> None:
    graph = star(2)
    graph.edges[0, 1].update(change)
    with pytest.raises(ValueError, match=message):
        MessageNetwork(links_of(graph), seed=1)
