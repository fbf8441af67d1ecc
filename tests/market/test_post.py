"""The post: outboxes emptied, columns joined, nothing left under way."""

import networkx as nx
import numpy as np
import pytest

from nashgrid.market.links import links_of
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.messages import Messages, one_message
from nashgrid.market.post import Post


class Clerk:
    """Keeps what it receives; passes every message on to the next address, if it has one."""

    def __init__(self, passes_to: dict[int, int] | None = None) -> None:
        self.outbox: list[Messages] = []
        self.received: list[Messages] = []
        self.passes_to = passes_to or {}

    def receive(self, messages: Messages) -> None:
        self.received.append(messages)
        for row in range(len(messages)):
            here = int(messages.receivers[row])
            if here in self.passes_to:
                value = messages.fields["quantity"][row]
                self.outbox.append(note(here, self.passes_to[here], value, messages.sent_s[row]))


def note(sender: int, receiver: int, value: object, sent_s: float = 0.0) -> Messages:
    content = {"quantity": np.atleast_1d(np.asarray(value, dtype=float))}
    return one_message("commitment", "trading", sender, receiver, content, sent_s)


def network(addresses: int, latency_s: float = 1.0) -> MessageNetwork:
    links = nx.complete_graph(addresses)
    for _, _, data in links.edges(data=True):
        data.update(latency_s=latency_s, jitter_s=0.0, loss=0.0)
    return MessageNetwork(links_of(links), seed=1)


def test_carries_on_until_all_is_quiet() -> None:
    # 0 -> 1 -> 2 -> 3: three hops of a second each.
    clerks = [Clerk({0: 1}), Clerk({1: 2}), Clerk({2: 3}), Clerk()]
    post = Post(network(4), dict(enumerate(clerks)))
    clerks[0].outbox.append(note(0, 1, 7.0))
    post.carry()
    assert [len(clerk.received) for clerk in clerks] == [0, 1, 1, 1]
    last = clerks[3].received[0]
    assert (last.fields["quantity"][0, 0], last.sent_s[0]) == (7.0, 3.0)
    assert all(not clerk.outbox for clerk in clerks)
    assert post.network.deliver() is None


def test_messages_said_at_one_time_travel_as_one_column() -> None:
    clerks = [Clerk() for _ in range(4)]
    post = Post(network(4), dict(enumerate(clerks)))
    for sender in (3, 1, 2):
        clerks[sender].outbox.append(note(sender, 0, float(sender)))
    # Of another form, it travels apart.
    clerks[2].outbox.append(note(2, 0, [8.0, 9.0]))
    post.carry()
    sizes = [len(transmission.messages) for _, transmission in post.network.log]
    assert sizes == [3, 1]
    assert [len(column) for column in clerks[0].received] == [3, 1]
    # In the order of those who spoke, not of the outboxes filled.
    assert clerks[0].received[0].senders.tolist() == [1, 2, 3]


def test_each_receiver_gets_its_own_rows() -> None:
    clerks = [Clerk() for _ in range(4)]
    post = Post(network(4), dict(enumerate(clerks)))
    clerks[0].outbox += [note(0, 2, 2.0), note(0, 1, 1.0), note(0, 2, 2.5)]
    post.carry()
    assert clerks[1].received[0].fields["quantity"].tolist() == [[1.0]]
    assert clerks[2].received[0].fields["quantity"].tolist() == [[2.0], [2.5]]
    assert not clerks[3].received


def test_one_correspondent_may_answer_at_several_addresses() -> None:
    crowd, clerk = Clerk({2: 0, 3: 0}), Clerk()
    post = Post(network(4), {0: clerk, 2: crowd, 3: crowd})
    clerk.outbox += [note(0, 3, 3.0), note(0, 2, 2.0)]
    post.carry()
    assert [column.receivers.tolist() for column in crowd.received] == [[3, 2]]
    assert clerk.received[0].senders.tolist() == [3, 2]


@pytest.mark.parametrize("address", [2, 4])
def test_nobody_receives_what_is_addressed_to_nobody(address: int) -> None:
    clerks = [Clerk(), Clerk(), Clerk()]
    post = Post(network(5), {0: clerks[0], 1: clerks[1], 3: clerks[2]})
    clerks[0].outbox += [note(0, 1, 1.0), note(0, address, 1.0)]
    with pytest.raises(ValueError, match=f"nobody answers at address {address}"):
        post.carry()
    assert not any(clerk.received for clerk in clerks)
