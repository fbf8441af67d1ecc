"""Two operators and a tie: the same as one network, and what the tie does to prices."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

import nashgrid as ng
from nashgrid.grid.feeder import make_feeder
from nashgrid.grid.line import Line
from nashgrid.grid.operator_problem import OperatorProblem
from nashgrid.grid.terminal import with_terminal
from nashgrid.market.topics import TRADING
from nashgrid.runs.assembly import connection
from nashgrid.runs.central import local_problem
from nashgrid.runs.tied_market import TiedOutcome
from nashgrid.runs.wires import lay_wires

TIE = ng.Tie(2, 3, 2.0, resistance_pu=0.01, reactance_pu=0.005)
HEAD = "from_bus,to_bus,resistance_pu,reactance_pu,limit_kva,closed\n"
THIN = f"{HEAD}1,2,0.02,0.01,,1\n2,3,0.03,0.01,2.2,1\n"


@pytest.fixture(scope="module")
def pair(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ng.Scenario, ng.Scenario]:
    """The trio, and a neighbour whose thin line keeps its end dear; both always buy upstream."""
    scenarios = []
    for number, (name, lines) in enumerate((("here", None), ("there", THIN))):
        content = copy.deepcopy(trio) | {"name": name, "negotiation": {"tolerance": 1e-6}}
        for building in content["buildings"]:
            building["name"] += f" {name}"
            building["loads"] = [
                load | {"values": [value + 0.5 for value in load["values"]]}
                for load in building["loads"]
            ]
            for plant in building.get("pv", []):
                plant["rating_kw"] = 0.5
        content["community_batteries"][0]["name"] += f" {name}"
        if number:
            content["utility"]["tariff"] = [
                dict(period, retail_price_per_kwh=0.3) for period in content["utility"]["tariff"]
            ]
        place = tmp_path_factory.mktemp(name)
        wires = None if lines is None else {"lines.csv": lines}
        scenarios.append(ng.load_scenario(write(place, content, wires)))
    return scenarios[0], scenarios[1]


@pytest.fixture(scope="module")
def tied(pair: tuple[ng.Scenario, ng.Scenario]) -> TiedOutcome:
    return ng.simulate_tied(*pair, TIE)


def test_both_feeders_agree_and_it_is_proved(tied: TiedOutcome) -> None:
    failed = {n: c for n, c in tied.certificate["claims"].items() if not c["holds"]}
    assert not failed
    assert tied.certified
    assert tied.certificate["largest_price_difference_per_kwh"] <= 1e-4
    assert tied.certificate["total_cost"] == pytest.approx(
        tied.certificate["central_cost"], abs=1e-5
    )


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
    assert tied.certificate["total_cost"] == pytest.approx(whole.value, abs=1e-5)
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


def test_a_narrower_tie_is_dearer(pair: tuple[ng.Scenario, ng.Scenario], tied: TiedOutcome) -> None:
    narrow = ng.simulate_tied(*pair, replace(TIE, limit_kw=1.0))
    assert narrow.certified
    assert narrow.tie["flow_kw"].abs().max() == pytest.approx(1.0, abs=1e-5)
    assert narrow.certificate["total_cost"] > tied.certificate["total_cost"] + 1e-4


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
    with pytest.raises(ValueError, match="stands in both scenarios"):
        ng.simulate_tied(first, first, TIE)
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
