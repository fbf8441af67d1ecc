"""A negotiation: in what order its steps come, with and without a counterparty."""

import networkx as nx
import pytest

from nashgrid.market.links import links_of
from nashgrid.market.message_network import MessageNetwork
from nashgrid.market.negotiation import Negotiation


class Script:
    """Writes down, in order, whatever is called on it; a moment passes with every delivery."""

    unique_id = 9
    topic = "trading"
    exchange = None

    def __init__(self) -> None:
        self.network = MessageNetwork(links_of(nx.Graph()), seed=1)
        self.lines: list[str] = []

    def carry(self) -> None:
        self.lines.append("carry")
        self.network.clock_s += 1.0

    def enrol(self, topic: str, coordinator: int, now_s: float) -> None:
        self.lines.append(f"enrol {topic} {coordinator} at {now_s:g}")

    def open_exchange(self) -> None:
        self.lines.append("open")

    def quote(self, now_s: float) -> None:
        self.lines.append(f"quote at {now_s:g}")

    def close_round(self) -> None:
        self.lines.append("close round")

    def announce_closing(self, now_s: float) -> None:
        self.lines.append(f"closing at {now_s:g}")

    def tell_sums(self, receiver: int, now_s: float) -> None:
        self.lines.append(f"sums to {receiver} at {now_s:g}")

    def tell_remainder(self, receiver: int, now_s: float) -> None:
        self.lines.append(f"remainder to {receiver} at {now_s:g}")

    def pass_on_set_points(self, now_s: float) -> None:
        self.lines.append(f"set points at {now_s:g}")


@pytest.mark.parametrize("counterparty", [None, 0])
def test_steps_in_order_and_on_the_clock(counterparty: int | None) -> None:
    # Address 0 is a counterparty like any other.
    script = Script()
    talk = Negotiation(script, [script, script], counterparty, script)
    talk.open()
    talk.round()
    talk.close()
    alone = counterparty is None
    start = 1 if alone else 2
    expected = ["enrol trading 9 at 0", "enrol trading 9 at 0", "carry"]
    expected += [] if alone else ["sums to 0 at 1", "carry"]
    # What is said at the opening arrives before the first quote.
    expected += ["open", "carry", f"quote at {start + 1}", "carry", "close round"]
    expected += [f"closing at {start + 2}", "carry"]
    expected += [] if alone else ["remainder to 0 at 5", "carry", "set points at 6", "carry"]
    assert script.lines == expected
