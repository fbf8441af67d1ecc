"""What shareable storage adds: three cases within the same wires."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nashgrid.market.topics import TRADING
from nashgrid.runs.central import central_optimum
from nashgrid.runs.command_line import app
from nashgrid.runs.inputs import with_values
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario import LinkEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.storage_cases import StorageCases, storage_cases, without_shareable_storage
from nashgrid.runs.verify import verify
from nashgrid.runs.wire_laying import lay_wires


def evening() -> Scenario:
    """`campus33` from 18:00 to 24:00, the link to its battery a slow one."""
    campus = with_values(load_scenario("campus33"))
    start = campus.horizon.start.replace(hour=18)
    by_day = {"shiftable_loads": (), "vehicles": ()}
    slow = LinkEntry(agent="Community battery", latency_s=0.1)
    return campus.model_copy(
        update={
            "horizon": campus.horizon.model_copy(update={"start": start, "slots": 6}),
            "buildings": tuple(one.model_copy(update=by_day) for one in campus.buildings),
            "messages": campus.messages.model_copy(update={"links": (slow,)}),
        }
    )


@pytest.fixture(scope="module")
def cases() -> StorageCases:
    return storage_cases(evening())


def test_each_case_costs_less_than_the_one_before(cases: StorageCases) -> None:
    table = cases.table
    assert cases.certified
    assert table["case"].tolist() == ["base", "sharing", "sharing and storage"]
    assert (np.diff(table["cost"]) < 0).all()
    assert table["reduction"].tolist() == pytest.approx((table["cost"][0] - table["cost"]).tolist())
    assert table["reduction_percent"].iloc[2] == pytest.approx(
        100 * table["reduction"].iloc[2] / table["cost"].iloc[0]
    )
    # Trading relieves the wires.
    assert table["full_line_slots"].iloc[1] < table["full_line_slots"].iloc[0]


@pytest.mark.parametrize(("shared", "row"), [(False, 1), (True, 2)])
def test_costs_are_those_of_one_optimisation(cases: StorageCases, shared: bool, row: int) -> None:
    study = (cases.shared if shared else cases.without).scenario
    best = central_optimum(study, lay_wires(study), TRADING)
    assert cases.table["cost"].iloc[row] == pytest.approx(best.cost, rel=1e-5)


def test_agents_stand_in_every_case_that_they_are_in(cases: StorageCases) -> None:
    agents = cases.agents
    assert agents.loc["Community battery"].notna().tolist() == [False, False, True]
    rest = agents.drop(index=["Community battery", "utility"])
    assert rest.notna().all().all()
    np.testing.assert_allclose(rest.sum()[:2], cases.table["cost"][:2], rtol=1e-9)


def test_the_command_shows_the_cases_and_keeps_both_runs(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "cases"
    words = ["storage", str(write(tmp_path, trio)), "--out", str(folder)]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0
    assert "certified." in found.output
    assert {path.name for path in folder.iterdir()} == {
        *("agents.csv", "feeder", "scenario.toml", "shared", "storage.csv", "without")
    }
    for cost in pd.read_csv(folder / "storage.csv")["cost"]:
        assert f"{cost:,.2f}" in found.output
    assert verify(folder / "without").holds
    assert "Shed" in (folder / "shared" / "accounts.csv").read_text()
    assert "Shed" not in (folder / "without" / "accounts.csv").read_text()
    again = CliRunner().invoke(app, words)
    assert "exists already; nothing is overwritten" in str(again.exception)


def test_an_interrupted_folder_is_not_left_behind(
    cases: StorageCases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Outcome, folder: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Outcome, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cases.save(tmp_path / "cases")
    assert not list(tmp_path.iterdir())


def test_wires_that_need_the_storage_are_named_as_such() -> None:
    study = evening()
    assert study.feeder is not None
    high = study.feeder.model_copy(update={"minimum_voltage_pu": 0.999})
    words = r"campus33 without its shareable storage: operator: no schedule .* must give way by"
    with pytest.raises(ValueError, match=words):
        storage_cases(study.model_copy(update={"feeder": high}))


def test_nothing_to_share_is_said() -> None:
    with pytest.raises(ValueError, match="there is no storage to share"):
        storage_cases(without_shareable_storage(evening()))
    with pytest.raises(ValueError, match="needs a feeder"):
        storage_cases(load_scenario("village"))
