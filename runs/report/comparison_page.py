"""The page of a comparison: markets side by side, in one file that opens offline."""

from pathlib import Path

import pandas as pd

from nashgrid.runs.comparison import Comparison
from nashgrid.runs.comparison_measures import CERTIFIED, REFUSED
from nashgrid.runs.markets import market_named
from nashgrid.runs.report.comparison_communities import community_figure
from nashgrid.runs.report.comparison_matrices import (
    MOST_ROWS,
    better_figure,
    savings_figure,
    subsidy_figure,
)
from nashgrid.runs.report.comparison_prices import price_figure
from nashgrid.runs.report.document import document
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.words import count, number, text


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Write the page of a comparison; whatever is there is replaced."""
    path.write_text(comparison_page(comparison), encoding="utf-8", newline="\n")
    return path


def comparison_page(comparison: Comparison) -> str:
    """The page as HTML."""
    scenario = text(comparison.scenario.name)
    seeds = ", ".join(str(seed) for seed in comparison.seeds)
    return document(
        title=f"{scenario}: markets compared – nashgrid",
        headline=_headline(comparison),
        sections=_sections(comparison),
        footer=f"Made by nashgrid, seed {seeds}. Seconds are of the machine that ran it. This page "
        "needs no connection.",
    )


def _headline(comparison: Comparison) -> str:
    table, scenario = comparison.table, comparison.scenario
    markets = table["market"].nunique()
    verdicts = table.groupby("market", sort=False)["status"].agg(set)
    proved = sum(verdict == {CERTIFIED} for verdict in verdicts)
    refused = sum(verdict == {REFUSED} for verdict in verdicts)
    left = markets - proved - refused
    agents = len(comparison.savings)
    mark = "good" if left == 0 else "bad"
    words = f"{proved} of {count(markets, 'market')} converged and certified"
    if refused:
        words += f", {refused} without a meaning on this scenario"
    if left:
        words += f", {left} NOT CERTIFIED"
    described = f"{text(scenario.description.rstrip('.'))}. " if scenario.description else ""
    return (
        f"<h1>{text(scenario.name)}: {count(markets, 'market')} side by side</h1>"
        f'<p class="what">{described}The same {count(agents, "agent")}, tariff and day under every '
        "rule. Exchanges that markets have in common were held once: rules that differ in payments "
        "alone settle the very same schedules.</p>"
        f'<div class="verdict {mark}" role="status"><b class="mark">'
        f"{'✓' if left == 0 else '✗'} {words}</b></div>"
    )


def _sections(comparison: Comparison) -> list[Section]:
    many = len(comparison.savings) > MOST_ROWS
    whose = "Each row is the mean of a kind of agent" if many else "Each row is an agent"
    communities = community_figure(comparison)
    sections = [
        Section("overview", "Overview", "All markets", _overview(comparison)),
        Section(
            "savings",
            "Savings",
            "Who saves how much",
            f"<p>{whose}, each column a rule; savings are against the utility alone. Blue saves, "
            "orange loses.</p>",
            (savings_figure(comparison),),
        ),
        Section(
            "subsidies",
            "Who pays for whom",
            "Who subsidises whom",
            "<p>Rules that settle the same schedules move the same savings about: what one agent "
            "has more under a rule, others have less. Games change the schedules too.</p>",
            (subsidy_figure(comparison),),
        ),
        Section(
            "better",
            "Rule against rule",
            "Who gains, rule against rule",
            "<p>How many agents have more (by half a cent at least) under the rule of the row than "
            "under that of the column: they would vote for the row.</p>",
            (better_figure(comparison),),
        ),
        Section("prices", "Prices", "Prices", "", (price_figure(comparison),)),
    ]
    if communities is not None:
        sections.append(
            Section(
                "communities",
                "Communities",
                "Trades between communities",
                "<p>Above the line what a community's members buy, by where it comes from; below "
                "what they sell. Inside comes first, then what other communities have left over, "
                "in proportion; the rest is with generators, community batteries and the "
                "utility.</p>",
                (communities,),
            )
        )
    return [*sections, Section("rules", "Rules", "The rules", _rules(comparison))]


_COLUMNS = (
    ("total_cost", "cost", 2),
    ("saving", "saving", 2),
    ("price_of_anarchy", "price of anarchy", 4),
    ("jain", "Jain", 3),
    ("gini", "Gini", 3),
    ("gain", "gain", 0),
    ("lose", "lose", 0),
    ("core_excess", "core excess", 2),
    ("rounds", "rounds", 0),
    ("messages", "messages", 0),
    ("bytes", "MB", 2),
    ("negotiation_s", "s", 1),
)


def _overview(comparison: Comparison) -> str:
    head = "".join(f'<th class="number">{words}</th>' for _, words, _ in _COLUMNS)
    several = len(comparison.seeds) > 1
    lines = "".join(_line(row, several) for _, row in comparison.table.iterrows())
    currency = comparison.scenario.currency
    return (
        f'<div class="tables"><table><thead><tr><th>market</th>{head}<th>certificate</th></tr>'
        f"</thead><tbody>{lines}</tbody></table></div>"
        f"<p>Cost and saving [{currency}] are those of all but the utility, against the utility "
        "alone. The price of anarchy is what the schedules cost over what the best would. Jain and "
        "Gini tell how evenly savings fall: 1 and 0 when all are equal. Core excess is the most "
        "that a group could gain by leaving and settling with the utility together; at most 0, "
        "none would. Rounds, messages and seconds count all exchanges that a market needs, as if "
        "held for it alone.</p>"
    )


def _line(row: pd.Series, several: bool) -> str:
    name = text(str(row["market"])) + (f", seed {row['seed']}" if several else "")
    if row["status"] == REFUSED:
        return (
            f'<tr><td>{name}</td><td colspan="{len(_COLUMNS)}">{text(str(row["why"]))}</td>'
            "<td>refused</td></tr>"
        )
    cells = "".join(
        f'<td class="number">{_cell(row[column], column, digits)}</td>'
        for column, _, digits in _COLUMNS
    )
    verdict = f'<span class="holds">✓ {row["claims"]}</span>'
    if row["status"] != CERTIFIED:
        verdict = f'<span class="fails">✗ {row["claims"]}</span> {text(str(row["why"]))}'
    return f"<tr><td>{name}</td>{cells}<td>{verdict}</td></tr>"


def _cell(value: float, column: str, digits: int) -> str:
    if pd.isna(value):
        return "–"
    return number(float(value) / (1e6 if column == "bytes" else 1.0), digits)


def _rules(comparison: Comparison) -> str:
    rows = []
    for name in comparison.table["market"].unique():
        market = market_named(name)
        rational = "yes" if market.individually_rational else "not promised"
        rows.append(
            f"<tr><td>{text(market.name)}</td><td>{text(market.explanation)}</td>"
            f"<td>{rational}</td><td>{text(market.reveals)}</td></tr>"
        )
    return (
        '<div class="tables"><table><thead><tr><th>market</th><th>rule</th>'
        "<th>nobody loses</th><th>what an agent gives away</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
