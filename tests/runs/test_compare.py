"""Comparison of markets: what is shared, what is counted, and what is refused."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import nashgrid as ng
from nashgrid.runs.compare import compare
from nashgrid.runs.compare_table import letters, show_comparison
from nashgrid.runs.comparison import Comparison
from nashgrid.runs.comparison_measures import gini, jain
from nashgrid.runs.markets import MARKETS
from nashgrid.runs.report.comparison_communities import community_figure
from nashgrid.runs.scenario import CommunityBatteryEntry, Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate


@pytest.fixture(scope="module")
def duet() -> Comparison:
    return compare(load_scenario("duet"))


def negative(scenario: Scenario) -> Scenario:
    """Feed-in is paid for: the supply-demand ratio has no price."""
    period = scenario.utility.tariff[0].model_copy(update={"feed_in_price_per_kwh": -0.1})
    utility = scenario.utility.model_copy(update={"tariff": (period,)})
    return scenario.model_copy(update={"utility": utility})


def test_every_market_has_a_row_and_is_certified(duet: Comparison) -> None:
    assert duet.table["market"].tolist() == list(MARKETS)
    assert set(duet.table["status"]) == {"certified"}
    assert duet.certified
    assert set(duet.outcomes[1]) == set(MARKETS)


def test_figures_of_the_duet(duet: Comparison) -> None:
    """2.50 EUR alone and 1.74 EUR at best, worked out by hand: price of anarchy 2.50 / 1.74."""
    row = duet.table.set_index("market")
    assert row.loc["utility-only", "price_of_anarchy"] == pytest.approx(2.5 / 1.74, abs=1e-5)
    assert row.loc["utility-only", "surplus_reached"] == pytest.approx(0.0, abs=1e-5)
    assert row.loc["nash-bargaining", "price_of_anarchy"] == pytest.approx(1.0, abs=1e-6)
    # Two-part leaves savings with the utility, but its schedules are the best.
    assert row.loc["two-part", "price_of_anarchy"] == pytest.approx(1.0, abs=1e-6)
    assert row.loc["two-part", "saving"] == pytest.approx(0.16, abs=1e-5)
    assert row.loc["two-part", ["gain", "lose"]].tolist() == [1, 0]
    # Savings .40 and .36 at clearing prices.
    expected = 0.76**2 / (2 * (0.40**2 + 0.36**2))
    assert row.loc["competitive", "jain"] == pytest.approx(expected, abs=1e-5)
    assert row.loc["competitive", "gini"] == pytest.approx(0.04 / (2 * 0.76), abs=1e-5)
    assert pd.isna(row.loc["utility-only", "jain"])


def test_a_shared_negotiation_gives_each_market_its_own_outcome(duet: Comparison) -> None:
    """Money and messages as when the market runs alone."""
    for name in ("nash-bargaining", "shapley", "mid-market-rate", "utility-only"):
        alone, shared = simulate(duet.scenario, name), duet.outcomes[1][name]
        pd.testing.assert_frame_equal(shared.accounts, alone.accounts)
        pd.testing.assert_frame_equal(shared.settlement, alone.settlement)
        assert shared.summary["rounds"] == alone.summary["rounds"]
        assert shared.summary["messages"] == alone.summary["messages"]
        assert shared.certificate["claims"].keys() == alone.certificate["claims"].keys()


def test_exchanges_in_common_were_held_once(duet: Comparison) -> None:
    outcomes = duet.outcomes[1]
    shared = outcomes["nash-bargaining"]
    for name, outcome in outcomes.items():
        if MARKETS[name].cases == MARKETS["nash-bargaining"].cases:
            assert outcome.trades is shared.trades


def test_a_saved_shared_outcome_can_be_verified(duet: Comparison, tmp_path: Path) -> None:
    folder = duet.outcomes[1]["nucleolus"].save(tmp_path / "run")
    assert ng.verify(folder).holds


def test_better_counts_who_would_rather_have_the_row(duet: Comparison) -> None:
    better, savings = duet.better, duet.savings
    for row, column in (("competitive", "two-part"), ("bill-sharing", "nash-bargaining")):
        more = (savings[row] - savings[column] > 0.005).sum()
        assert better.loc[row, column] == more
    assert (np.diag(better) == 0).all()
    assert savings.index.tolist() == ["Sunny house", "Shady house"]


def test_rules_without_a_meaning_are_refused_and_the_others_run() -> None:
    names = ["supply-demand-ratio", "mid-market-rate"]
    found = compare(negative(load_scenario("duet")), names)
    row = found.table.set_index("market")
    assert row.loc["supply-demand-ratio", "status"] == "refused"
    assert "feed_in_price >= 0" in row.loc["supply-demand-ratio", "why"]
    assert row.loc["mid-market-rate", "status"] == "certified"
    assert found.certified
    with pytest.raises(ValueError, match="all markets are refused"):
        compare(negative(load_scenario("duet")), names[:1])


def test_seeds_are_run_one_by_one() -> None:
    found = compare(load_scenario("duet"), ["competitive", "utility-only"], (3, 4))
    assert found.table["seed"].tolist() == [3, 3, 4, 4]
    assert list(found.outcomes) == [3, 4]
    assert found.savings.shape == (2, 2)


@pytest.mark.parametrize("markets", [["competitive", "competitive"], ["fair"]])
def test_wrong_lists_are_refused(markets: list[str]) -> None:
    with pytest.raises(ValueError, match=r"each market and seed once|no market 'fair'"):
        compare(load_scenario("duet"), markets)


def test_equal_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="each market and seed once"):
        compare(load_scenario("duet"), ["competitive"], (1, 1))


def test_the_tables_name_every_market(duet: Comparison) -> None:
    console = Console(width=170, record=True, file=StringIO())
    show_comparison(console, duet)
    shown = console.export_text()
    for name, letter in letters(duet).items():
        assert len(re.findall(rf"│ {letter} │ {name} ", shown)) == 2
    assert shown.count("certified ") == len(MARKETS)


def test_a_narrow_terminal_still_shows_names_and_verdicts(duet: Comparison) -> None:
    console = Console(width=80, record=True, file=StringIO())
    show_comparison(console, duet)
    shown = console.export_text()
    for name, letter in letters(duet).items():
        assert re.search(rf"^ *{letter} +{name} .* (\d+)/\1 *$", shown, re.MULTILINE), name
    assert "…" not in shown


@pytest.mark.parametrize("width", [80, 110, 125, 140, 150, 165, 200])
def test_no_terminal_cuts_figures_off(duet: Comparison, width: int) -> None:
    many = duet.table.assign(gain=1000.0, messages=123456.0, total_cost=-12345.67)
    console = Console(width=width, record=True, file=StringIO())
    show_comparison(console, replace(duet, table=many))
    shown = console.export_text()
    assert "…" not in shown
    assert "-12,345.67" in shown
    assert "1,000" in shown or width < 140


def test_the_page_has_all_markets_and_fetches_nothing(duet: Comparison, tmp_path: Path) -> None:
    page = duet.report(tmp_path / "page.html").read_text(encoding="utf-8")
    for name in MARKETS:
        assert page.count(f"<tr><td>{name}</td>") == 2, name
    assert f"{len(MARKETS)} of {len(MARKETS)} markets converged and certified" in page
    own = page[: page.index("<script>")]
    assert not re.findall(r"https?:", own)
    ids = re.findall(r' id="([^"]+)"', own)
    assert len(ids) == len(set(ids))
    assert duet.report(tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_communities_buy_first_inside_then_from_each_other() -> None:
    """Two houses in communities of their own: all that they share goes between."""
    scenario = load_scenario("duet")
    houses = tuple(
        house.model_copy(update={"community": name})
        for house, name in zip(scenario.buildings, ("East", "West"), strict=True)
    )
    found = compare(scenario.model_copy(update={"buildings": houses}), ["competitive"])
    figure = community_figure(found)
    assert figure is not None
    bars = {bar["name"]: dict(zip(bar["x"], bar["y"])) for bar in figure.views["trading"]["data"]}
    trade = found.outcomes[1]["competitive"].trades
    trade = trade[trade["case"] == "trading"].pivot(
        index="agent", columns="slot", values="trade_kw"
    )
    sunny, shady = trade.loc["Sunny house"], trade.loc["Shady house"]
    between = np.minimum((-sunny).clip(lower=0), shady.clip(lower=0)).sum()
    assert between > 1
    assert bars["from other communities"]["West"] == pytest.approx(between, abs=0.01)
    assert bars["to other communities"]["East"] == pytest.approx(-between, abs=0.01)
    assert bars["inside the community"] == {"East": 0, "West": 0}
    from_rest = shady.clip(lower=0).sum() - between
    assert bars["from the rest"]["West"] == pytest.approx(from_rest, abs=0.01)


def test_who_is_outside_of_communities_trades_on_the_last_level() -> None:
    """A battery is nobody's neighbour, whatever community it is written in."""
    scenario = load_scenario("duet")
    houses = tuple(
        house.model_copy(update={"community": name})
        for house, name in zip(scenario.buildings, ("East", "West"), strict=True)
    )
    shed = CommunityBatteryEntry(name="Shed", community="West", capacity_kwh=4.0, power_kw=1.5)
    with_shed = {"buildings": houses, "community_batteries": (shed,)}
    found = compare(scenario.model_copy(update=with_shed), ["competitive"])
    levels = ng.trades_by_level(found.outcomes[1]["competitive"]).set_index("agent")
    shady = levels.loc["Shady house"][lambda rows: rows["case"] == "trading"]
    figure = community_figure(found)
    assert figure is not None
    bars = {bar["name"]: dict(zip(bar["x"], bar["y"])) for bar in figure.views["trading"]["data"]}
    assert bars["inside the community"]["West"] == 0
    for name, column in (("other communities", "between_wh"), ("the rest", "rest_wh")):
        bought, sold = shady[column].clip(lower=0).sum(), shady[column].clip(upper=0).sum()
        assert bars[f"from {name}"]["West"] == pytest.approx(bought / 1000, abs=0.01)
        assert bars[f"to {name}"]["West"] == pytest.approx(sold / 1000, abs=0.01)


