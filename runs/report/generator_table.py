"""The table of generators: what each earns without a market and with it."""

from nashgrid.runs.generator_profits import QUANTITIES, generator_profits
from nashgrid.runs.markets import market_named
from nashgrid.runs.outcome import Outcome
from nashgrid.runs.report.words import number, text


def generator_table(outcome: Outcome) -> str:
    """Energy, revenue, cost and profit; nothing where there are no generators, or no market."""
    if not outcome.scenario.generators or not market_named(outcome.market).has_trading:
        return ""
    profits = generator_profits(outcome.scenario, outcome.accounts, outcome.schedules)
    currency = outcome.scenario.currency
    heads = ("energy [kWh]", *(f"{name} [{currency}]" for name in QUANTITIES[1:]))
    head = "".join(f'<th class="number">{words}</th>' for words in 2 * heads)
    columns = [f"{name}_{case}" for case in ("alone", "market") for name in QUANTITIES]
    lines = "".join(
        f"<tr><td>{text(str(row['agent']))}</td>"
        + "".join(f'<td class="number">{number(float(row[c]), 2)}</td>' for c in columns)
        + "</tr>"
        for row in profits.to_dict("records")
    )
    why = (
        " With the utility alone it is paid the feed-in price, and runs even at a loss where the "
        "limits of the wires, or its own least output, ask for it."
        if (profits["profit_alone"] < 0.0).any()
        else ""
    )
    cases = "".join(f'<th colspan="4">{words}</th>' for words in ("utility alone", "market"))
    return (
        "<h3>Generators</h3><p>Profit is what a generator is paid, less what its output costs."
        f"{why}</p>"
        f'<div class="tables"><table><thead><tr><th></th>{cases}</tr>'
        f"<tr><th>generator</th>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
