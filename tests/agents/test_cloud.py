"""The cloud: sums by commodity, quotes to each its own, no member's state."""

import mesa
import numpy as np
import pytest

from nashgrid.agents.bench import Members
from nashgrid.agents.cloud import Cloud
from nashgrid.market.disclosure import DISCLOSED
from nashgrid.market.exchange import ExchangeRules
from nashgrid.market.messages import FIELDS, Messages, one_message

RULES = ExchangeRules(step=0.5, tolerance=1e-6, memory=2)


def cloud() -> Cloud:
    """Members 11 and 12 trade commodities 0, 1 and 2, 1; member 13 all three."""
    lists = np.array([[2, 1], [0, 1]])
    members = [
        Members(np.array([11, 12]), lists, np.array([1, 0])),
        Members(np.array([13]), np.array([[0, 1, 2]]), np.array([0]), role="counterparty"),
    ]
    return Cloud(
        mesa.Model(rng=1),
        "trading",
        members=members,
        rules=RULES,
        opening_price=np.array([0.1, 0.2, 0.3]),
    )


def tell(one: Cloud, kind: str, sender: int, **fields: list[float]) -> None:
    content = {name: np.array(values) for name, values in fields.items()}
    one.receive(one_message(kind, "trading", sender, one.unique_id, content, 0.0))


def opened() -> Cloud:
    one = cloud()
    tell(one, "enrolment", 12, size=[5.0, 2.0])
    tell(one, "enrolment", 11, size=[1.0, 3.0])
    tell(one, "enrolment", 13, size=[1.0, 5.0, 5.0])
    one.open_exchange()
    return one


def answer(one: Cloud) -> None:
    tell(one, "offer", 13, quantity=[-1, -1, -1], squared_norm=[2], residual_products=[0, 1, 7])
    tell(one, "offer", 12, quantity=[4, 2], squared_norm=[3], residual_products=[0, 0, 6])
    tell(one, "offer", 11, quantity=[3, 6], squared_norm=[5], residual_products=[0, 0, 5])


def test_not_open_before_everybody_has_enrolled() -> None:
    with pytest.raises(ValueError, match="cloud of trading is not open yet"):
        cloud().quote(0.0)


def test_sums_by_commodity_close_a_round() -> None:
    one = opened()
    answer(one)
    one.close_round()
    # Said: 3 - 1, 6 + 2 - 1, 4 - 1 kW; sizes 2, 10, 10 kW.
    np.testing.assert_allclose(one.exchange.imbalance, [1.0, 0.7, 0.3])
    np.testing.assert_allclose(one.exchange.clearing_price, [0.6, 0.55, 0.45])
    moved = 2 * 1.0 + 10 * 0.49 + 10 * 0.09
    record = one.exchange.records[0]
    assert record.primal_residual == pytest.approx(np.sqrt(moved / 10) / 1.6)
    drift = 18 - moved
    prices = 2 * 0.36 + 10 * 0.3025 + 10 * 0.2025
    scale = max(prices, 0.25 * 22)
    assert record.dual_residual == pytest.approx(0.5 * np.sqrt(drift / scale))


def test_each_is_quoted_its_own_commodities() -> None:
    one = opened()
    one.quote(2.5)
    quoted = {}
    for column in one.outbox:
        assert (column.kind, column.topic) == ("quote", "trading")
        assert set(column.senders.tolist()) == {one.unique_id}
        assert set(column.sent_s.tolist()) == {2.5}
        for row, receiver in enumerate(column.receivers.tolist()):
            quoted[receiver] = {name: v[row].tolist() for name, v in column.fields.items()}
    assert [quoted[n]["price"] for n in (11, 12, 13)] == [[0.1, 0.2], [0.3, 0.2], [0.1, 0.2, 0.3]]
    assert quoted[11]["imbalance"] == [0.0, 0.0]
    assert all(q["step"] == [0.5] for q in quoted.values())
    assert all(q["memory_slot"] == [-1.0] for q in quoted.values())
    assert all(q["mixing_weights"] == [0.0, 0.0] for q in quoted.values())


