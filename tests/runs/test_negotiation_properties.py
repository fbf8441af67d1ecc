"""What must hold in every community: random small ones, with and without wires."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.simulate import simulate

# A failure is shown as it was found: shrinking it would take many more runs.
FEW = settings(deadline=None, derandomize=True, max_examples=4, phases=[Phase.generate])
TOLERANCE = 1e-6


@st.composite
def communities(draw: st.DrawFn) -> dict[str, Any]:
    """2-4 buildings over 2-4 slots; the first has more PV than load at noon, the second none."""
    slots, count = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    power = st.floats(0.3, 4.0).map(lambda value: round(value, 3))
    buildings = []
    for number in range(count):
        load = draw(st.lists(power, min_size=slots, max_size=slots))
        entry: dict[str, Any] = {
            "name": f"House {number}",
            "connection_kw": 15.0,
            "loads": [{"values": load, "unit": "kw"}],
        }
        if number == 0 or (number > 1 and draw(st.booleans())):
            sun = [1.5 * value for value in load] if number == 0 else load
            sun[0] = 0.0
            entry["pv"] = [{"values": sun, "unit": "kw", "rating_kw": 6.0}]
        if draw(st.booleans()):
            entry["batteries"] = [{"capacity_kwh": 4.0, "power_kw": 1.0}]
        if draw(st.booleans()):
            entry["shiftable_loads"] = [
                {"energy_kwh": 1.0, "limit_kw": 1.0, "discomfort_per_kwh": 0.04}
            ]
        buildings.append(entry)
    retail = draw(st.floats(0.2, 0.4))
    return {
        "name": "random",
        "horizon": {"start": "2016-06-23T00:00:00", "slots": slots, "slot_minutes": 60},
        "utility": {
            "exchange_limit_kw": 60.0,
            "tariff": [period("00:00", retail), period("02:00", retail + 0.1)],
        },
        "negotiation": {"tolerance": TOLERANCE},
        "buildings": buildings,
        "generators": [
            {
                "name": "Engine",
                "maximum_kw": 3.0,
                "linear_cost_per_kwh": 0.12,
                "quadratic_cost_per_kw2h": 0.02,
            }
        ][: draw(st.integers(0, 1))],
    }


def period(start: str, retail: float) -> dict[str, Any]:
    return {"start": start, "retail_price_per_kwh": retail, "feed_in_price_per_kwh": 0.08}


@pytest.fixture(scope="module")
def feeder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four buses: 1-2-3 in a row and 4 beside 3, on 0.4 kV."""
    folder = tmp_path_factory.mktemp("feeder")
    header = 'name = "lane"\nsource = "own"\nbase_kv = 0.4\nbase_mva = 0.1\nroot_bus = 1\n'
    (folder / "feeder.toml").write_text(header)
    (folder / "buses.csv").write_text("bus,load_kw,load_kvar\n1,0,0\n2,0,0\n3,0,0\n4,0,0\n")
    lines = "1,2,0.05,0.02,60,1\n2,3,0.1,0.04,2.5,1\n2,4,0.2,0.06,3,1\n"
    (folder / "lines.csv").write_text(
        "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n" + lines
    )
    return folder