def test_what_one_party_has_more_another_has_less(duet: Comparison) -> None:
    """Under rules with the same schedules the savings of all sum to minus the discomfort, .04."""
    savings = duet.savings_of_all
    assert savings.index.tolist() == ["Sunny house", "Shady house", "utility"]
    same = [name for name in savings if MARKETS[name].cases == MARKETS["two-part"].cases]
    assert len(same) == 17
    np.testing.assert_allclose(savings[same].sum(), -0.04, atol=1e-5)
    # What two-part does not give the houses stays with the utility.
    assert savings.loc["utility", ["two-part", "nash-bargaining"]].tolist() == pytest.approx(
        [-0.20, -0.80], abs=1e-5
    )


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-10, 100), min_size=2, max_size=12))
def test_gini_is_the_mean_difference(values: list[float]) -> None:
    savings = np.array(values)
    found = gini(savings)
    if savings.sum() <= 0.005:
        assert found is None
        return
    pairs = np.abs(savings[:, None] - savings[None, :]).sum()
    assert found == pytest.approx(pairs / (2 * len(savings) * savings.sum()), rel=1e-6, abs=1e-9)


def test_indices_by_hand() -> None:
    assert jain(np.array([1.0, 1.0, 1.0])) == pytest.approx(1.0)
    assert jain(np.array([3.0, 0.0, 0.0])) == pytest.approx(1 / 3)
    assert gini(np.array([3.0, 0.0, 0.0])) == pytest.approx(2 / 3)
    assert jain(np.zeros(2)) is None
