"""A leader's charge and the followers' answers, against games that can be solved by hand."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from typer.testing import CliRunner

import nashgrid as ng
from nashgrid.runs.charges_tried import led_by
from nashgrid.runs.command_line import app
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.page import report_sections
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario, parse_scenario
from nashgrid.runs.wire_laying import lay_wires


def pair() -> Scenario:
    """A generator of cost .1 g + .02 g^2 beside a load of 10 kW; tariff .5 and .1, one hour."""
    content = {
        "name": "pair",
        "horizon": {"start": "START", "slots": 1},
        "utility": {
            "exchange_limit_kw": 50.0,
            "tariff": [
                {"start": "MIDNIGHT", "retail_price_per_kwh": 0.5, "feed_in_price_per_kwh": 0.1}
            ],
        },
        "buildings": [
            {"name": "Load", "connection_kw": 20.0, "loads": [{"values": [10.0], "unit": "kw"}]}
        ],
        "generators": [
            {
                "name": "Engine",
                "maximum_kw": 20.0,
                "linear_cost_per_kwh": 0.1,
                "quadratic_cost_per_kw2h": 0.02,
            }
        ],
    }
    text = tomli_w.dumps(content).replace('"START"', "2016-06-23T10:00:00")
    return parse_scenario(text.replace('"MIDNIGHT"', "00:00:00"), "pair.toml", Path())


@pytest.fixture(scope="module")
def monopoly() -> Outcome:
    return ng.simulate(pair(), market="stackelberg")


@pytest.fixture(scope="module")
def duet_led() -> Outcome:
    return ng.simulate(load_scenario("duet"), market="stackelberg")


def test_the_best_charge_of_two_agents_by_hand(monopoly: Outcome) -> None:
    """The load buys what is missing at retail, so energy of the utility counts .5 - c, c = .2 s.

    The engine earns .5 - 2 c and gives (.5 - .4 s - .1) / .04 = 10 (1 - s) kW; both sides pay c,
    so the leader earns 2 c 10 (1 - s) = 4 s (1 - s): 1 EUR at s = 1/2.
    """
    tried = monopoly.charges_tried
    np.testing.assert_allclose(tried["inside_kwh"], 10 * (1 - tried["share"]), atol=1e-2)
    np.testing.assert_allclose(
        tried["profit"], 4 * tried["share"] * (1 - tried["share"]), atol=3e-3
    )
    np.testing.assert_allclose(tried["income"], tried["profit"], atol=3e-3)
    np.testing.assert_allclose(tried["charge_per_kwh"], 0.2 * tried["share"])
    found = monopoly.certificate["leader"]
    assert monopoly.certified
    assert found["share"] == pytest.approx(0.5, abs=0.02)
    assert found["profit"] == pytest.approx(1.0, abs=2e-3)
    # The load pays retail; of its .4 g - .02 g^2 = 1.5 EUR the engine keeps 2 x 5 x .1 less.
    saving = monopoly.accounts.set_index("agent")["saving"]
    assert saving["Load"] == pytest.approx(0.0, abs=1e-4)
    assert saving["Engine"] == pytest.approx(0.5, abs=3e-2)


def test_the_settlement_is_what_the_rule_says(monopoly: Outcome) -> None:
    rows = monopoly.settlement.set_index(["payer", "item"])
    share = monopoly.certificate["leader"]["share"]
    for agent in ("Load", "Engine"):
        charge = rows.loc[(agent, "charge of the leader")]
        assert charge["energy_wh"] == abs(
            rows.loc[(agent, "energy at the clearing price")].energy_wh
        )
        assert charge["price_micro_per_kwh"] == round(200_000 * share)
    assert monopoly.accounts["payment_micro"].sum() == 0
    assert monopoly.prices["price_per_kwh"].iloc[-1] == pytest.approx(0.5 - 0.2 * share, abs=1e-4)


def test_the_duet_by_hand(duet_led: Outcome) -> None:
    """Three kWh of sun are bought inside, and the Shady house may shift one more into the sun.

    Shifting x kWh saves it .2 (1 - s) x and costs .02 x^2 in either slot: x = 2.5 (1 - s), at most
    1. The leader earns .1 s on both sides, .2 s (3 + x), which rises up to s = 1: it takes all.
    """
    share = duet_led.charges_tried["share"]
    inside = 3 + np.minimum(1.0, 2.5 * (1 - share))
    np.testing.assert_allclose(duet_led.charges_tried["inside_kwh"], inside, atol=5e-3)
    np.testing.assert_allclose(duet_led.charges_tried["profit"], 0.2 * share * inside, atol=1e-3)
    assert duet_led.certificate["leader"]["share"] == 1.0
    assert duet_led.certificate["leader"]["profit"] == pytest.approx(0.6, abs=1e-3)
    # Where the answer stays, an exchange that begins where the last one ended is soon over.
    assert (
        duet_led.charges_tried["rounds"].iloc[1:6].max() < duet_led.charges_tried["rounds"][0] / 2
    )
    # Everybody could pay the tariff: nobody loses, and nobody gains.
    assert duet_led.accounts["saving"].to_numpy() == pytest.approx(0.0, abs=1e-4)


def test_a_leader_with_a_cost_to_recover_takes_the_least_charge() -> None:
    """Where all is shifted it earns .8 s in the duet: .3 EUR at s = 3/8."""
    outcome = ng.stackelberg(load_scenario("duet"), required=0.3)
    found = outcome.certificate["leader"]
    assert outcome.certified
    assert 0.375 <= found["share"] <= 0.395
    assert found["profit"] >= 0.3 - 1e-3
    assert outcome.certificate["individual_rationality"]["number_of_losers"] == 0
    assert outcome.scenario.leader is not None  # so that the files tell what it wanted


def test_without_a_charge_it_is_the_competitive_market(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    """Losses at the margin cost more than on average: the operator earns without a charge."""
    scenario = load_scenario(write(tmp_path, trio))
    led = ng.stackelberg(scenario, required=1e-6)
    usual = ng.simulate(scenario, market="competitive")
    assert led.certified
    assert led.certificate["leader"]["share"] == 0.0
    assert led.certificate["leader"]["income"] == 0.0
    for table, column in (("prices", "price_per_kwh"), ("trades", "trade_kw")):
        one, other = (
            frame[frame["case"] == case][column].to_numpy()
            for frame, case in (
                (getattr(led, table), "stackelberg"),
                (getattr(usual, table), "trading"),
            )
        )
        np.testing.assert_allclose(one, other, atol=2e-3)
    np.testing.assert_allclose(led.accounts["payment"], usual.accounts["payment"], atol=1e-3)


def test_a_leader_on_a_feeder(
    tmp_path: Path, trio: dict[str, Any], write: Callable[..., Path]
) -> None:
    """The operator's account is the profit; where no trade inside pays, it never earns more."""
    outcome = ng.simulate(load_scenario(write(tmp_path, trio)), market="stackelberg")
    tried, found = outcome.charges_tried, outcome.certificate["leader"]
    accounts = outcome.accounts.set_index("agent")
    assert outcome.certified
    assert found["who"] == "operator"
    assert found["profit"] == -accounts.loc["operator", "payment"]
    assert tried["converged"].all()
    assert tried.loc[tried["chosen"], "profit"].item() == tried["profit"].max()
    assert tried["profit"].max() >= tried.loc[tried["share"] == 1.0, "profit"].item()
    assert accounts["payment_micro"].sum() == 0


