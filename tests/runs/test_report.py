"""The report: what it says, that it draws in a browser, and that it fetches nothing."""

import copy
import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report import write_report
from nashgrid.runs.report.balance_figure import balance_section
from nashgrid.runs.report.figure import Figure
from nashgrid.runs.report.page import report_sections
from nashgrid.runs.report.radial_layout import radial_layout
from nashgrid.runs.report.words import count, listing, measure, money, number
from nashgrid.runs.scenario_files import parse_scenario
from nashgrid.runs.simulate import simulate

DAY = """
name = "small"
description = "A small day <on paper>"
[horizon]
start = 2016-06-23T00:00:00
slots = 6
slot_minutes = 240
[negotiation]
tolerance = 1e-2
[utility]
exchange_limit_kw = 500
tariff = [
    { start = 00:00:00, retail_price_per_kwh = 0.2, feed_in_price_per_kwh = 0.08 },
    { start = 12:00:00, retail_price_per_kwh = 0.4, feed_in_price_per_kwh = 0.08 },
]
"""
AGENTS = """
[[buildings]]
name = "Sun & Sons"
kind = "shop"
community = "North"
connection_kw = 60
BUS 5
loads = [{ profile = "G1-A", peak_kw = 20 }]
pv = [{ profile = "PV3", rating_kw = 50 }]
batteries = [{ capacity_kwh = 40, power_kw = 15 }]
[[buildings]]
name = "Houses"
kind = "household"
community = "South"
connection_kw = 60
BUS 18
loads = [{ profile = "H0-A", peak_kw = 30 }]
vehicles = [{ capacity_kwh = 40, power_kw = 11, arrival = 08:00:00, departure = 20:00:00 }]
[[buildings]]
name = "Mill"
kind = "factory"
community = "South"
connection_kw = 80
BUS 22
loads = [{ profile = "G0-A", peak_kw = 40 }]
wind = [{ profile = "WP6", rating_kw = 30 }]
[[generators]]
name = "Engine"
community = "North"
BUS 18
maximum_kw = 40
linear_cost_per_kwh = 0.15
quadratic_cost_per_kw2h = 0.0005
"""
FEEDER = """
[feeder]
name = "ieee33"
line_limits = [{ from_bus = 1, to_bus = 2, limit_kva = 200 }]
"""


def small_scenario(feeder: bool) -> Any:
    agents = re.sub("BUS", "bus =" if feeder else "#", AGENTS)
    return parse_scenario(DAY + (FEEDER if feeder else "") + agents, "small", Path())


@pytest.fixture(scope="module")
def with_feeder() -> Outcome:
    return simulate(small_scenario(feeder=True))


@pytest.fixture(scope="module")
def without_feeder() -> Outcome:
    scenario = small_scenario(feeder=False)
    # The baseline may stop at its last round: only the picture matters here.
    few = scenario.negotiation.model_copy(update={"maximum_rounds": 60})
    return simulate(scenario.model_copy(update={"negotiation": few}), market="competitive")


@pytest.fixture(scope="module")
def alone() -> Outcome:
    return simulate(small_scenario(feeder=True), market="utility-only")


@pytest.fixture(scope="module", params=["with_feeder", "without_feeder", "alone"])
def outcome(request: pytest.FixtureRequest) -> Outcome:
    result: Outcome = request.getfixturevalue(request.param)
    return result


def figures_of(outcome: Outcome) -> list[Figure]:
    return [figure for section in report_sections(outcome) for figure in section.figures]


def page_of(outcome: Outcome, folder: Path) -> str:
    return write_report(outcome, folder / "report.html").read_text(encoding="utf-8")


