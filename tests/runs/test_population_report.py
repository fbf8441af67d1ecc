"""The report of many buildings: sums, bands, spreads and samples, each against its tables."""

import copy
import html
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.population_draw import draw
from nashgrid.runs.population_size import with_population
from nashgrid.runs.report import write_report
from nashgrid.runs.report.crowd import Crowd, crowd_of
from nashgrid.runs.report.crowd_savings import samples
from nashgrid.runs.report.fan_figure import crowd_section
from nashgrid.runs.report.figure import Figure
from nashgrid.runs.report.page import report_sections
from nashgrid.runs.report.spread_figure import spread_figure
from nashgrid.runs.report.words import measure, number
from nashgrid.runs.scenario import Scenario
from nashgrid.runs.scenario_files import load_scenario
from nashgrid.runs.simulate import simulate

BOUNDED = 320  # so many are bounded by weak duality, fewer also solved as one central problem
HALL = {
    "name": "Town & hall",
    "kind": "office",
    "community": "Centre",
    "connection_kw": 60.0,
    "loads": [{"profile": "G1-A", "peak_kw": 20.0}],
    "pv": [{"profile": "PV3", "rating_kw": 50.0}],
}
STORE = {"name": "Store", "community": "Centre", "capacity_kwh": 60.0, "power_kw": 20.0}


def with_agents(scenario: Scenario, bus: int) -> Scenario:
    """The same with a building and a battery of their own beside the population."""
    content = scenario.model_dump(exclude_unset=True)
    content["buildings"] = [{**HALL, "bus": bus}]
    content["community_batteries"] = [{**STORE, "bus": bus}]
    content["negotiation"] = {**content["negotiation"], "tolerance": 1e-2}
    content["horizon"] = {**content["horizon"], "slots": 8, "slot_minutes": 180}
    return Scenario.model_validate(content)


@pytest.fixture(scope="module")
def district() -> Outcome:
    return simulate(with_population(load_scenario("district"), BOUNDED), market="competitive")


@pytest.fixture(scope="module")
def mixed() -> Outcome:
    """On a feeder, with stated agents beside the population."""
    return simulate(with_agents(with_population(load_scenario("district33"), 90), bus=18))


@pytest.fixture(scope="module")
def alone() -> Outcome:
    return simulate(with_population(load_scenario("district"), 40), market="utility-only")


@pytest.fixture(scope="module", params=["district", "mixed", "alone"])
def outcome(request: pytest.FixtureRequest) -> Outcome:
    result: Outcome = request.getfixturevalue(request.param)
    return result


@pytest.fixture(scope="module")
def losing(district: Outcome) -> Outcome:
    """The same with less saved by everybody, so that some lose."""
    accounts = district.accounts.copy()
    accounts.loc[accounts["weight"] > 0, "saving"] -= 0.3
    return replace(district, accounts=accounts)


def crowd(outcome: Outcome) -> Crowd:
    found = crowd_of(outcome)
    assert found is not None
    return found


def figures_of(outcome: Outcome) -> dict[str, Figure]:
    sections = report_sections(outcome)
    return {figure.name: figure for section in sections for figure in section.figures}


def page_of(outcome: Outcome, folder: Path) -> str:
    return write_report(outcome, folder / "report.html").read_text(encoding="utf-8")


def prose(page: str) -> str:
    """The words of the page, without scripts and tags."""
    page = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def tidy(outcome: Outcome, table: str, case: str) -> pd.DataFrame:
    """A table of one case with plain text, for oracles in pandas."""
    rows: pd.DataFrame = getattr(outcome, table)
    rows = rows[rows["case"] == case]
    names = {name: str for name in ("case", "agent", "kind", "device") if name in rows}
    return rows.astype(names)


def test_same_outcome_same_bytes_in_a_small_file(outcome: Outcome, tmp_path: Path) -> None:
    first = write_report(outcome, tmp_path / "one.html")
    second = write_report(copy.deepcopy(outcome), tmp_path / "two.html")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 8e6


def test_plotly_accepts_every_attribute_of_every_view(outcome: Outcome) -> None:
    for figure in figures_of(outcome).values():
        drawn = go.Figure(data=figure.data, layout=figure.layout)
        for view in figure.views.values():
            go.Figure(data=view.get("data"), layout=view.get("layout"))
            for first, attributes in view.get("changes", []):
                for path, values in attributes.items():
                    for index, value in enumerate(values):
                        drawn.data[first + index][path] = value


