"""The accounts of a settlement worked out by hand."""

from typing import Any

import pandas as pd
import pytest

from nashgrid.market.settlement import Payment
from nashgrid.runs.accounts import accounts_table
from nashgrid.runs.ledger import UTILITY, settlement_table
from nashgrid.runs.scenario import Scenario

SUNNY, SHADY = "Sunny house", "Shady house"


def accounts(content: dict[str, Any], counterparty: str, listed: list[Payment]) -> pd.DataFrame:
    table = accounts_table(
        Scenario.model_validate(content),
        counterparty,
        cost_before={SUNNY: 1.0, SHADY: 2.5, "Shed": 0.5, counterparty: 0.25},
        bills=[0.75, 2.0],
        own_cost={SUNNY: 0.125, SHADY: 0.5, "Shed": 0.5},
        settlement=settlement_table(listed),
    )
    return table.set_index("agent")


def paying(payer: str, payee: str, nano: int) -> Payment:
    return Payment(payer, payee, "test", None, None, None, nano)


def test_without_a_feeder_the_utility_is_the_counterparty(duet: dict[str, Any]) -> None:
    table = accounts(
        duet, UTILITY, [paying(SUNNY, UTILITY, -250_000_000), paying(SHADY, UTILITY, 10**9)]
    )
    assert list(table.index) == [SUNNY, SHADY, UTILITY]
    assert list(table["payment_micro"]) == [-250_000, 1_000_000, -750_000]
    assert list(table["payment"]) == [-0.25, 1.0, -0.75]
    assert list(table["cost_after"]) == [-0.125, 1.5, -0.75]
    assert list(table["saving"][:2]) == [1.125, 1.0]
    assert list(table["weight"]) == [1.0, 1.0, 0.0]
    # It received the bills, and what the counterparty lost before: 2.75 and .25.
    assert table.loc[UTILITY, "cost_before"] == -3.0
    assert table.loc[UTILITY, "saving"] == -2.25


def test_with_a_feeder_operator_and_utility_have_a_row_each(trio: dict[str, Any]) -> None:
    content = {**trio, "bargaining": {"operator_weight": 2.0}}
    content["generators"] = [
        {
            "name": "Engine",
            "bus": 2,
            "community": "Yard",
            "maximum_kw": 1.0,
            "linear_cost_per_kwh": 0.1,
            "quadratic_cost_per_kw2h": 0.1,
        }
    ]
    table = accounts(
        content, "operator", [paying(SHADY, "operator", 10**9), paying("operator", UTILITY, 10**8)]
    )
    assert list(table.index) == [SUNNY, SHADY, "Shed", "Engine", "operator", UTILITY]
    assert list(table["kind"]) == [
        "household",
        "household",
        "community battery",
        "generator",
        "operator",
        UTILITY,
    ]
    assert list(table["bus"]) == [2, 3, 3, 2, 0, 0]
    assert list(table["community"])[2:] == ["community", "Yard", "", ""]
    assert list(table["weight"])[-2:] == [2.0, 0.0]
    assert list(table["payment_micro"]) == [0, 1_000_000, 0, 0, -900_000, -100_000]
    assert table.loc[UTILITY, "cost_before"] == -3.0
    assert table.loc["operator", "saving"] == pytest.approx(0.25 + 0.9)


def test_fractions_of_a_micro_unit_go_to_the_largest_remainder(duet: dict[str, Any]) -> None:
    # Floors -1, 0, -1 leave two micro-units; the remainders are .6, .7 and .7.
    table = accounts(duet, UTILITY, [paying(SUNNY, SHADY, -400), paying(SHADY, UTILITY, 300)])
    assert int(table["payment_micro"].sum()) == 0
    assert list(table["payment_micro"]) == [-1, 1, 0]


def test_a_payment_to_a_stranger_is_refused(duet: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown party 'Nobody'"):
        accounts(duet, UTILITY, [paying(SUNNY, "Nobody", 1)])
