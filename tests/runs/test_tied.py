"""Two operators and a tie: the same as one network, what it does to prices, and its folder."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import nashgrid as ng
from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.terminal import with_terminal
from nashgrid.market.topics import TRADING
from nashgrid.runs.assembly import connection
from nashgrid.runs.central import local_problem
from nashgrid.runs.command_line import app
from nashgrid.runs.scenario import PrivacyEntry
from nashgrid.runs.tied.alone import market_alone
from nashgrid.runs.tied.audit import audit_claims
from nashgrid.runs.tied.market import TiedOutcome
from nashgrid.runs.tied.tie import tied_wires, wires_of_both
from nashgrid.runs.wire_laying import lay_wires

TIE = ng.Tie(2, 3, 2.0, resistance_pu=0.01, reactance_pu=0.005)
HEAD = "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
THIN = f"{HEAD}1,2,0.02,0.01,,1\n2,3,0.03,0.01,2.2,1\n"


WIDE = THIN.replace("2.2", "5.0")


@pytest.fixture(scope="module")
def files(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The trio, and neighbours whose thin or wide line keeps their end dear; all buy upstream."""
    paths = {}
    for name, lines in (("here", None), ("there", THIN), ("yonder", WIDE)):
        content = copy.deepcopy(trio) | {"name": name, "negotiation": {"tolerance": 1e-6}}
        for building in content["buildings"]:
            building["loads"] = [
                load | {"values": [value + 0.5 for value in load["values"]]}
                for load in building["loads"]
            ]
            for plant in building.get("pv", []):
                plant["rating_kw"] = 0.5
        if lines is not None:
            content["utility"]["tariff"] = [
                dict(period, retail_price_per_kwh=0.3) for period in content["utility"]["tariff"]
            ]
        place = tmp_path_factory.mktemp(name)
        paths[name] = write(place, content, None if lines is None else {"lines.csv": lines})
    return paths


@pytest.fixture(scope="module")
def pair(files: dict[str, Path]) -> tuple[ng.Scenario, ng.Scenario]:
    """Here, and there, where the thin line cannot carry the load of its end by itself."""
    return ng.load_scenario(files["here"]), ng.load_scenario(files["there"])


@pytest.fixture(scope="module")
def tied(pair: tuple[ng.Scenario, ng.Scenario]) -> TiedOutcome:
    return ng.simulate_tied(*pair, TIE)