def test_order_of_arrival_does_not_matter() -> None:
    one, other = opened(), opened()
    answer(one)
    columns = []
    for sender, quantity in ((12, [4.0, 2.0]), (11, [3.0, 6.0])):
        columns.append((sender, quantity))
    fields = {
        "quantity": np.array([quantity for _, quantity in columns]),
        "squared_norm": np.array([[3.0], [5.0]]),
        "residual_products": np.array([[0.0, 0, 6], [0, 0, 5]]),
    }
    senders = np.array([sender for sender, _ in columns])
    other.receive(Messages("offer", "trading", senders, np.full(2, 1), fields, np.zeros(2)))
    tell(other, "offer", 13, quantity=[-1, -1, -1], squared_norm=[2], residual_products=[0, 1, 7])
    one.close_round()
    other.close_round()
    np.testing.assert_array_equal(one.exchange.price, other.exchange.price)
    assert one.exchange.records == other.exchange.records


def test_counterparty_learns_sums_and_takes_the_rest() -> None:
    one = cloud()
    for sender, at in ((11, 1.0), (12, 10.0)):
        names = ("size", "connection_kw", "lowest_kw", "highest_kw")
        rows = {name: [at, 2 * at] for name in names}
        tell(one, "enrolment", sender, **rows)
    one.tell_sums(13, 1.0)
    sums = one.outbox.pop()
    assert (sums.kind, sums.receivers.tolist()) == ("enrolment sums", [13])
    # Commodity 0 is of 11 alone, 2 of 12 alone, 1 of both.
    assert sums.fields["lowest_kw"].tolist() == [[1.0, 22.0, 10.0]]
    assert set(sums.fields) == {"size", "connection_kw", "lowest_kw", "highest_kw"}
    one.open_exchange()
    tell(one, "commitment", 11, quantity=[1.0, -2.0])
    tell(one, "commitment", 12, quantity=[4.0, 8.0])
    one.tell_remainder(13, 3.0)
    remainder = one.outbox.pop()
    assert remainder.kind == "remainder"
    assert remainder.fields["quantity"].tolist() == [[-1.0, -6.0, -4.0]]


def test_nothing_heard_outlives_its_round() -> None:
    one = opened()
    answer(one)
    one.close_round()
    assert all(not bench.heard for bench in one._benches)
    # A stranger's word counts for nothing.
    tell(one, "offer", 99, quantity=[9, 9], squared_norm=[9], residual_products=[9, 9, 9])
    assert all(not bench.heard for bench in one._benches)


@pytest.mark.parametrize(
    ("kind", "group", "field"),
    [
        ("quote", 0, "quantity"),  # another's offer
        ("closing", 0, "imbalance"),  # declared for a quote, not for a closing
        ("enrolment sums", 0, "size"),  # for the counterparty alone
        ("remainder", 1, "agreed_kw"),  # a member's own schedule
    ],
)
def test_what_is_not_declared_for_a_role_is_not_said(kind: str, group: int, field: str) -> None:
    one = opened()
    role = ["prosumer", "counterparty"][group]
    members = one._benches[group].members
    with pytest.raises(ValueError, match=f"a {kind} must not tell a {role} of {field}"):
        one._tell(kind, members, {field: np.zeros((len(members), 1))}, 0.0)
    assert not one.outbox


def test_sums_are_for_who_takes_part_alone() -> None:
    with pytest.raises(ValueError, match="nobody who takes part alone has the address 12"):
        opened().tell_sums(12, 0.0)


def test_every_declared_field_is_one_of_its_kind_of_message() -> None:
    for kind, roles in DISCLOSED.items():
        for fields in roles.values():
            assert set(fields) <= set(FIELDS[kind])
