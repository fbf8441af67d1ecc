"""Scenarios that leave the reactive power of inverters to the operator."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nashgrid.grid.branch_flow_problem import EXACT
from nashgrid.market.topics import TRADING
from nashgrid.runs.central import central_optimum
from nashgrid.runs.charges import charges
from nashgrid.runs.message_audit import audit
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.roster import roster
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires

Settable = Callable[..., Scenario]
FEES = ("inside_fee_per_kwh", "between_fee_per_kwh", "rest_fee_per_kwh")


@pytest.fixture(scope="module")
def settable(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Settable:
    def made(**feeder: Any) -> Scenario:
        content = copy.deepcopy(trio)
        content["feeder"] |= {"inverter_kva_per_kw": 1.25} | feeder
        content["negotiation"] = {"tolerance": 1e-6}
        return load_scenario(write(tmp_path_factory.mktemp("settable"), content))

    return made


@pytest.fixture(scope="module")
def outcome(settable: Settable) -> Outcome:
    return simulate(settable())


def fixed(scenario: Scenario) -> Scenario:
    feeder = scenario.feeder.model_copy(update={"inverter_kva_per_kw": None})
    return scenario.model_copy(update={"feeder": feeder})


def test_it_is_certified_at_the_prices_of_the_central_problem(outcome: Outcome) -> None:
    assert outcome.certified
    welfare = outcome.certificate["welfare"]["trading"]
    assert abs(welfare["relative_gap"]) <= 1e-6
    assert welfare["largest_price_difference_per_kwh"] <= 1e-4
    assert outcome.certificate["claims"]["trading: price parts"]["holds"]


def test_inverters_take_no_more_than_their_rating_leaves(outcome: Outcome) -> None:
    plants = [(one.bus, plant.rating_kw) for one in outcome.scenario.buildings for plant in one.pv]
    table = outcome.reactive
    # sqrt(1.25^2 - 1) = 0.75 kvar for each kW.
    for bus, rating_kw in plants:
        rows = table[table["bus"] == bus]
        np.testing.assert_allclose(rows["limit_kvar"], 0.75 * rating_kw, rtol=1e-12)
    assert sorted(table["bus"].unique()) == sorted({bus for bus, _ in plants})
    assert (table["set_kvar"].abs() <= table["limit_kvar"] * (1 + 1e-12)).all()
    assert table["set_kvar"].abs().max() > 0.01


def test_setting_them_costs_all_together_less(outcome: Outcome) -> None:
    scenario = outcome.scenario
    helped, alone = (
        central_optimum(one, lay_wires(one), TRADING).cost for one in (scenario, fixed(scenario))
    )
    assert helped < alone - 5e-5


def test_with_spare_rating_the_reactive_flow_is_compensated(outcome: Outcome) -> None:
    # By hand: the inverter at bus 2 moves the flow of line 1-2 alone, whose losses are least where
    # it gives what is taken at buses 2 and 3; 0.75 kvar/kW is enough for that.
    lines = outcome.lines[(outcome.lines["case"] == TRADING) & (outcome.lines["to_bus"] == 2)]
    np.testing.assert_allclose(lines["flow_kvar"], 0.0, atol=1e-6)
    loads_kvar = lay_wires(outcome.scenario).reactive_kvar
    table = outcome.reactive[outcome.reactive["case"] == TRADING].sort_values("slot")
    np.testing.assert_allclose(table["set_kvar"], -loads_kvar.sum(axis=1), atol=1e-6)


def assert_told(outcome: Outcome) -> None:
    """Every agent heard once how the inverters at its own bus are set."""
    said = outcome.messages.to_pandas()
    told = said[(said["kind"] == "set points") & (said["topic"] == TRADING)]
    place = {one.name: one.bus for one in outcome.scenario.agents}
    table = outcome.reactive[outcome.reactive["case"] == TRADING]
    names = list(place)
    for row in told[told["receiver"] <= len(names)].itertuples():
        bus = place[names[row.receiver - 1]]
        own = table[table["bus"] == bus].sort_values("slot")
        expected = own["set_kvar"] / own["limit_kvar"] if len(own) else np.zeros(4)
        np.testing.assert_allclose(row.reactive_share, expected, atol=1e-9)
    assert sorted(told["receiver"])[:-1] == list(range(1, 1 + len(names)))


def test_set_points_reach_the_agents_by_message(outcome: Outcome) -> None:
    assert_told(outcome)


def test_members_of_communities_hear_of_their_own_place(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    content = copy.deepcopy(trio)
    content["feeder"]["inverter_kva_per_kw"] = 1.25
    content["levels"] = dict.fromkeys(FEES, 0.01)
    found = simulate(load_scenario(write(tmp_path, content)), "competitive")
    assert found.certified
    assert_told(found)


def test_a_run_verifies_and_a_changed_set_point_is_found(outcome: Outcome, tmp_path: Path) -> None:
    folder = outcome.save(tmp_path / "run")
    assert verify(folder).failures == ()
    table = pd.read_csv(folder / "reactive.csv")
    table.loc[0, "set_kvar"] += 0.01
    table.to_csv(folder / "reactive.csv", index=False)
    assert any("reactive.csv" in failure for failure in verify(folder).failures)


@pytest.mark.parametrize("change", ["none", "not a number", "missing"])
def test_the_audit_holds_what_agents_hear_of_inverters(outcome: Outcome, change: str) -> None:
    log = outcome.messages
    own = pa.compute.equal(log["kind"].cast(pa.string()), "set points").to_numpy()
    row = int(np.flatnonzero(own & (log["receiver"].to_numpy() == 1))[0])
    told, at = log, log.column_names.index("reactive_share")
    if change == "not a number":
        shares = log["reactive_share"].to_pylist()
        shares[row] = [np.nan] * 4
        told = log.set_column(at, "reactive_share", pa.array(shares, pa.list_(pa.float64())))
    if change == "missing":
        told = pa.concat_tables([log[:row], log[row + 1 :]])
    wires = lay_wires(outcome.scenario)
    found = audit(told, wires, roster(outcome.scenario, None))
    assert len(found.to_prosumers) == (0 if change == "none" else 1)


def test_merged_buses_share_what_the_operator_decides(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    content = copy.deepcopy(trio)
    content["feeder"]["inverter_kva_per_kw"] = 1.25
    content["privacy"] = {"single_participant_buses": "merge"}
    content["buildings"][1]["pv"] = content["buildings"][0]["pv"]
    found = simulate(load_scenario(write(tmp_path, content)))
    assert found.certified
    wires = lay_wires(found.scenario)
    assert wires.reported_at
    table = found.reactive[found.reactive["case"] == TRADING]
    share = (table["set_kvar"] / table["limit_kvar"]).to_numpy().reshape(4, -1)
    np.testing.assert_allclose(share, np.repeat(share[:, :1], share.shape[1], axis=1), atol=1e-12)


def test_on_branch_flow_it_is_certified_too_and_loses_less(
    settable: Settable, tmp_path: Path
) -> None:
    scenario = settable(model="branch flow")
    found = simulate(scenario)
    assert found.certified
    assert verify(found.save(tmp_path / "run")).failures == ()
    assert found.certificate["ac_power_flow"][TRADING]["flow_model"] == {EXACT: 4}
    lines = found.lines[(found.lines["case"] == TRADING) & (found.lines["to_bus"] == 2)]
    # Nothing reactive flows into the line but what its own reactance takes.
    np.testing.assert_allclose(lines["flow_kvar"], 0.0, atol=0.02)
    helped, alone = (
        central_optimum(one, lay_wires(one), TRADING).cost for one in (scenario, fixed(scenario))
    )
    assert helped < alone - 5e-5


def test_an_inverter_without_spare_rating_is_refused(settable: Settable) -> None:
    with pytest.raises(ValueError, match=r"inverter_kva_per_kw.*greater than 1"):
        settable(inverter_kva_per_kw=1.0)


def test_charges_leave_reactive_power_alone(settable: Settable) -> None:
    with pytest.raises(ValueError, match=r"inverter_kva_per_kw.*network charge"):
        charges(settable())
