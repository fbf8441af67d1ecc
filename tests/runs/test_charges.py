"""Network charges in a loop with schedules: where each rule comes to rest, and what that proves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nashgrid.market.topics import TRADING
from nashgrid.runs.central import central_optimum
from nashgrid.runs.charge_comparison import ChargeComparison, Charged
from nashgrid.runs.charge_folder import listed_files
from nashgrid.runs.charge_terms import RULES
from nashgrid.runs.charges import charges
from nashgrid.runs.charges_table import cells, markdown
from nashgrid.runs.command_line import app
from nashgrid.runs.inputs import with_values
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.wire_laying import lay_wires


def part_of(name: str, hour: int, slots: int) -> Scenario:
    """Some hours of a built-in scenario, without what has a day's energy to find."""
    whole = with_values(load_scenario(name))
    start = whole.horizon.start.replace(hour=hour)
    horizon = whole.horizon.model_copy(update={"start": start, "slots": slots})
    by_day = {"shiftable_loads": (), "vehicles": ()}
    buildings = tuple(building.model_copy(update=by_day) for building in whole.buildings)
    return whole.model_copy(update={"horizon": horizon, "buildings": buildings})


def evening() -> Scenario:
    """`campus33` from 18:00 to 24:00: line 6-7 is full at 21:00 and 22:00."""
    return part_of("campus33", 18, 6)


@pytest.fixture(scope="module")
def comparison() -> ChargeComparison:
    return charges(evening())