def test_every_setting_of_the_controls_has_a_view(outcome: Outcome) -> None:
    for figure in figures_of(outcome).values():
        keys = [[option.key for option in choice.options] for choice in figure.choices]
        every = {"|".join(key) for key in itertools.product(*keys)} if keys else set()
        assert set(figure.views) == every
        for choice in figure.choices:
            assert choice.selected in [option.key for option in choice.options]


def test_axes_of_power_and_money_say_their_unit(outcome: Outcome) -> None:
    figures = figures_of(outcome)
    for name, unit in (("crowd-figure", "[kW]"), ("spread-figure", "[EUR]")):
        layouts = [
            view.get("layout", figures[name].layout) for view in figures[name].views.values()
        ]
        for layout in layouts:
            titles = [a["title"]["text"] for k, a in layout.items() if re.match("[xy]axis", k)]
            assert any(unit in title for title in titles)


def test_sections_fit_the_outcome(district: Outcome, mixed: Outcome, alone: Outcome) -> None:
    every = ["feeder", "prices", "price-parts", "balance", "buildings", "agents", "savings"]
    every += ["convergence", "certificate"]
    assert [section.anchor for section in report_sections(mixed)] == every
    without = [anchor for anchor in every if anchor not in ("feeder", "price-parts")]
    assert [section.anchor for section in report_sections(district)] == without
    assert [section.anchor for section in report_sections(alone)] == without


@pytest.mark.parametrize("case", ["utility-only", "trading"])
def test_what_no_device_decides_is_the_drawn_load(mixed: Outcome, case: str) -> None:
    assert mixed.scenario.population is not None
    drawn = draw(mixed.scenario.population, mixed.scenario)
    assert list(crowd(mixed).accounts["agent"]) == list(drawn.roster["agent"])
    load = crowd(mixed).base_load_kw(case)
    np.testing.assert_allclose(load, drawn.buildings.load_kw, atol=1e-6)


def test_use_and_supply_are_equal_and_every_kind_of_device_counts(outcome: Outcome) -> None:
    bars = figures_of(outcome)["balance-figure"].data
    for column in dict.fromkeys(bar["xaxis"] for bar in bars):
        own = [np.nan_to_num(np.array(bar["y"], float)) for bar in bars if bar["xaxis"] == column]
        np.testing.assert_allclose(sum(own), 0.0, atol=0.0015 * len(own))
    case = str(outcome.trades["case"].unique()[-1])
    rows = tidy(outcome, "schedules", case)
    charging = rows[rows["device"].str.startswith("battery")]["consumption_kw"].clip(lower=0)
    expected = charging.groupby(rows["slot"]).sum()
    (found,) = (b for b in bars if b["xaxis"] == bars[-1]["xaxis"] and _charges(b))
    np.testing.assert_allclose(np.nan_to_num(np.array(found["y"], float)), expected, atol=1e-3)


def _charges(bar: dict[str, Any]) -> bool:
    return "battery charging" in bar["hovertemplate"]


@pytest.mark.parametrize("kind", ["all", "household"])
@pytest.mark.parametrize("quantity", ["trade", "battery"])
def test_bands_are_quantiles_of_the_buildings(mixed: Outcome, quantity: str, kind: str) -> None:
    (figure,) = crowd_section(mixed, crowd(mixed)).figures
    ((first, changes),) = figure.views[f"{quantity}|{kind}"]["changes"]
    assert first == 0
    assert len(changes["y"]) == len(figure.data)
    names = list(crowd(mixed).accounts["agent"].astype(str))
    if kind != "all":
        names = [name for name in names if name.startswith(kind)]
    for column, case in enumerate(("utility-only", "trading")):
        table, value = (
            ("trades", "trade_kw") if quantity == "trade" else ("schedules", "consumption_kw")
        )
        rows = tidy(mixed, table, case)
        rows = rows[rows["agent"].isin(names)]
        if quantity != "trade":
            rows = rows[rows["device"] == quantity]
        power = rows.groupby("slot")[value]
        lines = changes["y"][6 * column : 6 * column + 6]
        for line, share in zip(lines, (0.95, 0.05, 0.75, 0.25, 0.5)):
            np.testing.assert_allclose(line[:-1], power.quantile(share), atol=6e-4)
            assert line[-1] == line[-2]
        np.testing.assert_allclose(lines[5][:-1], power.mean(), atol=6e-4)