def prose(page: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_same_outcome_same_bytes(outcome: Outcome, tmp_path: Path) -> None:
    first = write_report(outcome, tmp_path / "one.html")
    second = write_report(copy.deepcopy(outcome), tmp_path / "two.html")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 8e6


def test_plotly_accepts_every_attribute_of_every_view(outcome: Outcome) -> None:
    for figure in figures_of(outcome):
        go.Figure(data=figure.data, layout=figure.layout)
        for view in figure.views.values():
            go.Figure(data=view.get("data"), layout=view.get("layout"))
            drawn = go.Figure(data=figure.data)
            for first, attributes in view.get("changes", []):
                for path, values in attributes.items():
                    for index, value in enumerate(values):
                        drawn.data[first + index][path] = value


def test_every_setting_of_the_controls_has_a_view(outcome: Outcome) -> None:
    for figure in figures_of(outcome):
        keys = [""]
        for choice in figure.choices:
            own = [option.key for option in choice.options]
            assert choice.selected in own
            keys = [f"{key}|{one}".removeprefix("|") for key in keys for one in own]
        assert set(figure.views) == (set(keys) if figure.choices else set())


def test_axes_say_their_unit(outcome: Outcome) -> None:
    for figure in figures_of(outcome):
        layouts = [figure.layout, *(v["layout"] for v in figure.views.values() if "layout" in v)]
        for layout in layouts:
            axes = {k: v for k, v in layout.items() if re.match("[xy]axis", k)}
            titles = " ".join(a["title"]["text"] for a in axes.values() if "title" in a)
            assert "[" in titles or figure.name in ("feeder-figure", "agents-figure")


def test_sections_fit_the_outcome(
    with_feeder: Outcome, without_feeder: Outcome, alone: Outcome
) -> None:
    wires, rest = ["feeder", "prices", "price-parts"], ["agents", "savings", "convergence"]
    every = [*wires, "balance", "communities", *rest, "certificate"]
    assert [s.anchor for s in report_sections(with_feeder)] == every
    assert [s.anchor for s in report_sections(alone)] == every
    without = [anchor for anchor in every if anchor not in ("feeder", "price-parts")]
    assert [s.anchor for s in report_sections(without_feeder)] == without
    assert "heatmap" in {t["type"] for f in figures_of(with_feeder) for t in f.data}
    assert "heatmap" not in {t["type"] for f in figures_of(without_feeder) for t in f.data}


def test_use_and_supply_are_equal_in_every_slot(with_feeder: Outcome) -> None:
    bars = balance_section(with_feeder).figures[0].data
    for column in ("x", "x2"):
        own = [np.nan_to_num(np.array(bar["y"], float)) for bar in bars if bar["xaxis"] == column]
        assert max(np.abs(values).max() for values in own) > 1
        np.testing.assert_allclose(sum(own), 0.0, atol=0.0015 * len(own))


def test_heading_names_costs_and_savers(with_feeder: Outcome, tmp_path: Path) -> None:
    words = prose(page_of(with_feeder, tmp_path))
    summary = with_feeder.summary
    assert f"{number(summary['cost_before'], 2)} → {number(summary['cost_after'], 2)} EUR" in words
    share = 100 * summary["saving"] / summary["cost_before"]
    assert f"{money(summary['saving'], 'EUR')} saved" in words
    assert f"{number(share, 1)} % of the cost before" in words
    assert "Everybody saves" in words
    assert "A small day &lt;on paper&gt;" in words
    assert "Sun &amp; Sons" in words


def test_losers_are_named(without_feeder: Outcome, tmp_path: Path) -> None:
    accounts = without_feeder.accounts.copy()
    accounts.loc[accounts["agent"] == "Mill", "saving"] = -7.25
    certificate = copy.deepcopy(without_feeder.certificate)
    certificate["individual_rationality"] |= {"losers": {"Mill": -7.25}, "number_of_losers": 1}
    page = page_of(replace(without_feeder, accounts=accounts, certificate=certificate), tmp_path)
    assert "1 lose<" in prose(page)
    assert "Mill loses most: 7.25 EUR" in prose(page)
    assert "Mill (7.25 EUR)." in prose(page)
    certificate["individual_rationality"]["number_of_losers"] = 1234
    page = page_of(replace(without_feeder, accounts=accounts, certificate=certificate), tmp_path)
    assert "1,234 lose<" in prose(page)
    assert "worst first: Mill (7.25 EUR) and 1,233 more." in prose(page)


def certified(outcome: Outcome, holds: bool) -> Outcome:
    certificate = copy.deepcopy(outcome.certificate)
    for claim in certificate["claims"].values():
        claim["holds"] = True
    certificate["claims"]["budget"] |= {"holds": holds, "value": 0.0 if holds else 3.0}
    return replace(outcome, certificate=certificate | {"certified": holds})


def test_a_failed_certificate_cannot_be_overlooked(with_feeder: Outcome, tmp_path: Path) -> None:
    failed = prose(page_of(certified(with_feeder, holds=False), tmp_path))
    assert "<title>✗ NOT CERTIFIED" in failed
    assert 'class="mark">✗ NOT CERTIFIED' in failed
    assert "✗ not certified</a>" in failed
    assert failed.count("✗ FAILS") == 1
    assert "sum of all payments [micro-units] is 3, but may be at most 0" in failed
    good = prose(page_of(certified(with_feeder, holds=True), tmp_path))
    assert "✗" not in good
    assert "✓ Converged and certified" in good


def test_every_claim_stands_in_the_table(outcome: Outcome, tmp_path: Path) -> None:
    words = prose(page_of(outcome, tmp_path))
    claims = outcome.certificate["claims"]
    assert words.count("✓ holds") + words.count("✗ FAILS") == len(claims)
    for claim in claims.values():
        in_its_currency = claim["words"].replace("[currency", f"[{outcome.scenario.currency}")
        assert html.escape(in_its_currency) in words
    assert html.escape(outcome.certificate["deviation"]) in words


def test_the_power_flow_check_says_where_limits_break(with_feeder: Outcome, tmp_path: Path) -> None:
    assert "no limit is broken" in prose(page_of(with_feeder, tmp_path))
    lines = with_feeder.lines.copy()
    row = lines.index[(lines["case"] == "trading") & (lines["to_bus"] == 2)][3]
    lines.loc[row, "ac_kva"] = 1.0123 * lines.loc[row, "limit_kva"]
    words = prose(page_of(replace(with_feeder, lines=lines), tmp_path))
    assert "line 1–2 is above its limit in 1 slot, at most at 101.2 %" in words
    assert "line 1–2, 12:00–16:00" in words
    lost = with_feeder.losses[with_feeder.losses["case"] == "trading"]["ac_kw"].sum()
    assert f">{number(4 * lost, 1)}<" in words


def test_broken_limits_and_impossible_batteries_are_told(
    with_feeder: Outcome, tmp_path: Path
) -> None:
    plain = with_feeder.certificate | {
        "limits_not_kept": {"trading": []},
        "charging_while_discharging_kw": 0.0,
    }
    told = plain | {
        "limits_not_kept": {"trading": ["line 1-2 in slot 3 by 4.2 kW"]},
        "charging_while_discharging_kw": 7.25,
    }
    without = prose(page_of(replace(with_feeder, certificate=plain), tmp_path))
    assert "not quite kept" not in without
    assert "at once" not in without
    words = prose(page_of(replace(with_feeder, certificate=told), tmp_path))
    assert "line 1-2 in slot 3 by 4.2 kW" in words
    assert "discharges at once</b>, with up to 7.2 kW" in words


def test_nothing_points_outside(outcome: Outcome, tmp_path: Path) -> None:
    page = page_of(outcome, tmp_path)
    references = re.findall(r"""(?:src|href|action)\s*=\s*["']([^"']*)""", prose(page))
    assert references
    assert all(reference.startswith(("#", "data:")) for reference in references)
    assert "url(" not in prose(page)
    assert "@import" not in page.split("</style>")[0]
    assert "default-src 'none'" in page


def test_every_figure_draws_and_nothing_is_fetched(
    outcome: Outcome, browse: Callable[[str, Path], dict[str, Any]], tmp_path: Path
) -> None:
    seen = browse(page_of(outcome, tmp_path), tmp_path)
    assert seen["errors"] == []
    assert seen["refused"] == []
    assert seen["fetched"] == []
    figures = {figure.name: figure for figure in figures_of(outcome)}
    assert set(seen["figures"]) == set(figures)
    for name, views in seen["figures"].items():
        settings_tried = sum(len(choice.options) for choice in figures[name].choices)
        assert len(views) == 1 + settings_tried
        for traces, drawn in views:
            assert traces == drawn >= 2, name


def test_the_browser_test_sees_errors_and_requests(
    alone: Outcome, browse: Callable[[str, Path], dict[str, Any]], tmp_path: Path
) -> None:
    broken = '<img src="https://example.org/a.png"><script>undefined.broken;</script></main>'
    page = page_of(alone, tmp_path).replace("</main>", broken)
    seen = browse(page, tmp_path)
    assert seen["errors"]
    assert seen["refused"] == ["https://example.org/a.png"]


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Random trees, buses in no order, parents before children."""
    size = draw(st.integers(2, 40))
    names = draw(st.permutations(range(1, size + 1)))
    parents = [draw(st.integers(max(0, child - 4), child - 1)) for child in range(1, size)]
    return [(names[parent], names[child]) for child, parent in enumerate(parents, start=1)]


@settings(deadline=None, derandomize=True)
@given(trees())
def test_lines_of_a_drawn_feeder_never_cross(lines: list[tuple[int, int]]) -> None:
    places = radial_layout(lines)
    assert len(set(places.values())) == len(places) == len(lines) + 1
    taken: dict[tuple[float, float], tuple[int, ...]] = {}
    for start, end in lines:
        (x0, y0), (x1, y1) = places[start], places[end]
        assert x1 == x0 + 1
        assert (x0 + 0.5, y1) not in taken
        taken[x0 + 0.5, y1] = (start, end)
        step = 1 if y1 > y0 else -1
        for lane in range(y0 + step, y1 + step if y1 != y0 else y0 + step, step):
            # A lateral rises beside nobody's bus but its own; siblings share the way up.
            if y1 != y0:
                assert (x0, lane) not in places.values()
                assert taken.setdefault((x0, lane - step / 2), (start,)) == (start,)


def test_a_feeder_that_is_no_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="bus 3 is fed by two lines"):
        radial_layout([(1, 2), (1, 3), (2, 3)])
    with pytest.raises(ValueError, match="2 roots"):
        radial_layout([(1, 2), (3, 4)])
    with pytest.raises(ValueError, match="hang together"):
        radial_layout([(1, 2), (3, 4), (4, 3)])


def test_numbers_as_people_read_them() -> None:
    assert number(-1234.5, 2) == "−1,234.50"
    assert number(-0.0004, 2) == "0.00"
    assert money(0.01234, "EUR") == "0.0123 EUR"
    assert money(-12.345, "GBP") in ("−12.35 GBP", "−12.34 GBP")
    assert measure(0.00012) == "1.2 × 10⁻⁴"
    assert measure(1e-6) == "10⁻⁶"
    assert measure(0.0) == "0"
    assert measure(-37.0019) == "−37"
    assert measure(float("inf")) == "infinite"
    assert count(1, "community battery") == "1 community battery"
    assert count(2, "community battery") == "2 community batteries"
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(["a", "b", "c"], most=1) == "a and 2 more"