def test_side_by_side_with_a_market_without_a_leader() -> None:
    """Of the schedules' cost a charge is no part: less is shifted, which costs, and no more."""
    table = ng.compare(load_scenario("duet"), ["competitive", "stackelberg"]).table
    usual, led = table.to_dict("records")
    assert usual["price_of_anarchy"] == pytest.approx(1.0, abs=1e-4)
    # 2.5 without a community; 1.9 with 3 kWh traded inside, 1.74 with all shifted and wanted.
    assert led["price_of_anarchy"] == pytest.approx(1.9 / 1.74, abs=1e-3)
    assert led["rounds"] > 3 * usual["rounds"]  # trials count
    assert led["messages"] > 3 * usual["messages"]


@pytest.fixture(scope="module")
def stored(duet_led: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return duet_led.save(tmp_path_factory.mktemp("led") / "run")


def sign_again(folder: Path) -> None:
    path = folder / "outcome.json"
    record = json.loads(path.read_text())
    for name in record["files"]:
        record["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    del record["checksum"]
    text = json.dumps(record, sort_keys=True)
    record["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(record))


def another_profit(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(profit=table["profit"].where(table["share"] != 0.5, 0.1))


def one_less(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(index=3)


def a_better_one(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(profit=table["profit"].where(table["share"] != 0.5, 0.7))


def another_choice(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(chosen=table["share"] == 0.9)


def not_announced(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(share=table["share"].replace(0.5, 0.55))


@pytest.mark.parametrize(
    "change", [another_profit, one_less, a_better_one, another_choice, not_announced]
)
def test_a_changed_table_of_charges_is_found(
    stored: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    folder = Path(shutil.copytree(stored, tmp_path / "run"))
    sign_again(folder)
    assert ng.verify(folder).failures == ()
    path = folder / "charges_tried.csv"
    change(pd.read_csv(path)).to_csv(path, index=False, lineterminator="\n")
    sign_again(folder)
    assert any("charges_tried" in failure for failure in ng.verify(folder).failures)


def test_a_table_without_a_choice_is_refused(duet_led: Outcome) -> None:
    table = duet_led.charges_tried.assign(chosen=False)
    with pytest.raises(ValueError, match="0 charges are chosen, one must be"):
        led_by(lay_wires(duet_led.scenario), table)


def test_the_report_shows_the_charges(monopoly: Outcome) -> None:
    section = next(one for one in report_sections(monopoly) if one.anchor == "leader")
    assert "tried 1" in section.body
    titles = [
        axis["title"]["text"] for name, axis in section.figures[0].layout.items() if "axis" in name
    ]
    assert all("[EUR" in title or "[kWh]" in title for title in titles)


def test_the_command_shows_every_charge_and_saves_the_run(tmp_path: Path) -> None:
    arguments = ["lead", "duet", "--required", "0.3", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    assert "charges that the utility tried" in found.output
    assert found.output.count("chosen") == 1
    assert ng.verify(tmp_path / "run").holds
    assert (tmp_path / "run" / "charges_tried.csv").is_file()


def test_refusals() -> None:
    with pytest.raises(ValueError, match="required = 0 EUR must be above 0"):
        ng.stackelberg(load_scenario("duet"), required=0.0)
    with pytest.raises(ValueError, match=r"no charge tried earns 9: the most is 0\.(6|59999)"):
        ng.stackelberg(load_scenario("duet"), required=9.0)
    with pytest.raises(ValueError, match="buildings of its population follow no leader"):
        ng.simulate(load_scenario("district"), market="stackelberg")