def test_a_kind_without_a_device_has_empty_lines(district: Outcome) -> None:
    found = crowd(district)
    nobody = {}
    for case, devices in found.devices.items():
        own = devices["battery"]
        nobody[case] = {"battery": replace(own, owner=own.owner[:0], power_kw=own.power_kw[:0])}
    (figure,) = crowd_section(district, replace(found, devices=nobody)).figures
    ((_, changes),) = figure.views["battery|all"]["changes"]
    assert all(line == [] for line in changes["y"])
    assert f"{BOUNDED} buildings, 0 devices: battery" in figure.views["battery|all"]["note"]


def test_tables_count_winners_and_losers_by_kind(losing: Outcome, tmp_path: Path) -> None:
    words = prose(page_of(losing, tmp_path).replace("</td>", " ").replace("</tr>", "\n"))
    drawn = losing.accounts[losing.accounts["weight"] > 0].astype({"kind": str})
    assert (drawn["saving"] < -1e-6).any()
    for kind, rows in drawn.groupby("kind"):
        means = rows[["cost_before", "cost_after", "saving"]].mean()
        numbers = " ".join(number(value, 3) for value in (*means, rows["saving"].median()))
        lose = f"{number(100 * (rows['saving'] < -1e-6).mean(), 1)} %"
        assert re.search(rf"^{kind} {len(rows)} .*{re.escape(numbers)} .*{lose} $", words, re.M)


def test_every_building_is_in_one_group_of_owners(mixed: Outcome) -> None:
    found = crowd(mixed).outfits
    assert sorted(np.concatenate([*found.values()])) == list(range(90))
    rows = tidy(mixed, "schedules", "trading")
    owned = rows.groupby("agent")["device"].unique()
    names = crowd(mixed).accounts["agent"].astype(str)
    for words, members in found.items():
        for name in names[members]:
            devices = set(owned.get(name, []))
            assert {"PV": "pv"}.get(words, words) == "none" or devices
            assert len(devices) == (0 if words == "none" else words.count("+") + 1)


def test_outlines_hold_the_middle_of_their_group(district: Outcome) -> None:
    figure = spread_figure(district, crowd(district), {"saving": "saving"})
    data = figure.views["saving|kinds"]["data"]
    kinds = list(crowd(district).kinds)
    medians = next(trace for trace in data if trace.get("name") == "median")
    amounts = crowd(district).accounts.astype({"kind": str}).groupby("kind")["saving"]
    np.testing.assert_allclose(medians["x"], [amounts.median()[kind] for kind in kinds], atol=1e-4)
    (middle,) = (trace for trace in data if trace.get("name") == "25–75 %")
    ends = np.array([value for value in middle["x"] if value is not None]).reshape(-1, 2)
    expected = [[amounts.quantile(share)[kind] for share in (0.25, 0.75)] for kind in kinds]
    np.testing.assert_allclose(ends, expected, atol=1e-4)


def test_every_outline_fits_between_the_ends_of_its_axis(outcome: Outcome) -> None:
    figure = figures_of(outcome)["spread-figure"]
    for view in figure.views.values():
        low, high = view["layout"]["xaxis"]["range"]
        shown = [value for trace in view["data"] for value in trace["x"] if value is not None]
        assert low < min(shown)
        assert max(shown) < high


def test_where_all_save_the_same_something_else_is_shown_first(mixed: Outcome) -> None:
    amounts = crowd(mixed).accounts["saving"]
    assert np.ptp(amounts) < 0.005
    figure = figures_of(mixed)["spread-figure"]
    assert figure.choices[0].selected == "payment"
    assert "is the same for every building" in figure.views["saving|kinds"]["note"]


def test_samples_are_the_middle_and_the_ends(losing: Outcome) -> None:
    rows, why = samples(losing, crowd(losing))
    accounts = crowd(losing).accounts.astype({"agent": str, "kind": str}).set_index("agent")
    assert [str(name) for name in crowd(losing).accounts["agent"].iloc[rows]] == list(why)
    reasons = {reason: name for name, words in why.items() for reason in words.split(", ")}
    assert reasons["largest saving of all"] == accounts["saving"].idxmax()
    assert reasons["largest loss of all"] == accounts["saving"].idxmin()
    for kind, own in accounts.groupby("kind"):
        saving = own.loc[reasons[f"median saving of a {kind}"], "saving"]
        assert (own["saving"] < saving).sum() == len(own) // 2
    figure = figures_of(losing)["agents-figure"]
    assert {key.split("|")[1] for key in figure.views} == set(why)