@pytest.fixture(scope="module")
def folder(tied: TiedOutcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tied.save(tmp_path_factory.mktemp("tied") / "run")


def test_both_feeders_agree_and_it_is_proved(tied: TiedOutcome) -> None:
    failed = {n: c for n, c in tied.certificate["claims"].items() if not c["holds"]}
    assert not failed
    assert tied.certified
    assert max(tied.certificate["largest_price_difference_per_kwh"].values()) <= 1e-4
    assert abs(tied.certificate["welfare"]["relative_gap"]) <= 1e-6
    for scenario in tied.scenarios:
        named = {agent.name for agent in scenario.agents} | {"operator"}
        assert tied.certificate["epsilon"][scenario.name].keys() == named


def test_it_is_the_optimum_of_one_merged_radial_network(
    pair: tuple[ng.Scenario, ng.Scenario], tied: TiedOutcome
) -> None:
    """The feeders joined at their roots, and what flows out at one terminal flows in at the other.

    One root has one meter: as both buy in every slot, netting their bills changes nothing.
    """
    sides = [lay_wires(scenario) for scenario in pair]
    lines, reactive = [], []
    for number, wires in enumerate(sides):
        feeder, _ = with_terminal(wires.feeder, (2, 3)[number], 0.005, 0.0025, 2.0)
        for line in feeder.lines:
            ends = [bus if bus == 1 else bus + 10 * number for bus in (line.from_bus, line.to_bus)]
            lines.append(replace(line, from_bus=ends[0], to_bus=ends[1]))
        reactive.append(wires.reactive_kvar[:, 1:])
    merged = make_feeder(
        name="merged", source="both", base_kv=0.4, base_mva=0.1, root_bus=1,
        buses=[1, 2, 3, 4, 12, 13, 14], load_kw=np.zeros(7), load_kvar=np.zeros(7), lines=lines,
    )  # fmt: skip
    none = np.zeros((4, 1))
    operator = OperatorProblem(
        merged,
        trading_buses=[2, 3, 4, 12, 13, 14],
        reactive_kvar=np.hstack([none, reactive[0], none, reactive[1], none]),
        slot_hours=1.0,
        retail_price_per_kwh=sides[0].tariff.retail_price_per_kwh,
        feed_in_price_per_kwh=sides[0].tariff.feed_in_price_per_kwh,
        loss_price_per_kwh=sides[0].tariff.retail_price_per_kwh,
        demand_limit_kw=50.0,
        lowest_voltage_pu=0.9,
        highest_voltage_pu=1.1,
    )
    stated = operator.statement()
    bought = {bus: cp.Constant(np.zeros(4)) for bus in (2, 3, 12, 13)}
    cost, constraints = stated.cost, [*stated.constraints]
    for number, (scenario, wires) in enumerate(zip(pair, sides)):
        for index, entry in enumerate(scenario.agents):
            own = local_problem(index, scenario, wires, TRADING)
            own.price.value = np.zeros(4)
            assert own.connection_kw == connection(entry, scenario).limit_kw
            bought[entry.bus + 10 * number] += own.trade
            cost += own.statement.objective.expr
            constraints += own.statement.constraints
    demand = stated.demand_kw
    balance = [bought[bus] == demand[:, at] for bus, at in ((2, 0), (3, 1), (12, 3), (13, 4))]
    flows = [demand[:, 2] + demand[:, 5] == 0, cp.abs(demand[:, 2]) <= 2.0]
    whole = cp.Problem(cp.Minimize(cost), constraints + balance + flows)
    whole.solve(solver=cp.CLARABEL, ignore_dpp=True)
    assert np.min(demand.value[:, :3].sum(axis=1)) > 0.0
    assert np.min(demand.value[:, 3:].sum(axis=1)) > 0.0
    assert tied.certificate["welfare"]["total_cost"] == pytest.approx(whole.value, abs=1e-5)
    np.testing.assert_allclose(tied.tie["flow_kw"], demand.value[:, 2], atol=1e-2)


def test_the_tie_feeds_the_dear_end_until_the_prices_meet(tied: TiedOutcome) -> None:
    assert tied.tie["flow_kw"].max() > 0.5
    assert tied.tie["flow_kw"].abs().max() <= 2.0 + 1e-6
    ends = tied.prices[tied.prices["bus"] == 4]
    here, there = (
        ends[ends["scenario"] == name].sort_values("slot")["price_per_kwh"].to_numpy()
        for name in ("here", "there")
    )
    # One commodity, one price.
    np.testing.assert_array_equal(here, there)
    np.testing.assert_array_equal(tied.tie["price_per_kwh"], here)


def test_a_narrower_tie_is_dearer_and_earns_a_rent(
    pair: tuple[ng.Scenario, ng.Scenario], tied: TiedOutcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes of either feeder alone does not count here.
    monkeypatch.setattr("nashgrid.runs.tied.market.market_alone", lambda *_: None)
    narrow = ng.simulate_tied(*pair, replace(TIE, limit_kw=1.0))
    assert narrow.certified
    flow, rent = narrow.tie["flow_kw"], narrow.tie["first_rent"] + narrow.tie["second_rent"]
    assert flow.abs().max() == pytest.approx(1.0, abs=1e-5)
    costs = [one.certificate["welfare"]["total_cost"] for one in (narrow, tied)]
    assert costs[0] > costs[1] + 1e-4
    ends = narrow.tie["second_price_per_kwh"] - narrow.tie["first_price_per_kwh"]
    np.testing.assert_allclose(rent, flow * ends, atol=1e-9)
    assert ends[flow > 1.0 - 1e-5].max() > 1e-2


def test_everybody_pays_its_own_price_and_nothing_is_lost(tied: TiedOutcome) -> None:
    assert int(tied.accounts["payment_micro"].sum()) == 0
    bought = tied.trades[tied.trades["community"] != ""].merge(tied.prices)
    own = (bought["trade_kw"] * bought["price_per_kwh"]).groupby(
        [bought["scenario"], bought["agent"]]
    )
    paid = tied.accounts.set_index(["scenario", "agent"])["payment"]
    for who, amount in own.sum().items():
        assert paid[who] == pytest.approx(amount, abs=2e-3)
    flow = tied.settlement[tied.settlement["item"] == "flow over the tie"]
    assert set(flow["payer"]) == {"operator of there"}
    assert set(flow["payee"]) == {"operator of here"}
    worth = (tied.tie["flow_kw"] * tied.tie["price_per_kwh"]).sum()
    assert flow["amount_nano"].sum() / 1e9 == pytest.approx(worth, abs=2e-3)
    # The costs of the agents and operators are those of the schedules.
    players = tied.accounts[tied.accounts["kind"] != "utility"]
    total = tied.certificate["welfare"]["total_cost"]
    assert players["cost_after"].sum() == pytest.approx(total, abs=5e-3)


def test_what_leaves_one_feeder_comes_into_the_other(tied: TiedOutcome) -> None:
    ends = tied.trades[(tied.trades["agent"] == "operator") & (tied.trades["bus"] == 4)]
    here, there = (ends.loc[ends["scenario"] == name, "trade_kw"] for name in ("here", "there"))
    np.testing.assert_array_equal(here.to_numpy(), -there.to_numpy())
    np.testing.assert_array_equal(-here.to_numpy(), tied.tie["flow_kw"])


def test_a_feeder_that_needs_the_tie_has_no_market_without(tied: TiedOutcome) -> None:
    assert tied.alone[0] is not None
    assert tied.alone[1] is None
    assert tied.summary["all"]["saving"] is None
    assert tied.summary["feeders"]["here"]["saving"] is not None
    assert "tie: no dearer" not in tied.certificate["claims"]


def test_the_price_at_a_bus_where_nobody_is(pair: tuple[ng.Scenario, ng.Scenario]) -> None:
    """Found from the parts of prices elsewhere, and the same as where somebody is."""
    wires = tied_wires(pair[0], 2, TIE)
    demand, price = np.full((4, 3), 1.0), np.tile([0.31, 0.32, 0.33], (4, 1))
    limits = np.full(3, 10.0)
    assert wires.price_at_tie(TRADING, demand, price, limits) == pytest.approx(0.31)
    # Bus 2 is given up as a place: nobody takes anything there.
    nobody = replace(wires, places=(3, 4))
    found = nobody.price_at_tie(TRADING, demand[:, 1:], price[:, 1:], limits[1:])
    parts = wires.operator(TRADING, limits).price_parts(demand * [0, 1, 1], price)
    np.testing.assert_allclose(found, parts.total[:, 0], atol=1e-3)


def test_a_folder_is_verified_and_tampering_is_found(folder: Path, tmp_path: Path) -> None:
    assert ng.verify(folder).failures == ()
    copied = Path(shutil.copytree(folder, tmp_path / "copied"))
    tie = pd.read_csv(copied / "tie.csv")
    tie.loc[1, "flow_kw"] += 0.1
    tie.to_csv(copied / "tie.csv", index=False)
    trades = pd.read_csv(copied / "trades.csv", keep_default_na=False)
    trades.loc[trades.index[-1], "trade_kw"] -= 0.1
    trades.to_csv(copied / "trades.csv", index=False)
    (copied / "first" / "report.html").write_text("another")
    record = json.loads((copied / "outcome.json").read_text())
    record["summary"]["tie"]["forward_kwh"] += 1.0
    (copied / "outcome.json").write_text(json.dumps(record))
    failures = "\n".join(ng.verify(copied).failures)
    for words in (
        "outcome.json was changed after the run",
        "first: report.html was changed after the run",
        "tie.csv: row 2, flow_kw is",
        "outcome.json: summary: tie: forward_kwh is",
        "there: trades.csv: trades of 'trading' are not those that the agents committed to",
        "the claim 'tie: balance' does not hold",
    ):
        assert words in failures
    (copied / "tie.csv").unlink()
    with pytest.raises(ValueError, match=r"tie\.csv cannot be read"):
        ng.verify(copied)


@pytest.mark.parametrize(
    ("kind", "field", "claim"),
    [
        ("remainder", "quantity", "messages: operators"),
        ("enrolment sums", "highest_kw", "messages: operators"),
        ("quote", "price", "messages: agents"),
    ],
)
def test_words_that_do_not_follow_from_sums_are_found(
    tied: TiedOutcome, kind: str, field: str, claim: str
) -> None:
    """One number of one message is another one: somebody's own, a limit, a flow."""
    wires = wires_of_both(tied.scenarios, TIE)
    assert all(one["holds"] for one in audit_claims(tied.messages, wires).values())
    rows = tied.messages.to_pandas()
    told = rows.index[rows["kind"] == kind][0]
    rows.at[told, field] = rows.at[told, field] + 0.25
    changed = pa.Table.from_pandas(rows, schema=tied.messages.schema)
    assert not audit_claims(changed, wires)[claim]["holds"]


def test_a_sum_over_one_is_found_where_it_is_not_allowed(tied: TiedOutcome) -> None:
    here, there = wires_of_both(tied.scenarios, TIE)
    study = there.scenario.model_copy(
        update={"privacy": PrivacyEntry(single_participant_buses="merge")}
    )
    claims = audit_claims(tied.messages, (here, replace(there, scenario=study)))
    assert claims["messages: operators"]["value"] > 0
    assert claims["messages: agents"]["holds"]
    assert tied.certificate["message_audit"]["there"]["alone_at_bus"]


def test_the_page_is_drawn(
    folder: Path, tmp_path: Path, browse: Callable[[str, Path], dict[str, Any]]
) -> None:
    page = (folder / "tie.html").read_text(encoding="utf-8")
    for words in (
        "flow [kW]",
        "price [EUR/kWh]",
        "cannot be kept without the tie",
        "bus 3 of there",
        "there. <b>Alone at their bus</b> are",
        # Claims stand under the names of the scenarios; limits and both models beside AC.
        ">there</th>",
        "<h4>there</h4>",
        "LinDistFlow</th>",
        "By AC power flow",
    ):
        assert words in page
    seen = browse(page, tmp_path)
    assert not seen["errors"]
    assert not seen["refused"]
    assert seen["figures"].keys() == {"flow-figure", "prices-figure"}


def test_the_command_tells_what_the_tie_brings(
    files: dict[str, Path], tied: TiedOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The market of the first feeder alone is known already.
    known = {"here": tied.alone[0]}
    monkeypatch.setattr(
        "nashgrid.runs.tied.market.market_alone",
        lambda scenario, *rest: known.get(scenario.name) or market_alone(scenario, *rest),
    )
    where = ["--first-bus", "2", "--second-bus", "3", "--limit-kw", "2"]
    names = [str(files[name]) for name in ("here", "yonder")]
    found = CliRunner().invoke(app, ["tie", *names, *where, "--out", str(tmp_path / "run")])
    assert found.exit_code == 0, found.output
    assert "certified: all 25 claims hold" in " ".join(found.output.split())
    record = json.loads((tmp_path / "run" / "outcome.json").read_text())
    welfare, whole = record["certificate"]["welfare"], record["summary"]["all"]
    assert welfare["gain"] > 1e-3
    assert whole["saving"] == pytest.approx(welfare["gain"], abs=2e-3)
    by_feeder = [costs["saving"] for costs in record["summary"]["feeders"].values()]
    assert sum(by_feeder) == pytest.approx(whole["saving"])
    for feeder in ("first", "second"):
        assert (tmp_path / "run" / feeder / "report.html").is_file()


def test_an_interrupted_command_leaves_nothing(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nashgrid.runs.tied.market.simulate_tied", interrupt)
    found = CliRunner().invoke(app, ["tie", "--out", str(tmp_path / "run")])
    assert found.exit_code == 130
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["campus33"], "SECOND is missing"),
        (["campus33", "harbour15", "--first-bus", "3"], "--second-bus is missing"),
        (["campus33", "harbour15", "--first-bus", "3", "--second-bus", "3"], "--limit-kw is mis"),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], words: str) -> None:
    found = CliRunner().invoke(app, ["tie", *arguments])
    assert isinstance(found.exception, ValueError)
    assert words in str(found.exception)


def test_a_terminal_is_a_bus_behind_a_line_of_its_own() -> None:
    lines = [Line(1, 2, 0.1, 0.1), Line(2, 3, 0.1, 0.1, closed=False), Line(1, 3, 0.1, 0.2)]
    feeder = make_feeder(
        name="three", source="made up", base_kv=1.0, base_mva=1.0, root_bus=1,
        buses=[1, 2, 3], load_kw=np.ones(3), load_kvar=np.ones(3), lines=lines,
    )  # fmt: skip
    extended, terminal = with_terminal(feeder, 2, 0.05, 0.01, 7.0)
    assert terminal == 4
    assert Line(2, 4, 0.05, 0.01, 7.0) in extended.lines
    assert extended.load_kw.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert len(extended.ties) == 1
    with pytest.raises(ValueError, match="has no bus 9"):
        with_terminal(feeder, 9, 0.05, 0.01, 7.0)


def test_what_does_not_fit_together_is_refused(pair: tuple[ng.Scenario, ng.Scenario]) -> None:
    first, second = pair
    with pytest.raises(ValueError, match=r"limit_kw = 0\.0 kW must be positive"):
        ng.Tie(3, 3, 0.0)
    with pytest.raises(ValueError, match="both scenarios are called 'here'"):
        ng.simulate_tied(first, first, TIE)
    with pytest.raises(ValueError, match="bus 1 is the root of feeder three of scenario here"):
        ng.simulate_tied(first, second, replace(TIE, first_bus=1))
    foreign = second.model_copy(update={"currency": "CHF"})
    with pytest.raises(ValueError, match=r"the currencies of here \(EUR\) and there \(CHF\)"):
        ng.simulate_tied(first, foreign, TIE)
    crowd = ng.load_scenario("district33").model_copy(update={"horizon": second.horizon})
    with pytest.raises(ValueError, match="scenario district33 needs a feeder, and stated agents"):
        ng.simulate_tied(crowd, second, TIE)
    with pytest.raises(ValueError, match="has no bus 9"):
        ng.simulate_tied(first, second, replace(TIE, second_bus=9))
    with pytest.raises(ValueError, match="the horizons of here and village differ"):
        ng.simulate_tied(first, ng.load_scenario("village"), TIE)
    few = first.negotiation.model_copy(update={"maximum_rounds": 3})
    hasty = first.model_copy(update={"negotiation": few})
    with pytest.raises(ValueError, match=r"here and there is infeasible: no schedules .* of both"):
        ng.simulate_tied(hasty, second, replace(TIE, limit_kw=0.1))
    bare = second.model_copy(update={"feeder": None})
    with pytest.raises(ValueError, match="scenario there needs a feeder"):
        ng.simulate_tied(first, bare, TIE)