def wired(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The community spread over the feeder; load may go unserved, so that it is feasible."""
    places = {
        group: [entry | {"bus": 2 + (number + shift) % 3} for number, entry in enumerate(entries)]
        for shift, (group, entries) in enumerate(
            (group, content[group]) for group in ("buildings", "generators")
        )
    }
    feeder = {"feeder": {"name": str(folder)}, "unserved_load_price_per_kwh": 3.0}
    return content | places | feeder


def run(content: Mapping[str, Any], market: str) -> Outcome:
    outcome = simulate(Scenario.model_validate(content), market)
    broken = {name: c for name, c in outcome.certificate["claims"].items() if not c["holds"]}
    assert not broken, broken
    return outcome


def settled(outcome: Outcome) -> pd.Series:
    """What each party pays by the settlement, in nano-units, added up apart."""
    rows = outcome.settlement
    out = rows.groupby("payer")["amount_nano"].sum()
    into = rows.groupby("payee")["amount_nano"].sum()
    return out.sub(into, fill_value=0).astype(float)


def check(outcome: Outcome) -> None:
    """Balance, budget and individual rationality, from the tables alone."""
    whole = outcome.trades.groupby(["case", "bus", "slot"])["trade_kw"].sum()
    assert np.abs(whole).max() < 1e-9
    accounts = outcome.accounts.set_index("agent")
    assert accounts["payment_micro"].sum() == 0
    difference = settled(outcome).reindex(accounts.index, fill_value=0.0) / 1000
    assert np.abs(difference - accounts["payment_micro"]).max() < 1
    players = accounts[accounts["weight"] > 0]
    if outcome.market == "nash-bargaining":
        assert players["saving"].min() >= -1e-6
        # Equal weights: equal gains, up to the tolerance of the schedules.
        spread = players["saving"].max() - players["saving"].min()
        assert spread <= 1e-5 * players["saving"].sum() + 2e-6
    else:
        exact = two_part_savings(outcome)
        assert exact.min() >= -1e-6
        # Settled in whole watt-hours: half a Wh for the baseline and half for the trade.
        highest = outcome.prices["price_per_kwh"].abs().max() + tariff(outcome).retail.max()
        slack = 1e-3 * highest * outcome.scenario.horizon.slots
        assert np.abs(exact - players["saving"].reindex(exact.index)).max() <= slack


def tariff(outcome: Outcome) -> pd.DataFrame:
    """Retail and feed-in price by slot: the second period begins with slot 2."""
    before, after = outcome.scenario.utility.tariff
    periods = [after if s >= 2 else before for s in range(outcome.scenario.horizon.slots)]
    prices = [(one.retail_price_per_kwh, one.feed_in_price_per_kwh) for one in periods]
    return pd.DataFrame(prices, columns=["retail", "feed_in"])


def two_part_savings(outcome: Outcome) -> pd.Series:
    """What each agent saves before anything is rounded: retail on p0, lambda on p - p0."""
    trades = outcome.trades[outcome.trades["community"] != ""]
    alone, now = (
        trades[trades["case"] == case].set_index(["agent", "bus", "slot"])["trade_kw"]
        for case in ("utility-only", "trading")
    )
    prices = outcome.prices[outcome.prices["case"] == "trading"].set_index(["bus", "slot"])
    rows = pd.DataFrame({"alone": alone, "now": now}).reset_index()
    rows = rows.join(prices["price_per_kwh"], on=["bus", "slot"]).join(tariff(outcome), on="slot")
    bill = rows["alone"] * np.where(rows["alone"] > 0, rows["retail"], rows["feed_in"])
    rows["payment"] = bill + rows["price_per_kwh"] * (rows["now"] - rows["alone"])
    accounts = outcome.accounts.set_index("agent")
    paid = rows.groupby("agent")["payment"].sum()
    return (accounts["cost_before"] - accounts["own_cost"]).reindex(paid.index) - paid


def compare(one: Outcome, other: Outcome, factor: float = 1.0) -> None:
    """The same prices, trades and payments, agent by agent."""
    for table, keys, column, scale, tolerance in (
        ("prices", ["case", "bus", "slot"], "price_per_kwh", factor, 1e-5),
        ("trades", ["case", "agent", "bus", "slot"], "trade_kw", 1.0, 1e-3),
        ("accounts", ["agent"], "payment", factor, 1e-4),
        ("accounts", ["agent"], "saving", factor, 1e-5),
    ):
        left = getattr(one, table).set_index(keys)[column].sort_index()
        right = getattr(other, table).set_index(keys)[column].sort_index()
        if table == "prices":
            left, right = left.loc["trading"], right.loc["trading"]
        pd.testing.assert_index_equal(left.index, right.index)
        worst = float(np.abs(left * scale - right).max())
        assert worst <= tolerance * max(1.0, scale), (table, column, worst)


def scaled(content: dict[str, Any], factor: float) -> dict[str, Any]:
    """Every price and every cost coefficient times a factor."""

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: walk(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item, key) for item in value]
        return factor * value if key.endswith(("_per_kwh", "_per_kw2h")) else value

    # The defaults that are prices have to stand in the file to be scaled.
    wear = {"wear_per_kwh": 0.01, "full_power_wear_per_kwh": 0.01}
    buildings = [
        entry | {"batteries": [battery | wear for battery in entry["batteries"]]}
        if "batteries" in entry
        else entry
        for entry in content["buildings"]
    ]
    return dict(walk(content | {"buildings": buildings}))


@given(content=communities())
@FEW
def test_balance_budget_and_nobody_loses(content: dict[str, Any]) -> None:
    for market in ("nash-bargaining", "two-part"):
        check(run(content, market))


@given(content=communities())
@FEW
def test_the_same_with_wires_that_bind(content: dict[str, Any], feeder_folder: Path) -> None:
    for market in ("nash-bargaining", "two-part"):
        check(run(wired(content, feeder_folder), market))


@given(content=communities(), data=st.data())
@FEW
def test_permuting_the_agents_permutes_the_outcome(
    content: dict[str, Any], data: st.DataObject, feeder_folder: Path
) -> None:
    if data.draw(st.booleans(), label="wires"):
        content = wired(content, feeder_folder)
    order = data.draw(st.permutations(content["buildings"]), label="order")
    market = data.draw(st.sampled_from(["nash-bargaining", "two-part"]), label="market")
    compare(run(content, market), run(content | {"buildings": order}, market))


@given(
    content=communities(),
    factor=st.sampled_from([0.25, 3.0, 50.0]),
    market=st.sampled_from(["nash-bargaining", "two-part", "competitive"]),
)
@FEW
def test_scaling_all_prices_scales_all_payments(
    content: dict[str, Any], factor: float, market: str
) -> None:
    compare(run(content, market), run(scaled(content, factor), market), factor)


@given(content=communities())
@FEW
def test_without_wires_prices_lie_between_feed_in_and_retail(content: dict[str, Any]) -> None:
    prices = run(content, "competitive").prices
    prices = prices[prices["case"] == "trading"].set_index("slot")["price_per_kwh"]
    before, after = (p["retail_price_per_kwh"] for p in content["utility"]["tariff"])
    retail = np.where(prices.index < 2, before, after)
    assert (prices >= 0.08 - 1e-6).all()
    assert (prices <= retail + 1e-6).all()
