"""Columns of messages: what may travel, what it weighs, how columns are cut and joined."""

import numpy as np
import pytest

from nashgrid.market.messages import FIELDS, HEADER_BYTES, Messages, join, one_message


def offers(senders: list[int], width: int = 2) -> Messages:
    quantity = np.array([[10.0 * sender + k for k in range(width)] for sender in senders])
    return Messages(
        "offer",
        "trading",
        np.array(senders),
        np.full(len(senders), 9),
        {"quantity": quantity},
        np.array(senders, dtype=float),
    )


@pytest.mark.parametrize(
    ("kind", "field"),
    [("offer", "schedule"), ("offer", "price"), ("quote", "quantity"), ("gossip", "quantity")],
)
def test_only_declared_fields_may_travel(kind: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"{kind!r} does not declare .*{field}"):
        one_message(kind, "trading", 1, 2, {field: np.zeros(3)}, 0.0)


def test_every_declared_field_states_its_unit() -> None:
    for fields in FIELDS.values():
        for name, meaning in fields.items():
            assert meaning.endswith("]") or name == "memory_slot", name


def test_one_message_is_a_column_of_length_one() -> None:
    fields = {"quantity": np.array([1.0, -2.0]), "squared_norm": np.array(4.0)}
    message = one_message("offer", "trading", 3, 7, fields, 1.5)
    assert len(message) == 1
    assert message.senders.tolist() == [3]
    assert message.receivers.tolist() == [7]
    assert message.sent_s.tolist() == [1.5]
    assert message.fields["quantity"].tolist() == [[1.0, -2.0]]
    assert message.fields["squared_norm"].shape == (1, 1)
    # Three numbers of eight bytes after the header of three.
    assert message.bytes_each == HEADER_BYTES + 24 == 48


def test_select_keeps_rows_together() -> None:
    column = offers([4, 2, 5])
    chosen = column.select(column.senders != 2)
    assert chosen.senders.tolist() == [4, 5]
    assert chosen.fields["quantity"][:, 0].tolist() == [40.0, 50.0]
    assert chosen.sent_s.tolist() == [4.0, 5.0]
    later = column.select(slice(None), sent_s=np.array([7.0, 8.0, 9.0]))
    assert later.sent_s.tolist() == [7.0, 8.0, 9.0]
    assert column.sent_s.tolist() == [4.0, 2.0, 5.0]


def test_join_is_the_columns_one_after_the_other() -> None:
    whole = join([offers([4]), offers([2, 5])])
    assert whole.senders.tolist() == [4, 2, 5]
    assert whole.fields["quantity"].tolist() == [[40, 41], [20, 21], [50, 51]]
    assert whole.sent_s.tolist() == [4.0, 2.0, 5.0]
    assert join([whole]) is whole


def test_form_tells_apart_what_cannot_be_joined() -> None:
    assert offers([1]).form == offers([2, 3]).form
    assert offers([1]).form != offers([1], width=3).form
    other = one_message("commitment", "trading", 1, 9, {"quantity": np.zeros(2)}, 0.0)
    assert offers([1]).form != other.form
    elsewhere = one_message("offer", "money", 1, 9, {"quantity": np.zeros(2)}, 0.0)
    assert offers([1]).form != elsewhere.form
