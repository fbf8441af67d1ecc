"""Routes: found once, and never mistaken for one another."""

import numpy as np
import pytest

from nashgrid.market.links import Links
from nashgrid.market.messages import Messages
from nashgrid.market.routes import REMEMBERED, Routes

LEAVES = np.arange(1, 1001)


def star(jitter_s: float = 0.0, loss: float = 0.0) -> Routes:
    """Address 0 linked to 1 ... 1000, each with a latency of its own; chance at the last two."""
    jitter, lost = np.zeros((2, 1000))
    jitter[-1], lost[-2] = jitter_s, loss
    return Routes(Links(np.zeros(1000, np.int64), LEAVES, LEAVES / 100, jitter, lost))


def column(receivers: np.ndarray) -> Messages:
    fields = {"price": np.zeros((len(receivers), 1))}
    return Messages("quote", "trading", np.zeros_like(receivers), receivers, fields)


def test_a_column_that_comes_again_takes_the_same_route() -> None:
    routes = star()
    first = routes.find(column(LEAVES))
    np.testing.assert_array_equal(first.latency_s, LEAVES / 100)
    assert routes.find(column(LEAVES.copy())) is first


def test_columns_with_the_same_ends_keep_apart() -> None:
    routes = star()
    routes.find(column(LEAVES[:4]))
    other = LEAVES[[0, 5, 9, 3]]
    np.testing.assert_array_equal(routes.find(column(other)).latency_s, other / 100)
    np.testing.assert_array_equal(routes.find(column(LEAVES[:4])).latency_s, LEAVES[:4] / 100)


def test_many_routes_do_not_pile_up() -> None:
    routes = star()
    for leaf in range(REMEMBERED + 100):
        routes.find(column(LEAVES[leaf : leaf + 1]))
    assert 0 < len(routes._known) <= REMEMBERED


@pytest.mark.parametrize("chance", [{"jitter_s": 0.1}, {"loss": 0.1}])
def test_what_is_left_to_chance(chance: dict[str, float]) -> None:
    routes = star(**chance)
    assert routes.find(column(LEAVES)).left_to_chance
    assert not routes.find(column(LEAVES[:900])).left_to_chance


def test_nobody_is_reached_without_a_link() -> None:
    with pytest.raises(ValueError, match="no link from 0 to 2000 for a message of kind 'quote'"):
        star().find(column(np.array([3, 2000])))
