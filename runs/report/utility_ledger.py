"""The utility's ledger beside the savings: where the money that is saved comes from."""

from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.words import money, number


def ledger(outcome: Outcome) -> str:
    """Cost = what the utility receives + what the devices cost; before, after and the change.

    The utility is no player: what the community saves, the utility and the suppliers of fuel
    no longer receive, or receive instead.
    """
    summary, currency = outcome.summary, outcome.scenario.currency
    receipts = (
        float(summary["utility_receipts_before"]),
        float(summary["utility_receipts_after"]),
    )
    costs = (float(summary["cost_before"]), float(summary["cost_after"]))
    devices = (costs[0] - receipts[0], costs[1] - receipts[1])
    operator = ", its operator included" if outcome.scenario.feeder else ""
    rows = (
        ("Paid to the utility, which is no player", receipts, ""),
        ("Fuel, wear and discomfort of the devices", devices, ""),
        (f"Cost of the community{operator}", costs, ' class="total"'),
    )
    if not market_named(outcome.market).has_trading:
        lines = "".join(
            f'<tr{style}><td>{words}</td><td class="number">{number(after, 2)}</td></tr>'
            for words, (_, after), style in rows
        )
        head = '<th class="number">utility alone</th>'
        return _table(currency, head, lines)
    lines = "".join(
        f'<tr{style}><td>{words}</td><td class="number">{number(before, 2)}</td>'
        f'<td class="number">{number(after, 2)}</td>'
        f'<td class="number">{number(after - before, 2)}</td></tr>'
        for words, (before, after), style in rows
    )
    head = "".join(f'<th class="number">{words}</th>' for words in ("before", "after", "change"))
    return _sentence(receipts, devices, costs, currency) + _table(currency, head, lines)


def _sentence(
    receipts: tuple[float, float],
    devices: tuple[float, float],
    costs: tuple[float, float],
    currency: str,
) -> str:
    lost, more = receipts[0] - receipts[1], devices[1] - devices[0]
    saving = costs[0] - costs[1]
    return (
        f"<p><b>The utility's ledger:</b> it receives {money(abs(lost), currency)} "
        f"{'less' if lost >= 0 else 'more'} than before, while the devices of the community cost "
        f"{money(abs(more), currency)} {'more' if more >= 0 else 'less'}. The difference is the "
        f"{'saving' if saving >= 0 else 'loss'} of the community, "
        f"<b>{money(abs(saving), currency)}</b>. What the utility saves itself by delivering less "
        "is not counted here.</p>"
    )


def _table(currency: str, head: str, lines: str) -> str:
    return (
        f'<div class="tables"><table><thead><tr><th>{currency}</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
