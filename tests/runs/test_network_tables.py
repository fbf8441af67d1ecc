"""Tables of the wires, and the claims on prices that are made of them."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nashgrid.market.topics import TRADING
from nashgrid.runs.network_tables import PARTS
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.price_claims import price_claims
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.wire_laying import lay_wires

PER_KWH = [f"{part}_per_kwh" for part in PARTS]
CLAIMS = ("trading: price parts", "trading: generators")


def with_generator(trio: dict[str, Any], **changes: float) -> dict[str, Any]:
    """The trio and an engine behind its thin line, at .27 + .04 g per kWh."""
    content = copy.deepcopy(trio)
    engine = {
        "name": "Engine",
        "bus": 3,
        "maximum_kw": 3.0,
        "linear_cost_per_kwh": 0.27,
        "quadratic_cost_per_kw2h": 0.02,
    }
    return content | {"generators": [engine | changes]}


@pytest.fixture(scope="module")
def engine(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    place = tmp_path_factory.mktemp("engine")
    return simulate(load_scenario(write(place, with_generator(trio))), "competitive")


def of_trading(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["case"] == TRADING].reset_index(drop=True)


def test_the_parts_sum_to_the_prices(engine: Outcome) -> None:
    keys = ["case", "slot", "bus"]
    parts = engine.price_parts.set_index(keys)[PER_KWH]
    prices = engine.prices.set_index(keys)["price_per_kwh"]
    np.testing.assert_allclose(parts.sum(axis=1).loc[prices.index], prices, atol=1e-12)
    assert parts["remainder_per_kwh"].abs().max() <= 1e-5
    # Alone with the utility everybody pays the tariff apart: there is no energy to price.
    alone = parts.loc["utility-only"]
    np.testing.assert_array_equal(alone[["energy_per_kwh", "loss_per_kwh"]], 0.0)


def test_the_parts_of_a_day_on_three_buses_by_hand(engine: Outcome) -> None:
    # Losses by LinDistFlow: r is .01 and .02 per unit of 100 kVA.
    parts, trades = of_trading(engine.price_parts), of_trading(engine.trades)
    own = trades[trades["community"] != ""]
    taken = own.pivot_table(index="slot", columns="bus", values="trade_kw", aggfunc="sum")
    retail = lay_wires(engine.scenario).tariff.retail_price_per_kwh
    first = retail * 2 * 0.01 * taken.sum(axis=1) / 100
    second = first + retail * 2 * 0.02 * taken[3] / 100
    loss = parts.pivot(index="slot", columns="bus", values="loss_per_kwh")
    np.testing.assert_allclose(loss[2], first, atol=1e-5)
    np.testing.assert_allclose(loss[3], second, atol=1e-5)
    # The energy part is the price upstream where something is exchanged.
    energy = parts[parts["bus"] == 2]["energy_per_kwh"].to_numpy()
    buys = taken.sum(axis=1).to_numpy() > 1e-3
    assert buys.any()
    np.testing.assert_allclose(energy[buys], retail[buys], atol=1e-6)


def test_an_outcome_holds_both_claims(engine: Outcome) -> None:
    for name in CLAIMS:
        claim = engine.certificate["claims"][name]
        assert claim["holds"]
        assert claim["bound"] <= 1e-4
    output = of_trading(engine.schedules.dropna(subset="generation_kw"))["generation_kw"]
    inside = (output > 0.01) & (output < 2.99)
    assert inside.any()
    price = of_trading(engine.prices).query("bus == 3")["price_per_kwh"].to_numpy()
    np.testing.assert_allclose(price[inside], 0.27 + 0.04 * output[inside], atol=1e-5)


def test_another_price_breaks_both_claims(engine: Outcome) -> None:
    wires = lay_wires(engine.scenario)
    dearer = engine.prices.assign(price_per_kwh=engine.prices["price_per_kwh"] + 0.01)
    parts = engine.price_parts.assign(
        remainder_per_kwh=engine.price_parts["remainder_per_kwh"] + 0.01
    )
    claims = price_claims(wires, replace(engine, prices=dearer, price_parts=parts), [TRADING])
    for name in CLAIMS:
        assert claims[name]["value"] == pytest.approx(0.01, rel=1e-2)
        assert not claims[name]["holds"]


def test_a_generator_at_a_limit_or_on_its_ramp_sets_no_price(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    for changes in ({"maximum_kw": 0.01, "linear_cost_per_kwh": 0.01}, {"minimum_kw": 2.999}):
        content = with_generator(trio, **changes)
        outcome = simulate(load_scenario(write(tmp_path, content)), "competitive")
        assert outcome.certificate["claims"]["trading: generators"]["value"] == 0.0
    content = with_generator(trio, ramp_kw_per_hour=0.2)
    outcome = simulate(load_scenario(write(tmp_path, content)), "competitive")
    output = of_trading(outcome.schedules.dropna(subset="generation_kw"))["generation_kw"]
    assert np.abs(np.diff(output)).max() == pytest.approx(0.2, abs=1e-6)
    assert outcome.certificate["claims"]["trading: generators"]["holds"]


def test_without_a_feeder_there_are_columns_and_no_rows() -> None:
    outcome = simulate(load_scenario("duet"), "competitive")
    for table in ("voltages", "lines", "losses", "price_parts"):
        assert getattr(outcome, table).empty
        assert list(getattr(outcome, table))[:2] == ["case", "slot"]
    assert list(outcome.price_parts)[3:] == [*PER_KWH, "flow_model"]
    assert not set(CLAIMS) & set(outcome.certificate["claims"])