def test_devices_of_a_sample_add_up_to_its_trade(mixed: Outcome) -> None:
    figure = figures_of(mixed)["agents-figure"]
    for view in figure.views.values():
        bars = [np.nan_to_num(np.array(t["y"], float)) for t in view["data"] if t["type"] == "bar"]
        (trade,) = (t["y"] for t in view["data"] if t.get("name") == "trade" and "xperiod" in t)
        np.testing.assert_allclose(sum(bars), trade, atol=0.0021 * len(bars))


def test_stated_agents_appear_as_such(mixed: Outcome, tmp_path: Path) -> None:
    words = prose(page_of(mixed, tmp_path))
    assert "1 building of 1 kind, 90 buildings of 5 kinds drawn at random and 1 community" in words
    assert "in 2 communities" in words
    figures = figures_of(mixed)
    agents = [option.key for option in figures["agents-figure"].choices[1].options]
    assert agents[:2] == ["Town & hall", "Store"]
    bars = figures["savings-figure"].views["agent"]["data"][0]["y"]
    assert {"Town &amp; hall", "Store"} < set(bars)
    assert any(re.fullmatch(r"population: household \(\d+\)", bar) for bar in bars)


def test_a_feeder_shows_the_buildings_of_a_bus_together(mixed: Outcome) -> None:
    figure = figures_of(mixed)["feeder-figure"]
    view = figure.views["trading|4"]["changes"][-1][1]
    bus = crowd(mixed).accounts["bus"]
    assert len(view["hovertext"][0]) == 2 + bus.nunique()
    rows = tidy(mixed, "trades", "trading")
    drawn = rows["agent"].isin(crowd(mixed).accounts["agent"].astype(str))
    power = rows[drawn & (rows["bus"] == 18) & (rows["slot"] == 4)]["trade_kw"].sum()
    (words,) = (w for w in view["hovertext"][0] if f"{(bus == 18).sum()} buildings at bus 18" in w)
    assert f"{number(abs(power), 1)} kW" in words
    assert ("sells" if power < 0 else "buys") in words


def test_the_certificate_speaks_of_all_buildings(outcome: Outcome, tmp_path: Path) -> None:
    words = prose(page_of(outcome, tmp_path))
    for epsilons in outcome.certificate["epsilon"].values():
        own = epsilons["population"]
        assert measure(own["largest_epsilon"]) in words
        assert measure(own["sum_of_epsilons"]) in words
        shares = own["relative_epsilon_quantiles"]
        assert list(shares) == ["50 %", "90 %", "99 %", "99.9 %"]
        assert [*shares.values()] == sorted(shares.values())
        assert max(shares.values()) <= own["largest_relative_epsilon"]
        assert f"99 % at most {measure(shares['99 %'])}" in words
    welfare = outcome.certificate["welfare"].values()
    bounded = [each["largest_price_difference_per_kwh"] is None for each in welfare]
    assert words.count("against a proven lower bound. ") == sum(bounded)
    assert words.count("against the central optimum. ") == len(bounded) - sum(bounded)
    many = outcome.certificate["epsilon"]["utility-only"]["population"]["buildings"] == BOUNDED
    assert all(bounded) if many else not any(bounded)
    assert ("By weak duality no schedules of all together cost less" in words) == many


def test_tables_that_lack_a_building_are_refused(district: Outcome) -> None:
    with pytest.raises(ValueError, match="trades of case 'utility-only' lack buildings"):
        crowd_of(replace(district, trades=district.trades[:7000]))
    with pytest.raises(ValueError, match="schedules of 'pv' are not complete"):
        crowd_of(replace(district, schedules=district.schedules[1:]))


def test_every_figure_draws_and_nothing_is_fetched(
    outcome: Outcome, browse: Callable[[str, Path], dict[str, Any]], tmp_path: Path
) -> None:
    seen = browse(page_of(outcome, tmp_path), tmp_path)
    assert seen["errors"] == []
    assert seen["refused"] == []
    assert seen["fetched"] == []
    figures = figures_of(outcome)
    assert set(seen["figures"]) == set(figures)
    for name, views in seen["figures"].items():
        assert len(views) == 1 + sum(len(choice.options) for choice in figures[name].choices)
        for traces, drawn in views:
            assert traces == drawn, name
            assert drawn >= 2 or name == "crowd-figure", name
