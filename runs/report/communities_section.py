"""Why the communities fit, and at which level their members trade."""

import numpy as np

from nashgrid.market.settlement import whole_wh
from nashgrid.runs.communities import links
from nashgrid.runs.community_forming import figures_of_groupings, profiles_before_trading_kw
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.cases import cases_of
from nashgrid.runs.report.clock import Clock
from nashgrid.runs.report.communities_figure import AFTER, BEFORE, Split, communities_figure
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.words import number, percent, text
from nashgrid.runs.trade_levels import matched_wh, trades_by_level

_WAYS = {
    "stated": "as they are",
    "complementary": "complementary profiles",
    "bus": "neighbours by bus",
    "random": "at random (mean of 100)",
}


def communities_section(outcome: Outcome) -> Section | None:
    """For several communities of stated agents; None otherwise."""
    scenario = outcome.scenario
    names = list(dict.fromkeys(entry.community for entry in scenario.buildings))
    if scenario.population is not None or len(names) < 2:
        return None
    community = np.array([names.index(entry.community) for entry in scenario.buildings])
    splits = {BEFORE: _before(outcome, community), AFTER: _after(outcome)}
    figure = communities_figure(names, community, splits, Clock(scenario.horizon))
    body = _words(outcome) + _fit(outcome) + _levels(names, community, splits[AFTER])
    title = f"{number(len(names), 0)} communities"
    return Section("communities", "Communities", title, body, (figure,))


def _before(outcome: Outcome, community: np.ndarray) -> Split:
    """What could be matched at each level if nobody answered to anything."""
    hours = outcome.scenario.horizon.slot_hours
    energy = whole_wh(profiles_before_trading_kw(outcome.scenario)[: len(community)], hours)
    inside, between = matched_wh(energy, community)
    return _split(inside, between, energy - inside - between)


def _after(outcome: Outcome) -> Split:
    table = trades_by_level(outcome)
    stated = [entry.name for entry in outcome.scenario.buildings]
    own = table[(table["case"] == cases_of(outcome)[-1]) & table["agent"].isin(stated)]
    parts = (own[f"{level}_wh"].to_numpy() for level in ("inside", "between", "rest"))
    return _split(*(part.reshape(len(stated), -1) for part in parts))


def _split(inside: np.ndarray, between: np.ndarray, rest: np.ndarray) -> Split:
    return Split(inside / 1000, between / 1000, rest / 1000)


def _words(outcome: Outcome) -> str:
    levels = outcome.scenario.levels
    managed = (
        "Prices and schedules are the same for every grouping: who belongs together only says "
        "where a trade is counted."
    )
    if levels is not None:
        unit = f"{outcome.scenario.currency}/kWh"
        managed = (
            "Each has a manager, and each side of a trade pays a fee by its level: "
            f"{levels.inside_fee_per_kwh:g} {unit} inside, {levels.between_fee_per_kwh:g} between "
            f"communities, {levels.rest_fee_per_kwh:g} with the rest."
        )
    return (
        "<p>A community fits where some of its members have over what others need in the same "
        f"slot: then energy passes inside it. {managed} The figure shows what the members of a "
        "community would buy and sell if nobody answered to anything, and what they did in the "
        "end; the line is what the community needs as a whole.</p>"
    )


def _fit(outcome: Outcome) -> str:
    """The stated groups against others of the same number, from profiles before trading."""
    figures = figures_of_groupings(outcome.scenario)
    rows = "".join(
        f"<tr><td>{words}</td>"
        + "".join(
            f'<td class="number">{number(float(figures.loc[way, column]), 0)}</td>'
            for column in ("inside_kwh", "between_kwh", "upstream_kwh")
        )
        + f'<td class="number">{percent(float(figures.loc[way, "relative_exchange"]))}</td></tr>'
        for way, words in _WAYS.items()
        if way in figures.index
    )
    head = "".join(
        f'<th class="number">{words}</th>'
        for words in ("inside", "between", "upstream", "left to the outside")
    )
    return _table("As many communities of all agents, before trading [kWh]", "grouping", head, rows)


def _levels(names: list[str], community: np.ndarray, after: Split) -> str:
    """Trades of every community by level, and the links that they take."""
    columns = [("inside", "bought"), ("between", "bought"), ("between", "sold")]
    columns += [("rest", "bought"), ("rest", "sold")]
    rows = ""
    for index, name in enumerate(names):
        own = after.of(np.flatnonzero(community == index))
        cells = "".join(
            f'<td class="number">{number(float(getattr(own, side)(level).sum()), 0)}</td>'
            for level, side in columns
        )
        rows += f"<tr><td>{text(name)}</td>{cells}</tr>"
    head = "".join(
        f'<th class="number">{words}</th>'
        for words in (
            "inside",
            "bought of communities",
            "sold to them",
            "bought of the rest",
            "sold to it",
        )
    )
    flat, two_levels = links(community)
    return (
        _table("Trades of members after trading [kWh]", "community", head, rows)
        + f"<p>On two levels, with a manager for each community, buildings and managers need "
        f"{number(two_levels, 0)} links; {number(flat, 0)} if everybody dealt with everybody.</p>"
    )


def _table(caption: str, first: str, head: str, rows: str) -> str:
    return (
        f'<div class="tables"><table><caption>{caption}</caption><thead><tr><th>{first}</th>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
