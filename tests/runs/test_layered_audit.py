"""The audit of messages where communities have managers and a battery is for rent."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nashgrid.runs.message_audit import audit
from nashgrid.runs.model import TradingModel
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.tables import messages_table

SLOTS = 2


def scenario() -> Scenario:
    tariff = [
        {"start": "12:00:00", "retail_price_per_kwh": 0.20, "feed_in_price_per_kwh": 0.05},
        {"start": "13:00:00", "retail_price_per_kwh": 0.30, "feed_in_price_per_kwh": 0.05},
    ]
    buildings: list[dict[str, Any]] = [
        {
            "name": f"House {number}",
            "community": "Sun" if number < 3 else "Shade",
            "connection_kw": 20.0,
            "loads": [{"values": [1.0 + number, 2.0], "unit": "kw"}],
        }
        for number in range(5)
    ]
    buildings[0]["pv"] = [{"values": [12.0, 0.0], "unit": "kw", "rating_kw": 12.0}]
    buildings[1]["batteries"] = [{"capacity_kwh": 8, "power_kw": 4, "rents_to": "community"}]
    fees = {"inside_fee_per_kwh": 0.01, "between_fee_per_kwh": 0.02, "rest_fee_per_kwh": 0.05}
    return Scenario.model_validate(
        {
            "name": "layers",
            "horizon": {"start": "2016-06-23T12:00:00", "slots": SLOTS},
            "utility": {"exchange_limit_kw": 90.0, "tariff": tariff},
            "buildings": buildings,
            "levels": fees,
        }
    )


@pytest.fixture(scope="module")
def model() -> TradingModel:
    held = TradingModel(scenario(), ("utility-only", "trading"), seed=1)
    while held.running:
        held.step()
    return held


@pytest.fixture
def said(model: TradingModel) -> pd.DataFrame:
    return messages_table(model.post.network.log).to_pandas()


def found(model: TradingModel, said: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    schema = messages_table(model.post.network.log).schema
    table = pa.Table.from_pandas(said, schema=schema, preserve_index=False)
    audited = audit(table, model.wires, model.roster)
    return audited.to_counterparty, audited.to_prosumers


def test_an_honest_cloud_tells_nobody_too_much(model: TradingModel, said: pd.DataFrame) -> None:
    assert found(model, said) == ((), ())
    assert {"left over", "remainder"} <= set(said["kind"])


@pytest.mark.parametrize(
    ("kind", "field", "receiver"),
    [
        ("enrolment sums", "size", 6),
        ("enrolment sums", "lowest_kw", 7),
        ("left over", "quantity", 6),
        ("quote", "price", 1),
        ("quote", "imbalance", 6),
        ("closing", "price", 2),
        ("closing", "price", 7),
    ],
)
def test_a_word_that_follows_from_nothing_is_found(
    model: TradingModel, said: pd.DataFrame, kind: str, field: str, receiver: int
) -> None:
    changed = said.copy()
    rows = changed[(changed["topic"] == "trading") & (changed["kind"] == kind)]
    row = rows[rows["receiver"] == receiver].index[-1]
    leak = np.array(changed.at[row, field]) + 1e-3
    changed.at[row, field] = leak
    to_counterparty, to_others = found(model, changed)
    assert to_counterparty == ()
    assert len(to_others) == 1
    assert f"address {receiver}" in to_others[0]


@pytest.mark.parametrize(("kind", "field"), [("remainder", "quantity"), ("quote", "price")])
def test_who_delivers_is_held_to_sums_as_well(
    model: TradingModel, said: pd.DataFrame, kind: str, field: str
) -> None:
    changed, last = said.copy(), model.counterparty.unique_id
    rows = changed[(changed["topic"] == "trading") & (changed["kind"] == kind)]
    row = rows[rows["receiver"] == last].index[-1]
    changed.at[row, field] = np.array(changed.at[row, field]) + 1e-3
    to_counterparty, _ = found(model, changed)
    assert len(to_counterparty) == 1


def test_a_field_that_is_not_declared_is_found(model: TradingModel, said: pd.DataFrame) -> None:
    changed = said.copy()
    rows = changed[(changed["topic"] == "trading") & (changed["kind"] == "left over")]
    changed.at[rows.index[0], "size"] = np.ones(3)
    _, to_others = found(model, changed)
    assert "trading: a left over told a manager its size" in to_others
