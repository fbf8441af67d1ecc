"""The section on communities: what it says is what the trades are."""

import numpy as np
import pytest

import nashgrid as ng
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.communities_section import communities_section
from nashgrid.runs.scenario import Scenario


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    village = ng.form_communities(ng.load_scenario("village"), 3).scenario
    levels = {"inside_fee_per_kwh": 0.01, "between_fee_per_kwh": 0.02, "rest_fee_per_kwh": 0.05}
    scenario = Scenario.model_validate(village.model_dump() | {"levels": levels})
    return ng.simulate(scenario, market="competitive", seed=1)


def test_bars_are_the_trades_of_each_community(outcome: Outcome) -> None:
    section = communities_section(outcome)
    assert section is not None
    figure = section.figures[0]
    assert set(figure.views) == {f"Community {number}" for number in (1, 2, 3)}
    own = outcome.trades[(outcome.trades["case"] == "trading")]
    batteries = {entry.name for entry in outcome.scenario.community_batteries}
    own = own[~own["agent"].isin(batteries)]
    for name, view in figure.views.items():
        trades = own[own["community"] == name].pivot(index="agent", columns="slot")["trade_kw"]
        bars = [
            trace for trace in view["data"] if trace["type"] == "bar" and trace["xaxis"] == "x2"
        ]
        drawn = np.array([[value or 0.0 for value in bar["y"]] for bar in bars])
        bought, sold = np.maximum(drawn, 0).sum(axis=0), np.minimum(drawn, 0).sum(axis=0)
        np.testing.assert_allclose(bought, trades.clip(lower=0).sum(), atol=0.02)
        np.testing.assert_allclose(sold, trades.clip(upper=0).sum(), atol=0.02)
        lines = [t for t in view["data"] if t["type"] == "scatter" and t["xaxis"] == "x2"]
        assert [line["name"] for line in lines] == ["the community as a whole"] * 2
        np.testing.assert_allclose(lines[1]["y"], trades.sum(), atol=0.02)
    assert "0.01 EUR/kWh inside" in section.body
    totals = outcome.summary["levels"]
    assert f"{totals['links']} links; {totals['links_flat']} if" in section.body


def test_totals_agree_with_the_table_of_trades_by_level(outcome: Outcome) -> None:
    table = ng.trades_by_level(outcome)
    members = {entry.name for entry in outcome.scenario.buildings}
    own = table[(table["case"] == "trading") & table["agent"].isin(members)]
    totals = outcome.summary["levels"]
    for level in ("inside", "between"):
        kwh = own[f"{level}_wh"].abs().sum() / 2000
        assert totals[f"{level}_kwh"] == pytest.approx(kwh, abs=0.05)
    rest = own.groupby(["community", "slot"])["rest_wh"].sum() / 1000
    assert totals["rest_bought_kwh"] == pytest.approx(rest.clip(lower=0).sum(), abs=0.05)
    assert totals["rest_sold_kwh"] == pytest.approx(-rest.clip(upper=0).sum(), abs=0.05)


def test_one_community_has_no_section() -> None:
    outcome = ng.simulate(ng.load_scenario("duet"), market="utility-only", seed=1)
    assert communities_section(outcome) is None