@pytest.fixture(scope="module")
def small(
    trio: dict[str, Any], write: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """File of a scenario with three agents on three buses."""
    return write(tmp_path_factory.mktemp("small"), trio)


def of(comparison: ChargeComparison, rule: str) -> Charged:
    return next(one for one in comparison.outcomes if one.rule == rule)


def test_all_come_to_rest_and_nobody_wants_another_schedule(comparison: ChargeComparison) -> None:
    assert [one.rule for one in comparison.outcomes] == list(RULES)
    assert all(one.stable for one in comparison.outcomes)
    assert comparison.certified
    assert max(one.largest_epsilon for one in comparison.outcomes) < 1e-5


def test_without_charges_a_line_is_overloaded(comparison: ChargeComparison) -> None:
    free = of(comparison, "none")
    assert free.excess_kw > 1
    assert not free.keeps_limits
    assert free.ac_loading > 1
    assert free.revenue.revenue == pytest.approx(0, abs=1e-2)


@pytest.mark.parametrize("rule", ["price-difference", "dual-ascent"])
def test_locational_charges_are_the_central_multipliers(
    comparison: ChargeComparison, rule: str
) -> None:
    """Cost and prices of one central optimisation, solved apart."""
    study = comparison.scenario
    found, best = of(comparison, rule), central_optimum(study, lay_wires(study), TRADING)
    assert found.keeps_limits
    assert found.total_cost == pytest.approx(best.cost, rel=1e-6)
    assert best.price_per_kwh is not None
    np.testing.assert_allclose(found.price_per_kwh, best.price_per_kwh, atol=1e-4)
    # They collect more than the losses: marginal losses are twice the mean, and the line is scarce.
    assert found.revenue.is_adequate


def test_dual_ascent_settles_where_voltages_bind() -> None:
    """Load that cannot be moved holds the voltage down, and many buses are close to the limit."""
    found = charges(part_of("campus33-winter", 9, 3), ["dual-ascent"])
    study, one = found.scenario, found.outcomes[0]
    best = central_optimum(study, lay_wires(study), TRADING)
    assert one.stable
    assert one.iterations < 200
    assert one.excess_pu < 1e-6
    assert one.total_cost == pytest.approx(best.cost, rel=1e-6)
    assert best.price_per_kwh is not None
    np.testing.assert_allclose(one.price_per_kwh, best.price_per_kwh, atol=1e-4)
    # The lowest voltage makes energy at the end of the feeder twice as dear as at the root.
    assert one.price_per_kwh[1].max() > 2 * one.price_per_kwh[1].min()


def test_tolls_recover_the_losses(comparison: ChargeComparison) -> None:
    for rule in ("uniform", "zonal", "distance"):
        one = of(comparison, rule)
        assert one.revenue.ratio > 0.998
        assert one.revenue.cost == pytest.approx(one.loss_cost)


def test_nobody_gains_by_another_partner(comparison: ChargeComparison) -> None:
    """Between two buses a price never differs by more than the toll of the pair."""
    one = of(comparison, "uniform")
    spread = one.price_per_kwh.max(axis=1) - one.price_per_kwh.min(axis=1)
    energy = comparison.scenario.horizon.slot_hours * np.abs(one.demand_kw).sum()
    crossed = np.abs(one.demand_kw.sum(axis=1)).sum() * comparison.scenario.horizon.slot_hours
    # Half the rate at each end of every trade, those with the utility among them.
    rate = one.revenue.revenue / ((energy + crossed) / 2)
    assert spread.max() <= rate * (1 + 1e-3)
    assert spread.max() == pytest.approx(rate, rel=1e-2)


def test_every_pair_pays_its_charge(comparison: ChargeComparison) -> None:
    """What the pairs pay is the operator's revenue; a uniform charge is the same for all pairs."""
    hours = comparison.scenario.horizon.slot_hours
    for one in comparison.outcomes:
        paid = hours * float((one.trades["power_kw"] * one.trades["charge_per_kwh"]).sum())
        assert paid == pytest.approx(one.revenue.revenue, abs=0.02)
    uniform = of(comparison, "uniform").trades
    large = uniform[uniform["power_kw"] > 0.1]
    assert large["charge_per_kwh"].std() < 1e-2 * large["charge_per_kwh"].mean()


def test_a_fixed_cost_is_recovered_too(small: Path) -> None:
    found = charges(load_scenario(small), ["uniform"], fixed_cost=0.2)
    assert found.outcomes[0].revenue.cost > 0.2
    assert found.outcomes[0].revenue.ratio == pytest.approx(1, abs=2e-3)


def test_tables_and_page_are_written(comparison: ChargeComparison, tmp_path: Path) -> None:
    headings, rows = cells(comparison)
    assert headings[0] == "charge"
    assert len(rows) == len(RULES)
    folder = comparison.save(tmp_path / "charges")
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in listed_files(folder)} | {"outcome.json"}
    assert markdown(comparison).count("\n") == 2 + len(RULES)
    page = (folder / "charges.html").read_text()
    assert "Mean price of a kWh at every bus" in page
    # The certificate speaks of the rules in the words of the table.
    assert page.count(">no charge</th>") == 2
    with pytest.raises(ValueError, match="exists already"):
        comparison.save(folder)


def test_what_runs_out_of_iterations_is_not_stable(small: Path) -> None:
    found = charges(load_scenario(small), ["dual-ascent"], maximum_iterations=3)
    assert not found.outcomes[0].stable
    assert not found.certified
    assert cells(found)[1][0][1] == "3, unstable"


def test_bad_questions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no charge 'flat'; there are none, uniform"):
        charges(evening(), ["flat"])
    with pytest.raises(ValueError, match="network charges need a feeder"):
        charges(load_scenario("village"))
    with pytest.raises(ValueError, match="each charge once, and one at least: none, none"):
        charges(evening(), ["none", "none"])
    with pytest.raises(ValueError, match="fixed_cost = -1 must be at least 0"):
        charges(evening(), fixed_cost=-1)


def test_the_command_writes_a_folder_and_says_where(small: Path, tmp_path: Path) -> None:
    folder, rules = tmp_path / "charges", ["--rules", "none,price-difference"]
    arguments = ["charges", str(small), *rules, "--out", str(folder)]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    assert "adequacy" in ended.output
    assert (folder / "charges.html").is_file()
    ended = CliRunner().invoke(app, ["verify", str(folder)])
    assert ended.exit_code == 0, ended.output
    assert "verified: 12 claims" in ended.output
