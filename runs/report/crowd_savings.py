"""Who saves how much among many buildings: tables by kind and by devices, distributions, sums."""

import numpy as np

from nashgrid.market.messages import Integers
from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.crowd import Crowd
from nashgrid.runs.report.figure import Section
from nashgrid.runs.report.headline import NOTHING
from nashgrid.runs.report.savings_section import savings_section
from nashgrid.runs.report.spread_figure import GROUPINGS, spread_figure
from nashgrid.runs.report.words import number, percent, text


def crowd_savings_section(outcome: Outcome, crowd: Crowd) -> Section:
    """The usual section of savings with bars by kind, and what lies behind the sums."""
    usual = savings_section(outcome)
    trading = market_named(outcome.market).has_trading
    quantities = {"saving": "saving"} if trading else {}
    quantities |= {"payment": "payment", "cost_after": "cost after" if trading else "cost"}
    if trading:
        quantities["cost_before"] = "cost before"
    kinds, outfits = (_table(outcome, crowd, grouping, trading) for grouping in GROUPINGS)
    tables = f"{kinds}<details><summary>The same by devices</summary>{outfits}</details>"
    spread = spread_figure(outcome, crowd, quantities)
    body = f"{usual.body}<h3>Building by building</h3>{tables}"
    return Section(usual.anchor, usual.short, usual.title, body, (spread, *usual.figures))


def samples(outcome: Outcome, crowd: Crowd) -> tuple[Integers, dict[str, str]]:
    """A few buildings that stand for the others: their rows, and name -> why.

    In every kind the one in the middle; then those who gain most and least.
    """
    trading = market_named(outcome.market).has_trading
    column = "saving" if trading else "cost_after"
    amount = crowd.accounts[column].to_numpy(dtype=float)
    names = crowd.accounts["agent"].astype(str)
    why: dict[int, list[str]] = {}
    for kind, rows in crowd.kinds.items():
        order = rows[np.argsort(amount[rows], kind="stable")]
        middle = int(order[len(order) // 2])
        why.setdefault(middle, []).append(f"median {'saving' if trading else 'cost'} of a {kind}")
    most, least = int(amount.argmax()), int(amount.argmin())
    if trading:
        loses = amount[least] < -NOTHING
        extremes = ("largest saving", "largest loss" if loses else "smallest saving")
    else:
        extremes = ("highest cost", "lowest cost")
    why.setdefault(most, []).append(f"{extremes[0]} of all")
    why.setdefault(least, []).append(f"{extremes[1]} of all")
    return np.array(list(why)), {names[row]: ", ".join(words) for row, words in why.items()}


def _table(outcome: Outcome, crowd: Crowd, grouping: str, trading: bool) -> str:
    groups: dict[str, Integers] = getattr(crowd, grouping)
    columns = {name: crowd.accounts[name].to_numpy(dtype=float) for name in _NUMBERS}
    heads = ["buildings", "share"]
    heads += ["cost before", "cost after", "saving", "median saving"] if trading else ["cost"]
    heads += ["save", "lose"] if trading else []
    lines = []
    everybody = np.arange(len(crowd))
    for name, rows in [*groups.items(), ("all", everybody)]:
        own = {column: values[rows] for column, values in columns.items()}
        cells = [number(len(rows), 0), percent(len(rows) / len(crowd))]
        if trading:
            cells += [number(float(own[column].mean()), 3) for column in _NUMBERS]
            cells.append(number(float(np.median(own["saving"])), 3))
            cells.append(percent(float((own["saving"] > NOTHING).mean())))
            cells.append(percent(float((own["saving"] < -NOTHING).mean())))
        else:
            cells.append(number(float(own["cost_after"].mean()), 3))
        style = ' class="total"' if rows is everybody else ""
        written = "".join(f'<td class="number">{cell}</td>' for cell in cells)
        lines.append(f"<tr{style}><td>{text(name)}</td>{written}</tr>")
    head = "".join(f'<th class="number">{words}</th>' for words in heads)
    return (
        f'<div class="tables"><table><caption>By {GROUPINGS[grouping]}; amounts are means of a '
        f"building in {outcome.scenario.currency}</caption><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


_NUMBERS = ("cost_before", "cost_after", "saving")
