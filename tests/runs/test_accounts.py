"""The accounts of a settlement worked out by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.accounts import accounts_table
from nashgrid.runs.scenario import UTILITY

SUNNY, SHADY = "Sunny house", "Shady house"
HOUSES = pd.DataFrame(
    [(SUNNY, "household", "Yard", 0, 1.0), (SHADY, "household", "Yard", 0, 1.5)],
    columns=["agent", "kind", "community", "bus", "weight"],
)
Rows = list[tuple[str, str, int]]


def accounts(listed: Rows, **of_operator: Any) -> pd.DataFrame:
    columns = ["payer", "payee", "item", "amount_nano"]
    rows = [(payer, payee, "test", nano) for payer, payee, nano in listed]
    inputs: dict[str, Any] = {"loss_cost_before": 0.0, "operator_weight": None, **of_operator}
    table = accounts_table(
        HOUSES,
        pd.DataFrame(rows, columns=columns).astype({"amount_nano": "Int64"}),
        device_cost_before=np.array([0.25, 0.5]),
        device_cost=np.array([0.125, 0.5]),
        bills=np.array([0.75, 2.0]),
        **inputs,
    )
    return table.set_index("agent")


def test_without_a_feeder_the_utility_is_the_counterparty() -> None:
    table = accounts([(SUNNY, UTILITY, -250_000_000), (SHADY, UTILITY, 10**9)])
    assert list(table.index) == [SUNNY, SHADY, UTILITY]
    assert list(table["cost_before"]) == [1.0, 2.5, -2.75]
    assert list(table["payment_micro"]) == [-250_000, 1_000_000, -750_000]
    assert list(table["payment"]) == [-0.25, 1.0, -0.75]
    assert list(table["cost_after"]) == [-0.125, 1.5, -0.75]
    assert list(table["saving"]) == [1.125, 1.0, -2.0]
    assert list(table["weight"]) == [1.0, 1.5, 0.0]


def test_with_a_feeder_operator_and_utility_have_a_row_each() -> None:
    listed = [(SHADY, "operator", 10**9), ("operator", UTILITY, 10**8)]
    table = accounts(listed, loss_cost_before=0.25, operator_weight=2.0)
    assert list(table.index) == [SUNNY, SHADY, "operator", UTILITY]
    assert list(table["kind"]) == ["household", "household", "operator", UTILITY]
    assert list(table["community"]) == ["Yard", "Yard", "", ""]
    assert list(table["weight"]) == [1.0, 1.5, 2.0, 0.0]
    assert list(table["payment_micro"]) == [0, 1_000_000, -900_000, -100_000]
    # The utility received the bills, and what the operator paid for losses: 2.75 and .25.
    assert table.loc[UTILITY, "cost_before"] == -3.0
    assert table.loc["operator", "cost_before"] == 0.25
    assert table.loc["operator", "saving"] == pytest.approx(0.25 + 0.9)


def test_categories_of_a_large_roster_make_room_for_the_other_parties() -> None:
    kinds = HOUSES.astype({"kind": "category", "community": "category"})
    nothing = pd.DataFrame(columns=["payer", "payee", "item", "amount_nano"]).astype(
        {"amount_nano": "Int64"}
    )
    zeros = np.zeros(2)
    table = accounts_table(
        kinds,
        nothing,
        device_cost_before=zeros,
        device_cost=zeros,
        bills=zeros,
        loss_cost_before=0.0,
        operator_weight=0.0,
    )
    assert list(table["kind"]) == ["household", "household", "operator", UTILITY]
    assert list(table["community"]) == ["Yard", "Yard", "", ""]


def test_fractions_of_a_micro_unit_go_to_the_largest_remainder() -> None:
    # Floors -1, 0, -1 leave two micro-units; the remainders are .6, .7 and .7.
    table = accounts([(SUNNY, SHADY, -400), (SHADY, UTILITY, 300)])
    assert int(table["payment_micro"].sum()) == 0
    assert list(table["payment_micro"]) == [-1, 1, 0]


def test_a_payment_to_a_stranger_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown party 'Nobody'"):
        accounts([(SUNNY, "Nobody", 1)])
