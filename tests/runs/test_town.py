"""The built-in town on 125 buses: rich, bound by a line and by a voltage, priced as centrally."""

import numpy as np
import pandas as pd
import pytest

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


@pytest.fixture(scope="module")
def strict() -> Outcome:
    town = load_scenario("town123")
    rules = town.negotiation.model_copy(update={"tolerance": 1e-6})
    return simulate(town.model_copy(update={"negotiation": rules}))


def trading(outcome: Outcome, table: str) -> pd.DataFrame:
    rows = getattr(outcome, table)
    return rows[rows["case"] == "trading"]


def test_the_town_is_rich() -> None:
    town = load_scenario("town123")
    assert town.feeder is not None
    assert town.feeder.name == "ieee123"
    assert len(town.agents) == 44
    assert len({agent.bus for agent in town.agents}) == 44
    assert sum(bool(building.pv) for building in town.buildings) == 25
    assert sum(bool(building.batteries) for building in town.buildings) == 12
    assert (len(town.community_batteries), len(town.generators)) == (2, 4)


def test_negotiated_prices_are_the_central_ones(strict: Outcome) -> None:
    assert strict.certified
    for case in ("utility-only", "trading"):
        welfare = strict.certificate["welfare"][case]
        assert abs(welfare["relative_gap"]) <= 1e-6
        assert welfare["largest_price_difference_per_kwh"] <= 1e-4
    assert strict.summary["rounds"]["trading"] <= 130


def test_a_line_and_a_voltage_bind_and_the_prices_say_which(strict: Outcome) -> None:
    lines, voltages = trading(strict, "lines"), trading(strict, "voltages")
    loading = np.hypot(lines["flow_kw"], lines["flow_kvar"]) / lines["limit_kva"]
    assert loading.max() == pytest.approx(1.0, abs=1e-5)
    full = lines[loading > 1 - 1e-5]
    assert set(zip(full["from_bus"], full["to_bus"])) == {(18, 135)}
    assert voltages["lindistflow_pu"].min() == pytest.approx(0.972, abs=1e-6)
    low = voltages[voltages["lindistflow_pu"] < 0.972 + 1e-5]
    parts = trading(strict, "price_parts")
    most = parts.groupby("slot")[["congestion_per_kwh", "voltage_per_kwh"]].max() > 1e-4
    assert set(most.index[most["congestion_per_kwh"]]) == set(full["slot"]) == {15, 16}
    assert set(most.index[most["voltage_per_kwh"]]) == set(low["slot"]) == {7}
    # Only what lies behind the full line is dearer for it.
    behind = parts[parts["slot"] == 16].set_index("bus")["congestion_per_kwh"]
    assert behind[[37, 41, 43, 47, 48, 49, 50, 51]].min() > 0.03
    assert behind[[1, 19, 28, 33, 52, 65, 76, 114]].abs().max() < 1e-6
